//! What the clients of one thread saw: answers, their latencies, and what went wrong.

use std::fmt::Display;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::Phase;
use crate::Outcome;
use crate::stats::real;

/// The longest latency that is told apart, in nanoseconds: a minute.
const LONGEST: u64 = 60_000_000_000;

/// Added up over the threads.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Answers that came while it was measured.
    pub(crate) answers: u64,
    /// Anything that was not the right answer, at any time.
    pub(crate) errors: u64,
    /// The first of them.
    pub(crate) first_error: Option<String>,
    /// Nanoseconds, of the requests that began while it was measured.
    latencies: Histogram<u64>,
}

impl Tally {
    pub(crate) fn new() -> Outcome<Self> {
        let latencies = Histogram::new_with_bounds(1, LONGEST, 3)?;
        Ok(Self { answers: 0, errors: 0, first_error: None, latencies })
    }

    /// A right answer came in this phase; after this time, if its request began while it was measured.
    pub(crate) fn answer(&mut self, phase: Phase, latency: Option<Duration>) {
        if let Some(latency) = latency {
            self.latency(latency);
        }
        if phase == Phase::Measure {
            self.answers += 1;
        }
    }

    fn latency(&mut self, latency: Duration) {
        self.latencies.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(LONGEST));
    }

    pub(crate) fn error(&mut self, what: impl Display) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| what.to_string());
    }

    /// Adds what another thread saw.
    pub(crate) fn add(&mut self, other: &Self) -> Outcome<()> {
        self.answers += other.answers;
        self.errors += other.errors;
        if self.first_error.is_none() {
            self.first_error.clone_from(&other.first_error);
        }
        self.latencies.add(&other.latencies)?;
        Ok(())
    }

    /// The latency that so many percent of the requests did not exceed, in microseconds.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        real(self.latencies.value_at_percentile(percent)) / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_add_up() {
        let (mut one, mut other) = (Tally::new().unwrap(), Tally::new().unwrap());
        for _ in 0..98 {
            one.latency(Duration::from_micros(10));
        }
        one.answers = 98;
        other.latency(Duration::from_micros(50));
        other.latency(Duration::from_micros(90));
        other.answers = 2;
        other.error("gone");
        other.error("gone again");
        one.add(&other).unwrap();
        assert_eq!((one.answers, one.errors), (100, 2));
        assert_eq!(one.first_error.as_deref(), Some("gone"));
        let near = |percent, micros: f64| (one.percentile(percent) - micros).abs() < micros / 100.0;
        assert!(near(50.0, 10.0) && near(99.0, 50.0) && near(100.0, 90.0));
    }

    #[test]
    fn what_takes_too_long_to_tell_is_not_lost() {
        let mut tally = Tally::new().unwrap();
        tally.latency(Duration::from_secs(3600));
        assert!(tally.percentile(100.0) > 59_000_000.0);
    }
}
