//! The arithmetic of deadlines for connections most of which have none: it takes room only where some are set.

use std::time::{Duration, Instant};

use super::timing::{Direction, Timing};
use crate::deadlines::{Deadline, Deadlines};

/// A [`Timing`], once there are deadlines; before that what it will have to know.
#[derive(Debug)]
pub(super) struct LazyTiming {
    born: Instant,
    /// Something has been received.
    heard: bool,
    /// It has been idle after that.
    rested: bool,
    timing: Option<Box<Timing>>,
}

impl LazyTiming {
    pub(super) fn new(deadlines: Deadlines, born: Instant) -> Self {
        let timing = (!deadlines.is_empty()).then(|| Box::new(Timing::new(deadlines, born)));
        Self { born, heard: false, rested: false, timing }
    }

    pub(super) fn deadlines(&self) -> Deadlines {
        self.timing.as_ref().map_or_else(Deadlines::default, |timing| timing.deadlines)
    }

    /// Other deadlines hold from here on, for what was counted before too. `active` is when something last moved.
    pub(super) fn set(&mut self, deadlines: Deadlines, active: Instant) {
        if deadlines.is_empty() && self.timing.is_none() {
            return;
        }
        let Self { born, heard, rested, timing } = self;
        let timing = timing.get_or_insert_with(|| {
            let mut timing = Box::new(Timing::new(Deadlines::default(), *born));
            if *heard {
                timing.hear();
            }
            if *rested {
                timing.idle();
            }
            timing
        });
        timing.set(deadlines, active);
    }

    /// Somebody begins to serve the connection.
    pub(super) fn begin(&mut self, now: Instant) {
        self.with(|timing| timing.begin(now));
    }

    /// Notes that something was received, when no deadlines are set.
    pub(super) fn hear(&mut self) {
        self.heard = true;
        self.with(Timing::hear);
    }

    /// So many bytes came.
    pub(super) fn received(&mut self, bytes: usize, idle: bool, now: Instant) {
        self.with(|timing| timing.received(bytes, idle, now));
    }

    /// So many bytes went.
    pub(super) fn sent(&mut self, bytes: usize, idle: bool, now: Instant) {
        self.with(|timing| timing.sent(bytes, idle, now));
    }

    /// The handler has become idle: what comes now is something new.
    pub(super) fn idle(&mut self) {
        self.rested = self.heard;
        self.with(Timing::idle);
    }

    /// A call begins to block.
    pub(super) fn block(&mut self, direction: Direction, idle: bool, now: Instant) {
        self.with(|timing| timing.block(direction, idle, now));
    }

    /// It does no longer.
    pub(super) fn unblock(&mut self, direction: Direction, idle: bool, now: Instant) {
        self.with(|timing| timing.unblock(direction, idle, now));
    }

    /// What a call that would block has left, `None` for as long as it likes; or the deadline that is over.
    pub(super) fn left(
        &mut self,
        direction: Direction,
        idle: bool,
        now: Instant,
    ) -> Result<Option<Duration>, Deadline> {
        match &mut self.timing {
            Some(timing) => timing.left(direction, idle, now),
            None => Ok(None),
        }
    }

    /// The one deadline that also holds for calls that would not block.
    pub(super) fn is_too_old(&self, now: Instant) -> bool {
        self.timing.as_ref().is_some_and(|timing| timing.is_too_old(now))
    }

    /// Without deadlines there is nothing to count, and no call of which only the end would be seen: those that keep deadlines
    /// begin when there are some.
    fn with(&mut self, note: impl FnOnce(&mut Timing)) {
        if let Some(timing) = &mut self.timing {
            note(timing);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn deadlines_that_are_set_later_know_what_was_before() {
        let born = Instant::now();
        let second = Duration::from_secs(1);
        let mut timing = LazyTiming::new(Deadlines::default(), born);
        assert!(
            timing.timing.is_none() && timing.left(Direction::Receive, false, born) == Ok(None)
        );
        timing.hear();
        timing.set(Deadlines::default(), born);
        assert!(timing.timing.is_none(), "none takes no room");
        timing.set(Deadlines::new().first_byte(second).whole(second * 3), born);
        // The first byte is there already; the whole has been going on since its birth.
        let left = timing.left(Direction::Receive, false, born + second);
        assert_eq!(left, Ok(Some(second * 2)));
    }
}
