//! What the serving thread and the workers of a pool share: the queue, and who does what.
//!
//! One mutex guards the numbers, so that a request is admitted, a worker retires and the pool closes each at
//! one moment. The channel is made large enough for every request that can be admitted; it never blocks
//! a sender.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvError, RecvTimeoutError, Sender, TrySendError, bounded};
use socketserver_core::{Dispatched, Rejected, Waker};

use super::settings::{AtClose, Settings};
use super::status::Watch;

/// The shared part of a pool.
pub(super) struct State<J> {
    max_workers: usize,
    min_workers: usize,
    /// How many requests can be in the queue.
    places: usize,
    /// How many can be in the queue or with a worker.
    capacity: usize,
    numbers: Mutex<Numbers<J>>,
    queue: Receiver<J>,
}

struct Numbers<J> {
    /// Gone when the pool is closed; then workers end when the queue is empty.
    sender: Option<Sender<J>>,
    waker: Option<Waker>,
    workers: usize,
    started: u64,
    /// Requests admitted and not finished: in the queue or with a worker.
    admitted: usize,
    refused: u64,
    /// The loop found no room and wants to be told when there is some.
    loop_waits: bool,
}

/// What to do with a request.
pub(super) enum Admission<J> {
    /// It is in the queue.
    Queued,
    /// All workers are busy, but there may be one more, of this number.
    StartWorker(J, u64),
    /// There is no room, or the pool is closed.
    Full(J),
}

impl<J> State<J> {
    pub(super) fn new(settings: &Settings) -> Self {
        let capacity = settings.max_workers.saturating_add(settings.queue);
        let (sender, queue) = bounded(capacity);
        Self {
            max_workers: settings.max_workers,
            min_workers: settings.min_workers.min(settings.max_workers),
            places: settings.queue,
            capacity,
            numbers: Mutex::new(Numbers {
                sender: Some(sender),
                waker: None,
                workers: 0,
                started: 0,
                admitted: 0,
                refused: 0,
                loop_waits: false,
            }),
            queue,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Numbers<J>> {
        // No user code runs under this lock.
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_waker(&self, waker: Waker) {
        self.lock().waker = Some(waker);
    }

    /// Whether one more can be admitted; if not, the loop is woken when that changes.
    pub(super) fn has_room(&self) -> bool {
        let mut numbers = self.lock();
        let room = numbers.admitted < self.capacity;
        numbers.loop_waits = !room;
        room
    }

    pub(super) fn admit(&self, job: J) -> Admission<J> {
        let mut numbers = self.lock();
        if numbers.admitted >= self.capacity || numbers.sender.is_none() {
            return Admission::Full(job);
        }
        if numbers.admitted >= numbers.workers && numbers.workers < self.max_workers {
            numbers.admitted += 1;
            numbers.workers += 1;
            numbers.started += 1;
            return Admission::StartWorker(job, numbers.started);
        }
        match numbers.enqueue(job) {
            Ok(()) => Admission::Queued,
            Err(job) => Admission::Full(job),
        }
    }

    /// The worker for an admitted job could not be started: the others take it, if there are any and it
    /// may wait for them.
    pub(super) fn start_failed(&self, rejected: Rejected<J>) -> Result<Dispatched, Rejected<J>> {
        let mut numbers = self.lock();
        numbers.workers -= 1;
        numbers.admitted -= 1;
        if numbers.workers == 0 || numbers.admitted >= numbers.workers + self.places {
            return Err(rejected);
        }
        let (job, error) = rejected.into_parts();
        match numbers.enqueue(job) {
            Ok(()) => Ok(Dispatched::Started),
            Err(job) => Err(Rejected::new(job, error)),
        }
    }

    pub(super) fn count_refusal(&self) {
        self.lock().refused += 1;
    }

    /// The next job for a worker; `None` when the worker is to end.
    pub(super) fn next(&self, idle_timeout: Duration) -> Option<J> {
        loop {
            match self.queue.recv_timeout(idle_timeout) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let mut numbers = self.lock();
            // Jobs are enqueued under the lock, so one that counts on this worker is seen.
            if !self.queue.is_empty() {
                continue;
            }
            if numbers.workers > self.min_workers {
                numbers.workers -= 1;
                return None;
            }
            drop(numbers);
            // One of those that stay: it need not look at the time. When there are more again, those
            // retire, so never more than the minimum sleep here.
            match self.queue.recv() {
                Ok(job) => return Some(job),
                Err(RecvError) => break,
            }
        }
        self.lock().workers -= 1;
        None
    }

    /// A worker has finished a job.
    pub(super) fn finished(&self) {
        let mut numbers = self.lock();
        numbers.admitted -= 1;
        if std::mem::take(&mut numbers.loop_waits) {
            let waker = numbers.waker.clone();
            drop(numbers);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// Nothing is admitted any more. Gives back the jobs that will not be served.
    pub(super) fn close(&self, policy: AtClose) -> Vec<J> {
        let mut numbers = self.lock();
        numbers.sender = None;
        if policy == AtClose::Serve && numbers.workers > 0 {
            return Vec::new();
        }
        let left: Vec<J> = self.queue.try_iter().collect();
        numbers.admitted -= left.len();
        left
    }
}

impl<J> Numbers<J> {
    fn enqueue(&mut self, job: J) -> Result<(), J> {
        let Some(sender) = &self.sender else { return Err(job) };
        sender.try_send(job).map_err(TrySendError::into_inner)?;
        self.admitted += 1;
        Ok(())
    }
}

impl<J: Send> Watch for State<J> {
    fn workers(&self) -> usize {
        self.lock().workers
    }

    fn in_progress(&self) -> usize {
        self.lock().admitted
    }

    fn queued_and_busy(&self) -> (usize, usize) {
        let numbers = self.lock();
        let queued = self.queue.len();
        (queued, numbers.admitted.saturating_sub(queued))
    }

    fn refused(&self) -> u64 {
        self.lock().refused
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// Admits a job for which no worker can be started; says whether it came back.
    fn fail_to_start(state: &State<&'static str>, job: &'static str) -> bool {
        match state.admit(job) {
            Admission::StartWorker(job, _) => {
                let error = io::Error::from(io::ErrorKind::OutOfMemory);
                state.start_failed(Rejected::new(job, error)).is_err()
            }
            _ => panic!("{job}: no worker was to be started"),
        }
    }

    #[test]
    fn a_job_whose_worker_cannot_start_is_left_to_the_others_if_it_may_wait() {
        let mut settings = Settings::new(3);
        settings.queue = 1;
        let state = State::new(&settings);
        assert!(fail_to_start(&state, "nobody is there"));
        assert!(matches!(state.admit("first"), Admission::StartWorker("first", _)));
        assert!(!fail_to_start(&state, "waits"));
        assert!(fail_to_start(&state, "no place to wait"));
        assert_eq!((state.workers(), state.in_progress(), state.queued_and_busy()), (1, 2, (1, 1)));
        state.finished();
        assert_eq!(state.next(Duration::MAX), Some("waits"));
    }
}
