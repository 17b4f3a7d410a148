//! Threads that somebody will want to wait for: started, counted and joined at constant cost each.
//!
//! A thread that ends joins the one that ended before it. So each is joined, at most one that has
//! ended is not joined yet, nobody who starts a thread ever waits, and nothing is searched.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use socketserver_core::Patience;

/// A set of threads; dropping it does not wait for them.
#[derive(Debug, Default)]
pub(crate) struct JoinSet(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    threads: Mutex<Threads>,
    /// Signalled when the last live thread has ended.
    empty: Condvar,
}

#[derive(Debug, Default)]
struct Threads {
    next: u64,
    /// The threads that run; `None` until whoever starts one has its handle.
    live: HashMap<u64, Option<JoinHandle<()>>>,
    /// Threads whose work is done, not joined yet. Seldom more than one.
    ended: Vec<JoinHandle<()>>,
}

impl JoinSet {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Starts a thread that runs `work`, which must not unwind, with the number that it can be [let go](Self::let_go) by. A
    /// daemon is not of the set, and has none.
    pub(crate) fn spawn(
        &self,
        is_daemon: bool,
        builder: thread::Builder,
        work: impl FnOnce(Option<u64>) + Send + 'static,
    ) -> io::Result<()> {
        if is_daemon {
            builder.spawn(|| work(None)).map(drop)
        } else {
            self.spawn_member(builder, |number| work(Some(number)))
        }
    }

    fn spawn_member(
        &self,
        builder: thread::Builder,
        work: impl FnOnce(u64) + Send + 'static,
    ) -> io::Result<()> {
        let number = {
            let mut threads = self.0.lock();
            threads.next += 1;
            let number = threads.next;
            threads.live.insert(number, None);
            number
        };
        let member = Member { set: Arc::clone(&self.0), number };
        let spawned = builder.spawn(move || {
            work(number);
            // Dropped here and, should `work` unwind after all, by that too.
            drop(member);
        });
        // A thread that could not be started has dropped its member, and with it its entry.
        let handle = spawned?;
        let mut threads = self.0.lock();
        match threads.live.get_mut(&number) {
            Some(entry) => *entry = Some(handle),
            // It ended before this side got here.
            None => threads.ended.push(handle),
        }
        Ok(())
    }

    /// How many threads run.
    pub(crate) fn live(&self) -> usize {
        self.0.lock().live.len()
    }

    /// Lets threads go that have been told to end and have nothing more to do: they do not count any more. They are joined
    /// here.
    pub(crate) fn let_go(&self, numbers: impl Iterator<Item = u64>) {
        let handles: Vec<_> = {
            let mut threads = self.0.lock();
            numbers.filter_map(|number| threads.live.remove(&number).flatten()).collect()
        };
        join(handles);
        self.0.tell_if_empty();
    }

    /// Waits until all threads have ended. Does not wait in a thread of this set, which would wait for
    /// itself.
    pub(crate) fn join_all(&self) {
        let mut threads = self.0.lock();
        if threads.has_current() {
            return;
        }
        while !threads.live.is_empty() {
            threads = self.0.empty.wait(threads).unwrap_or_else(PoisonError::into_inner);
        }
        let ended = std::mem::take(&mut threads.ended);
        drop(threads);
        join(ended);
    }
}

impl JoinSet {
    /// Waits until all threads have ended, but no longer than there is patience; says how many have not. In one of the
    /// threads it does not wait.
    pub(crate) fn wait_for(&self, patience: &Patience<'_>) -> usize {
        let shared = Arc::clone(&self.0);
        let _woken = patience.wake_with(move || {
            // Who looks and finds nothing does not let go of the lock before it sleeps.
            drop(shared.lock());
            shared.empty.notify_all();
        });
        let mut threads = self.0.lock();
        if !threads.has_current() {
            while !threads.live.is_empty() {
                let left = patience.deadline().saturating_duration_since(Instant::now());
                if left.is_zero() || patience.is_hurried() {
                    return threads.live.len();
                }
                let woken = self.0.empty.wait_timeout(threads, left);
                threads = woken.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        let left = threads.live.len();
        let ended = std::mem::take(&mut threads.ended);
        drop(threads);
        join(ended);
        left
    }
}

impl Shared {
    fn tell_if_empty(&self) {
        if self.lock().live.is_empty() {
            self.empty.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Threads> {
        // Nothing panics under this lock.
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Threads {
    /// Whether the calling thread is one of those that run. A search, but only at the end.
    fn has_current(&self) -> bool {
        let current = thread::current().id();
        self.live.values().flatten().any(|handle| handle.thread().id() == current)
    }
}

/// A thread's membership: ends with the thread's work.
struct Member {
    set: Arc<Shared>,
    number: u64,
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut threads = self.set.lock();
        let Some(own) = threads.live.remove(&self.number) else {
            // Whoever let it go joins it.
            return;
        };
        let before = std::mem::replace(&mut threads.ended, own.into_iter().collect());
        drop(threads);
        join(before);
        // Only now: whoever waits for all then has just this thread left to join.
        self.set.tell_if_empty();
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        // Its panic, if any, has been printed by the panic hook.
        let _ = thread.join();
    }
}
