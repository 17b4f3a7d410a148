//! How long a worker that ended is not replaced.

use std::time::Duration;

/// How long to wait before a worker is started again.
#[derive(Debug)]
pub(super) struct Pause {
    next: Duration,
}

impl Pause {
    pub(super) const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(10);

    pub(super) const fn new() -> Self {
        Self { next: Self::FIRST }
    }

    /// The pause after a worker that lived for `life`: longer each time, unless it had a long life.
    pub(super) fn after(&mut self, life: Duration) -> Duration {
        if life >= Self::LONGEST {
            self.next = Self::FIRST;
        }
        let pause = self.next;
        self.next = (pause * 2).min(Self::LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_that_die_young_are_started_ever_later() {
        let mut pause = Pause::new();
        let pauses: Vec<_> =
            (0..10).map(|_| pause.after(Duration::from_secs(1)).as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000]);
        assert_eq!(pause.after(Duration::from_secs(60)), Pause::FIRST);
    }
}
