//! The goals: what has to be how much of what. `table.rs` lists them.

mod table;

use std::fmt;

use serde::Serialize;

use crate::results::{Cell, Measure, Place, Results};
use crate::workload::Workload;

pub(crate) use table::evaluate;

/// How a value has to lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// What is held against what: the ratio of two places, or a value by itself.
#[derive(Clone, Debug)]
struct Goal {
    measure: Measure,
    ours: (Workload, &'static str),
    peer: Option<(Workload, &'static str)>,
    limit: Limit,
}

/// A goal, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) limit: Limit,
    /// Answers that were wrong or did not come, of both: what was measured may be no answer at all.
    pub(crate) errors: u64,
    /// `None` if one of the subjects was not there, or had errors only.
    pub(crate) value: Option<f64>,
    /// The quartiles of the rounds: a value whose limit lies between them is a matter of luck.
    pub(crate) quartiles: Option<(f64, f64)>,
}

impl Limit {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }
}

impl Goal {
    fn judge(&self, results: &Results) -> Verdict {
        let place = |(workload, subject)| Place { workload, subject };
        let value = match self.peer {
            Some(peer) => results.ratio(self.measure, place(self.ours), place(peer)),
            None => results.spread(self.measure, place(self.ours)),
        };
        let errors = |at| results.cell(place(at)).map_or(0, Cell::errors);
        Verdict {
            errors: errors(self.ours) + self.peer.map_or(0, errors),
            what: self.to_string(),
            limit: self.limit,
            value: value.map(|value| value.median),
            quartiles: value.map(|value| (value.lower, value.upper)),
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let measure = match self.measure {
            Measure::CpuMicros => "server CPU per request",
            Measure::PerSecond => "throughput",
            Measure::MedianMicros => "median latency",
            Measure::P99Micros => "99th percentile",
            Measure::BytesEach => "bytes per connection",
            Measure::StopMicros => "time to stop",
        };
        let (workload, ours) = self.ours;
        write!(f, "{workload}: {measure} of {ours}")?;
        match self.peer {
            Some((beside, peer)) if beside != workload => write!(f, " / {peer} in {beside}"),
            Some((_, peer)) => write!(f, " / {peer}"),
            None => Ok(()),
        }
    }
}

impl Verdict {
    /// Whether another run may well come to the other verdict.
    pub(crate) fn is_open(&self) -> bool {
        let (Limit::AtMost(limit) | Limit::AtLeast(limit)) = self.limit;
        self.quartiles.is_some_and(|(lower, upper)| lower <= limit && limit <= upper)
    }

    /// Also when it could not be measured, or not without errors.
    pub(crate) fn is_missed(&self) -> bool {
        self.errors > 0 || !self.value.is_some_and(|value| self.limit.is_met_by(value))
    }

    /// What is wanted, what there is, and by how much it misses.
    pub(crate) fn words(&self) -> [String; 3] {
        let (wanted, limit) = match self.limit {
            Limit::AtMost(limit) => (format!("≤ {}", short(limit)), limit),
            Limit::AtLeast(limit) => (format!("≥ {}", short(limit)), limit),
        };
        let Some(value) = self.value else {
            return [wanted, "–".to_owned(), "NOT MEASURED".to_owned()];
        };
        let verdict = if self.errors > 0 {
            format!("MISSED: {} errors", self.errors)
        } else if self.is_missed() {
            format!("MISSED by {:.0} %", (value / limit - 1.0).abs() * 100.0)
        } else {
            "met".to_owned()
        };
        let value = match self.quartiles {
            Some((lower, upper)) => {
                format!("{} ({}–{})", short(value), short(lower), short(upper))
            }
            None => short(value),
        };
        let verdict = if self.is_open() { format!("{verdict}, open") } else { verdict };
        [wanted, value, verdict]
    }
}

/// Two digits after the point, unless it is large.
fn short(number: f64) -> String {
    if number.abs() >= 100.0 { format!("{number:.0}") } else { format!("{number:.2}") }
}
