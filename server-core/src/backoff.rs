//! How long the loop pauses after it ran out of descriptors or memory: growing, so that nothing spins.

use std::time::{Duration, Instant};

/// The pause before the next attempt; doubles with each failure in a row.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    /// When the first of these failures was, if the last attempt failed.
    since: Option<Instant>,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(5);
    const LONGEST: Duration = Duration::from_secs(1);

    pub(crate) const fn new() -> Self {
        Self { next: Self::FIRST, since: None }
    }

    /// An attempt failed; says whether it is the first in a row.
    pub(crate) fn begins(&mut self, now: Instant) -> bool {
        let first = self.since.is_none();
        self.since.get_or_insert(now);
        first
    }

    /// How long to pause now.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(Self::LONGEST);
        pause
    }

    /// Something was accepted: the next pause is short again. Says when the failures before it began, if there were any.
    pub(crate) fn end(&mut self) -> Option<Instant> {
        self.next = Self::FIRST;
        self.since.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begins_and_ends_once() {
        let mut backoff = Backoff::new();
        let start = Instant::now();
        assert!(backoff.begins(start) && !backoff.begins(start + Backoff::LONGEST));
        assert_eq!((backoff.end(), backoff.end()), (Some(start), None));
        assert!(backoff.begins(start));
    }

    #[test]
    fn grows_to_a_second_and_starts_again() {
        let mut backoff = Backoff::new();
        let pauses: Vec<_> = (0..10).map(|_| backoff.pause().as_millis()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        backoff.end();
        assert_eq!(backoff.pause(), Backoff::FIRST);
    }
}
