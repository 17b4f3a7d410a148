//! What the serving thread does with a pool that parks: it takes jobs in, and closes the pool.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use socketserver_core::{AfterBatch, Job, Pollable, Rejected, Turn};

use super::crew::Crew;
use super::poller::Poller;
use super::settings::Settings;
use super::slots::{Key, Place};
use super::worker::Worker;
use crate::give_way::give_way;
use crate::join_set::JoinSet;
use crate::pool::{Watch, WhenFull};
use crate::thread_name;

/// How long to leave it at the threads there are when another could not be started.
const SHORT: Duration = Duration::from_secs(1);

/// The pool, as its threads and the serving thread share it.
pub(super) struct Shared<J> {
    crew: Mutex<Crew<J>>,
    /// Made by the process that serves, when the first job comes.
    pub(super) poller: OnceLock<Poller>,
    pub(super) settings: Settings,
    pub(super) threads: JoinSet,
    /// How many turns of those that lead have begun and ended. It changes under the lock, and can be read without.
    progress: AtomicU64,
}

/// What became of a job.
pub(super) enum TakenIn<J> {
    /// It will be served.
    Yes,
    /// There is no room, or the pool is closed.
    Full(J),
}

impl<J> Shared<J> {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            crew: Mutex::new(Crew::new(settings.leaders)),
            poller: OnceLock::new(),
            settings,
            threads: JoinSet::new(),
            progress: AtomicU64::new(0),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Crew<J>> {
        // No user code runs under this lock.
        self.crew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far those that lead have come: not how far they are, but whether they get on.
    pub(super) fn progress(&self) -> u64 {
        // Whoever needs to know more takes the lock, which gives the order.
        self.progress.load(Ordering::Relaxed)
    }

    /// A turn of one that leads begins or ends, which the crew knows.
    pub(super) fn gets_on(&self, _: &mut Crew<J>) {
        self.progress.store(self.progress() + 1, Ordering::Relaxed);
    }

    /// Whether somebody leads, and there is something to do.
    pub(super) fn is_led(&self) -> bool {
        let crew = self.lock();
        !crew.roster.leaders.is_empty() && !crew.is_over()
    }

    pub(super) fn wake_poller(&self) {
        if let Some(poller) = self.poller.get() {
            poller.wake();
        }
    }

    /// Nothing is taken in any more, and threads end when the last job has left.
    pub(super) fn close(&self) {
        let everybody = {
            let mut crew = self.lock();
            crew.closed = true;
            crew.roster.everybody()
        };
        self.wake_poller();
        for thread in everybody {
            thread.unpark();
        }
    }

    fn poller(&self) -> io::Result<&Poller> {
        if self.poller.get().is_none() {
            // Only the serving thread does this.
            let _ = self.poller.set(Poller::new()?);
        }
        self.poller.get().ok_or_else(|| io::ErrorKind::Other.into())
    }

    /// A job rests; `pollable` is what is watched of it from now on, if it was not before. Says whether who leads has to be
    /// told.
    pub(super) fn park(
        &self,
        crew: &mut Crew<J>,
        key: Key,
        job: Box<J>,
        due: Option<Instant>,
        pollable: Option<Arc<dyn Pollable>>,
    ) -> bool {
        if let (Some(pollable), Some(entry)) = (pollable, crew.slots.get(key)) {
            entry.watched = Some(pollable);
        }
        let tell = crew.park(key, job, due);
        if let Some(poller) = self.poller.get() {
            poller.rearm(key.raw());
        }
        tell
    }

    /// Has the poller watch it. Says whether it does.
    pub(super) fn watch(&self, pollable: &Arc<dyn Pollable>, key: Key) -> bool {
        self.poller.get().is_some_and(|poller| poller.add(pollable, key.raw()).is_ok())
    }
}

impl<J: Job + Send + 'static> Shared<J> {
    /// Takes a job in, if there is room.
    pub(super) fn take_in(self: &Arc<Self>, job: J) -> Result<TakenIn<J>, Rejected<J>> {
        let key = {
            let mut crew = self.lock();
            // Who may wait for room has been promised some, though threads may have taken something up meanwhile.
            let waits = self.settings.when_full == WhenFull::Wait;
            if crew.closed || !(waits || crew.has_room(&self.settings)) {
                return Ok(TakenIn::Full(job));
            }
            if let Err(error) = self.poller() {
                return Err(Rejected::new(job, error));
            }
            if crew.roster.threads == 0
                && let Err(error) = self.start(&mut crew)
            {
                return Err(Rejected::new(job, error));
            }
            let in_vain = crew.is_saturated(&self.settings);
            crew.came_in_vain += usize::from(in_vain);
            let key = crew.slots.add();
            if let Some(entry) = crew.slots.get(key) {
                entry.in_vain = in_vain;
            }
            key
        };
        let job = Box::new(job);
        let turn =
            if self.settings.await_first_byte { job.await_client() } else { Turn::Ready(job) };
        let tell = match turn {
            Turn::Resting(job, due) => {
                let Some(pollable) = job.waits_for().filter(|it| self.watch(it, key)) else {
                    // It is served without having been waited for.
                    return Ok(self.begin(key, job));
                };
                self.park(&mut self.lock(), key, job, due, Some(pollable))
            }
            Turn::Ready(job) => return Ok(self.begin(key, job)),
            _ => {
                self.lock().slots.remove(key);
                false
            }
        };
        if tell {
            self.wake_poller();
        }
        Ok(TakenIn::Yes)
    }

