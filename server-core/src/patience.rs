//! How long a drain may still wait, and how those who wait for it learn that it may not any more.

use std::fmt;
use std::time::{Duration, Instant};

use crate::interrupt::Attending;
use crate::source::Source;
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering, lock};

/// How long [`wait_for_workers`](crate::Concurrency::wait_for_workers) may wait: to a deadline, unless somebody
/// [hurries](crate::ServerHandle::force_drain) the drain before.
///
/// A strategy asks for the time that is [left](Self::left), sleeps no longer than that, and has itself woken with
/// [`wake_with`](Self::wake_with) to ask again. One that waits for a descriptor anyway watches the
/// [source](Self::source) too.
pub struct Patience<'a> {
    deadline: Instant,
    /// Over as soon as somebody has hurried so many times.
    hurry: Option<(&'a Hurry, usize)>,
    attending: Option<Attending<'a>>,
    /// Over as soon as this says so.
    enough: Option<&'a dyn Fn() -> bool>,
}

impl<'a> Patience<'a> {
    /// Patience to a deadline, that nobody can end before: for tests of strategies.
    pub const fn until(deadline: Instant) -> Self {
        Self { deadline, hurry: None, attending: None, enough: None }
    }

    /// The same, but over as soon as somebody has hurried `times` times.
    pub(crate) fn unless_hurried(mut self, hurry: &'a Hurry, times: usize) -> Self {
        self.hurry = Some((hurry, times));
        self
    }

    /// The same, for the serving thread, which attends to interrupts meanwhile.
    pub(crate) fn attending(mut self, attending: Attending<'a>) -> Self {
        self.attending = Some(attending);
        self
    }

    /// The same, but over as soon as `enough` says so, which is asked again after each [`wake`](Hurry::wake).
    pub(crate) fn or_enough(mut self, enough: &'a dyn Fn() -> bool) -> Self {
        self.enough = Some(enough);
        self
    }

    /// How long to wait still; zero when it is over.
    ///
    /// It attends to the [interrupt](crate::Interrupt) of the server, so it must not be called under a lock.
    pub fn left(&self) -> Duration {
        if let Some(attending) = &self.attending {
            attending.attend();
        }
        if self.is_hurried() {
            return Duration::ZERO;
        }
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether somebody has ended it before its time. Cheap, and calls nobody: it can be asked under a lock.
    pub fn is_hurried(&self) -> bool {
        self.hurry.is_some_and(|(hurry, times)| hurry.times() >= times)
            || self.enough.is_some_and(|enough| enough())
    }

    /// When it is over at the latest.
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Becomes readable when [`left`](Self::left) is to be asked again, in programs that attend to something in the serving
    /// thread: an [interrupt](crate::Interrupt). Else there is none.
    pub fn source(&self) -> Option<Source<'_>> {
        self.attending.as_ref().and_then(Attending::source)
    }

    /// Has `wake` called, from another thread, whenever somebody hurries, as long as the guard lives (and perhaps once more,
    /// if that was just about to happen). It may take locks, but not block.
    ///
    /// Ask whether the patience [is over](Self::is_hurried) after this, not only before.
    pub fn wake_with(&self, wake: impl Fn() + Send + Sync + 'static) -> WakeGuard<'a> {
        let registered = self.hurry.map(|(hurry, _)| (hurry, hurry.register(Arc::new(wake))));
        WakeGuard { registered }
    }
}

impl fmt::Debug for Patience<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience")
            .field("deadline", &self.deadline)
            .field("is_hurried", &self.is_hurried())
            .finish_non_exhaustive()
    }
}

/// Keeps what was said to [`Patience::wake_with`].
#[must_use = "nobody is woken when this is gone"]
pub struct WakeGuard<'a> {
    registered: Option<(&'a Hurry, u64)>,
}

impl Drop for WakeGuard<'_> {
    fn drop(&mut self) {
        if let Some((hurry, number)) = self.registered {
            hurry.forget(number);
        }
    }
}

impl fmt::Debug for WakeGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WakeGuard").finish_non_exhaustive()
    }
}

/// How often somebody has lost patience with the drain, and who wants to know.
#[derive(Default)]
pub(crate) struct Hurry {
    times: AtomicUsize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    last: u64,
    wakes: Vec<(u64, Wake)>,
}

type Wake = Arc<dyn Fn() + Send + Sync>;

impl Hurry {
    /// Once more, and all who wait are woken to see it.
    pub(crate) fn hurry(&self) {
        self.times.fetch_add(1, Ordering::Relaxed);
        self.wake();
    }

    /// All who wait look once more whether they still have to.
    pub(crate) fn wake(&self) {
        // Who registers later has the lock later, and sees then why. Who was there before is woken.
        let wakes: Vec<Wake> =
            lock(&self.waiting).wakes.iter().map(|(_, wake)| Arc::clone(wake)).collect();
        // They take locks of their own, so not under this one.
        for wake in wakes {
            wake();
        }
    }

    pub(crate) fn times(&self) -> usize {
        self.times.load(Ordering::Relaxed)
    }

    fn register(&self, wake: Wake) -> u64 {
        let mut waiting = lock(&self.waiting);
        waiting.last += 1;
        let number = waiting.last;
        waiting.wakes.push((number, wake));
        number
    }

    fn forget(&self, number: u64) {
        let forgotten = {
            let mut waiting = lock(&self.waiting);
            let index = waiting.wakes.iter().position(|(other, _)| *other == number);
            index.map(|index| waiting.wakes.swap_remove(index))
        };
        // What it owned is dropped outside the lock.
        drop(forgotten);
    }
}

impl fmt::Debug for Hurry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hurry").field("times", &self.times()).finish_non_exhaustive()
    }
}
