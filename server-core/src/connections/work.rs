//! Whether a handler waits for its client or is at work by itself, and how long it has been.

use std::time::{Duration, Instant};

use super::watch::Watch;
use crate::sync::{AtomicU64, Ordering};

/// What the handler of a connection does. Numbers to look at: relaxed order is enough, but for the end of a call.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// When the handler began, in microseconds after the connection's birth and at least 1; 0 before that.
    begun: AtomicU64,
    /// When a receive or send last returned.
    returned: AtomicU64,
    /// Receives and sends in progress.
    calls: AtomicU64,
    /// Since when the handler was at work when it was last told to be stuck.
    told: AtomicU64,
}

impl Watch {
    /// For the transport: a receive or send is in progress as long as what this returns lives. The handler waits for its
    /// client then, and is not [stuck](crate::ServerConfig::stuck_after).
    pub fn call(&self) -> CallGuard<'_> {
        self.work.calls.fetch_add(1, Ordering::Relaxed);
        CallGuard(&self.work)
    }

    /// The handler begins.
    pub(super) fn begin_work(&self) {
        self.work.begun.store(self.micros(Instant::now()).max(1), Ordering::Relaxed);
    }

    /// A receive or send returns.
    pub(super) fn returned(&self, now: Instant) {
        self.work.returned.store(self.micros(now), Ordering::Relaxed);
    }

    /// So long after the connection's birth.
    pub(super) fn micros(&self, now: Instant) -> u64 {
        let after = now.saturating_duration_since(self.born).as_micros();
        u64::try_from(after).unwrap_or(u64::MAX)
    }

    /// How long the handler has neither received nor sent nor waited for that; `None` if it is doing so, is idle, or has
    /// not begun.
    pub(super) fn at_work(&self, idle: bool) -> Option<Duration> {
        self.at_work_since().filter(|_| !idle).map(|since| self.time_since(since))
    }

    /// How long ago that was, which is told as the time after the connection's birth.
    fn time_since(&self, micros: u64) -> Duration {
        self.born.elapsed().saturating_sub(Duration::from_micros(micros))
    }

    pub(super) fn at_work_since(&self) -> Option<u64> {
        let begun = self.work.begun.load(Ordering::Relaxed);
        // Acquire pairs with the release when a call is over: who sees that sees when it returned.
        let waits = self.work.calls.load(Ordering::Acquire) > 0;
        let returned = self.work.returned.load(Ordering::Relaxed);
        (begun > 0 && !waits).then_some(begun.max(returned))
    }

    /// How long the handler has been at work by itself, if that is longer than `after` and has not been told yet.
    pub(super) fn stuck(&self, after: Duration) -> Option<Duration> {
        let since = self.at_work_since().filter(|_| !self.is_idle())?;
        let time = Some(self.time_since(since)).filter(|time| *time >= after)?;
        (self.work.told.swap(since, Ordering::Relaxed) != since).then_some(time)
    }
}

/// Says that a receive or send is in progress, as long as it lives; made by [`Watch::call`].
#[derive(Debug)]
#[must_use = "the call is in progress only as long as this lives"]
pub struct CallGuard<'a>(&'a Work);

impl Drop for CallGuard<'_> {
    fn drop(&mut self) {
        // Release: after the time at which the call returned, or the handler seems to have been at work all the while.
        self.0.calls.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(all(test, feature = "testing", not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_until_something_moves() {
        let watch = Watch::alone();
        let stuck = || watch.stuck(Duration::ZERO).is_some();
        assert!(!stuck(), "it has not begun");
        watch.begin_work();
        assert_eq!((stuck(), stuck()), (true, false));
        let call = watch.call();
        assert!(watch.at_work(false).is_none(), "it waits");
        // Later than before, by the microsecond that counts.
        watch.returned(watch.born + Duration::from_secs(3600));
        drop(call);
        assert_eq!((stuck(), stuck()), (true, false));
        assert!(watch.stuck(Duration::from_secs(60)).is_none());
        let _idle = watch.idle();
        watch.returned(watch.born + Duration::from_secs(7200));
        assert!(!stuck(), "it is idle");
    }
}
