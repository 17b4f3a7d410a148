//! What became of the requests of a server that drains.

use crate::sync::{AtomicBool, AtomicUsize, Ordering};

/// How requests came to their end since a drain began. They are numbers that order nothing else.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counting: AtomicBool,
    finished: AtomicUsize,
    idle_ended: AtomicUsize,
    forced: AtomicUsize,
    /// Those of the idle ones that did not end, and were forced.
    idle_forced: AtomicUsize,
}

/// The numbers of a [`Tally`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ends {
    pub(crate) finished: usize,
    pub(crate) idle_ended: usize,
    pub(crate) forced: usize,
}

impl Tally {
    /// From here on requests that finish are counted. Says whether they were not before.
    pub(crate) fn begin(&self) -> bool {
        !self.counting.swap(true, Ordering::Relaxed)
    }

    /// A request has been served, and nobody had to end it.
    pub(super) fn finished(&self) {
        if self.counting.load(Ordering::Relaxed) {
            self.finished.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A connection was idle when the drain began, and has been ended.
    pub(super) fn idle_ended(&self) {
        self.idle_ended.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection has been forced to end.
    pub(super) fn forced(&self, was_idle: bool) {
        self.forced.fetch_add(1, Ordering::Relaxed);
        self.idle_forced.fetch_add(was_idle.into(), Ordering::Relaxed);
    }

    /// What has come so far.
    pub(crate) fn look(&self) -> Ends {
        let look = |number: &AtomicUsize| number.load(Ordering::Relaxed);
        Ends {
            finished: look(&self.finished),
            forced: look(&self.forced),
            idle_ended: look(&self.idle_ended).saturating_sub(look(&self.idle_forced)),
        }
    }

    /// What has come since this was last asked. It is over then.
    pub(crate) fn take(&self) -> Ends {
        self.counting.store(false, Ordering::Relaxed);
        let take = |number: &AtomicUsize| number.swap(0, Ordering::Relaxed);
        Ends {
            finished: take(&self.finished),
            forced: take(&self.forced),
            idle_ended: take(&self.idle_ended).saturating_sub(take(&self.idle_forced)),
        }
    }
}
