//! What will happen at which virtual time.

use std::collections::VecDeque;
use std::time::Duration;

/// Events in the order of their times; those of the same time in the order they were entered.
pub(super) struct Timetable<E>(VecDeque<(Duration, E)>);

impl<E> Timetable<E> {
    pub(super) fn enter(&mut self, at: Duration, event: E) {
        let place = self.0.partition_point(|(other, _)| *other <= at);
        self.0.insert(place, (at, event));
    }

    /// When something happens next.
    pub(super) fn next(&self) -> Option<Duration> {
        self.0.front().map(|(at, _)| *at)
    }

    /// What has happened by `now` and was not taken yet.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<E> {
        if self.next()? <= now { self.0.pop_front().map(|(_, event)| event) } else { None }
    }
}

impl<E> Default for Timetable<E> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}
