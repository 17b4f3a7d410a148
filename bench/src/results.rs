//! What was measured: samples by workload, subject and round, and the ratios that are the result.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::stats::Spread;
use crate::workload::Workload;

/// What is read.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measure {
    /// Processor time of the server for an answer, in microseconds.
    CpuMicros,
    /// Answers per second.
    PerSecond,
    /// Half of the answers came within so many microseconds.
    MedianMicros,
    /// 99 of 100 answers came within so many microseconds.
    P99Micros,
    /// User memory of the server for each connection.
    BytesEach,
    /// From the order to stop to the end, in microseconds.
    StopMicros,
}

/// One round of one subject.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Sample {
    pub(crate) values: BTreeMap<Measure, f64>,
    /// Anything that was not the right answer; a round that could not be played is one.
    pub(crate) errors: u64,
    pub(crate) first_error: Option<String>,
}

impl Sample {
    /// A round that could not be played.
    pub(crate) fn failed(why: &str) -> Self {
        Self { errors: 1, first_error: Some(why.to_owned()), ..Self::default() }
    }
}

/// The rounds of one subject with one workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cell {
    #[serde(serialize_with = "by_name")]
    pub(crate) workload: Workload,
    pub(crate) subject: String,
    pub(crate) workers: Option<usize>,
    pub(crate) rounds: Vec<Sample>,
}

fn by_name<S: Serializer>(workload: &Workload, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(workload)
}

/// One subject's measure with one workload: one of the two that a ratio is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place<'a> {
    pub(crate) workload: Workload,
    pub(crate) subject: &'a str,
}

/// All of it.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Results {
    pub(crate) cells: Vec<Cell>,
}

impl Results {
    pub(crate) fn cell(&self, place: Place<'_>) -> Option<&Cell> {
        self.cells
            .iter()
            .find(|cell| cell.workload == place.workload && cell.subject == place.subject)
    }

    /// The middle of the rounds.
    pub(crate) fn spread(&self, measure: Measure, place: Place<'_>) -> Option<Spread> {
        self.cell(place)?.spread(measure)
    }

    /// How much of the other the one is: the median of the ratios in each round, in which both stood next to each other,
    /// so that what changes on the machine in the course of time touches both.
    pub(crate) fn ratio(
        &self,
        measure: Measure,
        one: Place<'_>,
        other: Place<'_>,
    ) -> Option<Spread> {
        let (one, other) = (self.cell(one)?, self.cell(other)?);
        let pairs = one.rounds.iter().zip(&other.rounds);
        Spread::of(pairs.filter_map(|(one, other)| {
            Some(one.values.get(&measure)? / other.values.get(&measure)?)
        }))
    }

    /// The workloads, in the order in which they were played.
    pub(crate) fn workloads(&self) -> Vec<Workload> {
        let mut workloads: Vec<Workload> = Vec::new();
        for cell in &self.cells {
            if !workloads.contains(&cell.workload) {
                workloads.push(cell.workload);
            }
        }
        workloads
    }

    /// Errors of all cells.
    pub(crate) fn errors(&self) -> u64 {
        self.cells.iter().map(Cell::errors).sum()
    }
}

impl Cell {
    pub(crate) fn spread(&self, measure: Measure) -> Option<Spread> {
        Spread::of(self.rounds.iter().filter_map(|round| round.values.get(&measure).copied()))
    }

    pub(crate) fn errors(&self) -> u64 {
        self.rounds.iter().map(|round| round.errors).sum()
    }

    pub(crate) fn first_error(&self) -> Option<&str> {
        self.rounds.iter().find_map(|round| round.first_error.as_deref())
    }
}

#[cfg(test)]
pub(crate) mod made_up {
    //! Results for tests.

    use super::*;

    /// Adds a cell whose rounds have these values of a measure.
    pub(crate) fn add(
        results: &mut Results,
        name: &str,
        subject: &str,
        measure: Measure,
        rounds: &[f64],
    ) {
        let workload: Workload = name.parse().unwrap();
        let place = Place { workload, subject };
        if results.cell(place).is_none() {
            let rounds = vec![Sample::default(); rounds.len()];
            let subject = subject.to_owned();
            results.cells.push(Cell { workload, subject, workers: None, rounds });
        }
        let cells = results.cells.iter_mut();
        let mut cell = cells.filter(|cell| cell.workload == workload && cell.subject == subject);
        for (sample, value) in cell.next().unwrap().rounds.iter_mut().zip(rounds) {
            sample.values.insert(measure, *value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_round_by_round() {
        let mut results = Results::default();
        made_up::add(&mut results, "echo-1", "a", Measure::CpuMicros, &[2.0, 20.0, 30.0]);
        made_up::add(&mut results, "echo-1", "b", Measure::CpuMicros, &[1.0, 10.0, 10.0]);
        let place = |subject| Place { workload: Workload::Echo { connections: 1 }, subject };
        let ratio = results.ratio(Measure::CpuMicros, place("a"), place("b")).unwrap();
        assert_eq!((ratio.median, ratio.rounds), (2.0, 3));
        assert!(results.ratio(Measure::PerSecond, place("a"), place("b")).is_none());
        assert!(results.ratio(Measure::CpuMicros, place("a"), place("c")).is_none());
        assert_eq!(results.workloads(), [Workload::Echo { connections: 1 }]);
    }
}
