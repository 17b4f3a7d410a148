//! How long the loop rests after it ran out of descriptors, memory, threads or processes: growing, so that nothing
//! spins.

use std::time::{Duration, Instant};

/// The pause before the next attempt; doubles with each failure in a row.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    /// What attempts have shown to be missing, and when the first in a row did; `None` if the last one showed nothing.
    since: Option<(Lack, Instant)>,
}

/// What something is missing for. What is enough to run a request is enough to accept one, so that is more.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Lack {
    /// To accept a request.
    ToAccept,
    /// To run one that was accepted.
    ToRun,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(5);
    const LONGEST: Duration = Duration::from_secs(1);

    pub(crate) const fn new() -> Self {
        Self { next: Self::FIRST, since: None }
    }

    /// An attempt failed; says whether it is the first in a row.
    pub(crate) fn begin(&mut self, what: Lack, now: Instant) -> bool {
        let before = self.since;
        let (missing, since) = before.unwrap_or((what, now));
        self.since = Some((missing.max(what), since));
        before.is_none()
    }

    /// How long to pause now.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(Self::LONGEST);
        pause
    }

    /// The next pause is as short as the first.
    pub(crate) fn shorten(&mut self) {
        self.next = Self::FIRST;
    }

    /// An attempt did not fail: if it shows that nothing is missing any more the next pause is short again. Says when the
    /// failures before it began, if there were any.
    pub(crate) fn end(&mut self, what: Lack) -> Option<Instant> {
        let (_, since) = self.since.take_if(|(missing, _)| *missing <= what)?;
        self.next = Self::FIRST;
        Some(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_a_second_and_starts_again() {
        let mut backoff = Backoff::new();
        backoff.begin(Lack::ToAccept, Instant::now());
        let pauses: Vec<_> = (0..10).map(|_| backoff.pause().as_millis()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        backoff.end(Lack::ToAccept);
        assert_eq!(backoff.pause(), Backoff::FIRST);
    }

    #[test]
    fn begins_and_ends_once() {
        let mut backoff = Backoff::new();
        let start = Instant::now();
        let later = start + Backoff::LONGEST;
        assert!(backoff.begin(Lack::ToAccept, start) && !backoff.begin(Lack::ToAccept, later));
        let ends = (backoff.end(Lack::ToAccept), backoff.end(Lack::ToAccept));
        assert_eq!(ends, (Some(start), None));
        assert!(backoff.begin(Lack::ToAccept, start));
    }

    #[test]
    fn that_a_request_is_accepted_does_not_show_that_it_can_be_run() {
        let mut backoff = Backoff::new();
        let start = Instant::now();
        backoff.begin(Lack::ToRun, start);
        backoff.pause();
        assert_eq!(backoff.end(Lack::ToAccept), None);
        assert!(!backoff.begin(Lack::ToRun, start) && backoff.pause() > Backoff::FIRST);
        assert_eq!(backoff.end(Lack::ToRun), Some(start));
    }
}
