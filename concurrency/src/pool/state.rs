//! What the serving thread and the workers of a pool share: the queue, and who does what.
//!
//! One mutex guards all of it, so that a request is admitted, a worker retires and the pool closes each at one moment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use socketserver_core::{Dispatched, Rejected, Waker};

use super::settings::{AtClose, Settings};
use super::status::Watch;
use crate::contained::contained;
use crate::handover::{Bell, Call, Came, Handover};

/// The shared part of a pool.
pub(super) struct State<J> {
    max_workers: usize,
    min_workers: usize,
    /// How many requests can be in the queue.
    places: usize,
    /// How many can be in the queue or with a worker.
    capacity: usize,
    numbers: Mutex<Numbers<J>>,
}

struct Numbers<J> {
    /// If not, workers end when the queue is empty.
    open: bool,
    waker: Option<Waker>,
    workers: usize,
    started: u64,
    /// Requests admitted and not finished: in the queue or with a worker.
    admitted: usize,
    refused: u64,
    /// The loop found no room and wants to be told when there is some.
    loop_waits: bool,
    /// The queue, and the workers that wait for it to have something.
    handover: Handover<J>,
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
        Self {
            max_workers: settings.max_workers,
            min_workers: settings.min_workers.min(settings.max_workers),
            places: settings.queue,
            capacity: settings.max_workers.saturating_add(settings.queue),
            numbers: Mutex::new(Numbers {
                open: true,
                waker: None,
                workers: 0,
                started: 0,
                admitted: 0,
                refused: 0,
                loop_waits: false,
                handover: Handover::new(),
            }),
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

    /// How many requests are in the queue.
    pub(super) fn waiting(&self) -> usize {
        self.lock().handover.waiting()
    }

    pub(super) fn admit(&self, job: J) -> Admission<J> {
        let mut numbers = self.lock();
        if numbers.admitted >= self.capacity || !numbers.open {
            return Admission::Full(job);
        }
        numbers.admitted += 1;
        let call = match numbers.handover.offer(job, |job| job) {
            Ok(call) => call,
            Err(job) if numbers.workers < self.max_workers => {
                numbers.workers += 1;
                numbers.started += 1;
                return Admission::StartWorker(job, numbers.started);
            }
            Err(job) => numbers.handover.add(job),
        };
        drop(numbers);
        call.make();
        Admission::Queued
    }

    /// The worker for an admitted job could not be started: the others take it, if there are any and it
    /// may wait for them.
    pub(super) fn start_failed(&self, rejected: Rejected<J>) -> Result<Dispatched, Rejected<J>> {
        let mut numbers = self.lock();
        numbers.workers -= 1;
        if !numbers.open || numbers.workers == 0 || numbers.admitted > numbers.workers + self.places
        {
            numbers.admitted -= 1;
            return Err(rejected);
        }
        let call = numbers.handover.add(rejected.into_parts().0);
        drop(numbers);
        call.make();
        Ok(Dispatched::Started)
    }

    pub(super) fn count_refusal(&self) {
        self.lock().refused += 1;
    }

    /// A worker has finished a job: the next one; `None` when it is to end.
    pub(super) fn next(&self, bell: &Arc<Bell>, idle_timeout: Duration) -> Option<J> {
        let mut numbers = self.lock();
        numbers.admitted -= 1;
        let mut waker = numbers.loop_to_wake();
        let mut looks = Handover::<J>::LOOKS;
        loop {
            let job = numbers.handover.take();
            let is_over = job.is_none() && !numbers.open;
            let looks_again = job.is_none() && looks > 0;
            if is_over {
                numbers.workers -= 1;
            } else if looks_again {
                numbers.handover.look_away();
            } else if job.is_none() {
                numbers.handover.rest(bell);
            }
            drop(numbers);
            // A transport's code, so not under the lock. By now this worker is counted on: a panic must not end it.
            if let Some(waker) = waker.take() {
                contained(|| waker.wake());
            }
            if job.is_some() || is_over {
                return job;
            }
            if looks_again {
                looks -= 1;
                thread::yield_now();
                numbers = self.lock();
                numbers.handover.look_again();
                continue;
            }
            bell.wait(Some(idle_timeout));
            numbers = self.lock();
            let mut came = numbers.handover.come(bell);
            if came == Came::Uncalled && numbers.workers > self.min_workers {
                numbers.handover.leave(bell);
                numbers.workers -= 1;
                return None;
            }
            if came == Came::Uncalled {
                drop(numbers);
                // One of those that stay: it need not look at the time. When there are more again, those
                // retire, so never more than the minimum sleep here.
                bell.wait(None);
                numbers = self.lock();
                came = numbers.handover.come(bell);
            }
            if came == Came::Dismissed {
                numbers.workers -= 1;
                return None;
            }
        }
    }

    /// Nothing is admitted any more. Gives back the jobs that will not be served, and the numbers of workers that had nothing
    /// to do, and end.
    pub(super) fn close(&self, policy: AtClose) -> (Vec<J>, Vec<u64>) {
        let mut numbers = self.lock();
        numbers.open = false;
        let calls = numbers.handover.dismiss();
        let mut left = Vec::new();
        if policy == AtClose::Discard || numbers.workers == 0 {
            left.extend(std::iter::from_fn(|| numbers.handover.take()));
            numbers.admitted -= left.len();
        }
        drop(numbers);
        let ended = calls.iter().filter_map(Call::number).collect();
        calls.into_iter().for_each(Call::make);
        (left, ended)
    }
}

impl<J> Numbers<J> {
    /// The loop, if it waits for there to be room, which there is now.
    fn loop_to_wake(&mut self) -> Option<Waker> {
        if std::mem::take(&mut self.loop_waits) { self.waker.clone() } else { None }
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
        let queued = numbers.handover.waiting();
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
        assert_eq!(state.next(&Bell::new(None), Duration::MAX), Some("waits"));
    }

    #[test]
    fn a_waker_that_panics_costs_no_worker() {
        let mut settings = Settings::new(1);
        (settings.queue, settings.min_workers) = (1, 1);
        let state = Arc::new(State::new(&settings));
        state.set_waker(Waker::new(|| panic!("as it was told to")));
        assert!(matches!(state.admit("first"), Admission::StartWorker("first", _)));
        assert!(matches!(state.admit("second"), Admission::Queued));
        assert!(!state.has_room());
        let bell = Bell::new(None);
        assert_eq!(state.next(&bell, Duration::ZERO), Some("second"));
    }
}