    /// The job has its first turn as soon as possible.
    fn begin(&self, key: Key, job: Box<J>) -> TakenIn<J> {
        let tell = {
            let mut crew = self.lock();
            crew.enqueue(key, job) && crew.put_off(self.settings.patience)
        };
        if tell {
            self.wake_poller();
        }
        TakenIn::Yes
    }

    /// The serving thread has handed over what there was.
    pub(super) fn batch_ends(&self) -> AfterBatch {
        let (tell, busy) = self.lock().batch_ends();
        if tell {
            self.wake_poller();
        }
        if !busy {
            return AfterBatch::Wait;
        }
        let mut crew = self.give_way(|crew| crew.ready.is_empty());
        // Those that are not through will be, or somebody finds that they are stalled.
        let through = crew.ready.is_empty() || !crew.roster.is_looked_after();
        if crew.pace.has_given_way(through) { AfterBatch::Later } else { AfterBatch::Again }
    }

    /// Lets other threads run first, until they have done what is waited for, but not for long.
    pub(super) fn give_way(&self, is_done: impl Fn(&Crew<J>) -> bool) -> MutexGuard<'_, Crew<J>> {
        give_way(|| self.lock(), |crew| is_done(crew))
    }

    /// One more thread, if there may be one more and none is on its way.
    pub(super) fn start_another(self: &Arc<Self>, crew: &mut Crew<J>) {
        let may = crew.roster.coming == 0
            && crew.roster.threads < self.settings.max_threads
            && crew.short_until.is_none_or(|until| until <= Instant::now());
        if may && self.start(crew).is_err() {
            // The others have to do.
            crew.short_until = Instant::now().checked_add(SHORT);
        }
    }

    fn start(self: &Arc<Self>, crew: &mut Crew<J>) -> io::Result<()> {
        let Settings { name, stack_size, daemon_threads, .. } = &self.settings;
        let builder = thread_name::builder(name, crew.roster.started + 1, *stack_size);
        let shared = Arc::clone(self);
        self.threads.spawn(*daemon_threads, builder, move |_| Worker::work(&shared))?;
        crew.roster.threads += 1;
        crew.roster.coming += 1;
        crew.roster.started += 1;
        Ok(())
    }
}

impl<J: Send> Watch for Shared<J> {
    fn workers(&self) -> usize {
        self.lock().roster.threads
    }

    fn in_progress(&self) -> usize {
        self.lock().slots.len()
    }

    fn queued_and_busy(&self) -> (usize, usize) {
        let crew = self.lock();
        (crew.ready.len(), crew.slots.count(|place| matches!(place, Place::Out)))
    }

    fn refused(&self) -> u64 {
        self.lock().refused
    }
}
