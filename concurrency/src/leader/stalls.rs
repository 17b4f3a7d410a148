//! How often handlers stall: what follows from that for how many threads lead, and how closely they are looked after.

use std::time::{Duration, Instant};

/// The stalls of a short time.
#[derive(Debug)]
pub(super) struct Stalls {
    /// How many threads lead if there are none.
    least: usize,
    /// How many there were in the time before this one, and in this one so far.
    before: u32,
    now: u32,
    since: Option<Instant>,
}

impl Stalls {
    /// The time.
    const WINDOW: Duration = Duration::from_millis(20);

    /// How often to look while there is one in the time.
    const ALERT: Duration = Duration::from_micros(450);

    /// One more thread leads for so many stalls in the time: with one that leads each costs all connections the time until it
    /// is found. With more of them that costs less, but each request costs more, for they get in each other's way.
    const ANOTHER: u32 = 2;

    /// So many more lead at most.
    const MOST: u32 = 3;

    pub(super) const fn new(least: usize) -> Self {
        Self { least, before: 0, now: 0, since: None }
    }

    /// There was one.
    pub(super) fn found(&mut self, now: Instant) {
        self.look(now);
        self.now += 1;
    }

    /// Time passes.
    pub(super) fn look(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since);
        if passed >= Self::WINDOW {
            self.before = if passed < Self::WINDOW * 2 { self.now } else { 0 };
            (self.now, self.since) = (0, Some(now));
        }
    }

    /// How many threads should lead.
    pub(super) fn leaders(&self) -> usize {
        let stalls = self.before.max(self.now);
        self.least + (stalls / Self::ANOTHER).min(Self::MOST) as usize
    }

    /// How often to look after those that lead.
    ///
    /// A look has a price, and so has a stall that is found late. With `n` stalls in a time the two together are least if it
    /// is looked for `√n` times as often.
    pub(super) fn tick(&self, patience: Duration) -> Duration {
        match self.before.max(self.now) {
            0 => patience,
            stalls => Self::ALERT.div_f64(f64::from(stalls).sqrt()).min(patience),
        }
    }

    /// Whether there was none in this time, and in that before.
    pub(super) fn are_rare(&self) -> bool {
        self.before == 0 && self.now == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_stalls_the_more_lead_and_none_for_longer_than_that() {
        let mut stalls = Stalls::new(1);
        let start = Instant::now();
        let patience = Duration::from_millis(1);
        assert!(stalls.leaders() == 1 && stalls.are_rare() && stalls.tick(patience) == patience);
        stalls.found(start);
        assert!(stalls.leaders() == 1 && stalls.tick(patience) < patience);
        (0..Stalls::ANOTHER).for_each(|_| stalls.found(start));
        assert_eq!(stalls.leaders(), 2);
        (0..100).for_each(|_| stalls.found(start + Stalls::WINDOW / 2));
        assert_eq!(stalls.leaders(), 4);
        stalls.look(start + Stalls::WINDOW);
        assert_eq!(stalls.leaders(), 4, "they were a moment ago");
        stalls.look(start + Stalls::WINDOW * 2);
        assert!(stalls.leaders() == 1 && stalls.are_rare());
        stalls.found(start + Stalls::WINDOW * 2);
        stalls.look(start + Stalls::WINDOW * 9);
        assert!(stalls.are_rare(), "nobody has looked for long");
    }
}
