//! One scenario that both have played, as a case of a layer: compared, and its grammar checked.

use std::time::Duration;

use crate::compare::{Difference, Verdict, compare, show};
use crate::divergence::Rules;
use crate::grammar;
use crate::results::{Case, Layer};
use crate::scenario::Scenario;
use crate::subject::Played;

/// What CPython, live or recorded, and this project showed in a scenario.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Both<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) theirs: &'a Played,
    pub(crate) ours: &'a Played,
}

impl Both<'_> {
    /// The case, judged.
    pub(crate) fn case(
        &self,
        layer: Layer,
        name: &str,
        oracle: String,
        rules: &Rules,
        time: Duration,
    ) -> Case {
        Case {
            layer,
            name: name.to_owned(),
            strategy: Some(self.scenario.strategy),
            transport: Some(self.scenario.transport),
            oracle: Some(oracle),
            verdict: self.judge(rules),
            cpython: self.theirs.trace().map(show),
            here: self.ours.trace().map(show),
            scenario: Some(self.scenario.clone()),
            time,
        }
    }

    /// Compares, and checks the grammar, which needs no oracle.
    fn judge(&self, rules: &Rules) -> Verdict {
        let Self { scenario, theirs, ours } = *self;
        let verdict = compare(rules, scenario, theirs, ours);
        let (Played::Trace(trace), false) = (ours, matches!(verdict, Verdict::New(_))) else {
            return verdict;
        };
        match grammar::check(scenario, trace) {
            Ok(()) => verdict,
            Err(rule) => Verdict::New(Difference {
                cpython: theirs.trace().map(show).unwrap_or_default(),
                here: show(trace),
                expected: format!("a trace that obeys the grammar: {rule}"),
            }),
        }
    }
}
