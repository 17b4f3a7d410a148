//! Holds what both subjects showed against one another.

use serde::Serialize;

use crate::divergence::{Place, Rules};
use crate::scenario::Scenario;
use crate::subject::Played;
use crate::trace::Trace;

/// What a comparison found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The same.
    Same,
    /// The same but for these listed differences.
    Listed(Vec<String>),
    /// A difference that is not listed.
    New(Difference),
    /// One of the two cannot play this: nothing was compared.
    Unsupported(String),
}

/// Two traces that should be equal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Difference {
    /// What CPython showed.
    pub cpython: String,
    /// What was shown here.
    pub here: String,
    /// What should have been: CPython's, with the listed differences.
    pub expected: String,
}

/// Compares what the oracle showed with what was shown here.
pub fn compare(rules: &Rules, scenario: &Scenario, cpython: &Played, here: &Played) -> Verdict {
    let (theirs, ours) = match (cpython, here) {
        (theirs, Played::Hung(ours)) => {
            return Verdict::New(Difference {
                cpython: theirs.trace().map(show).unwrap_or_default(),
                here: format!("hangs after\n{}", show(ours)),
                expected: "a scenario that ends: nothing here may hang".to_owned(),
            });
        }
        (theirs, Played::Failed { why, trace }) => {
            return Verdict::New(Difference {
                cpython: theirs.trace().map(show).unwrap_or_default(),
                here: format!("fails after\n{}", show(trace)),
                expected: format!("a scenario that is played to its end: {why}"),
            });
        }
        (Played::Unsupported(why), _) => return Verdict::Unsupported(format!("CPython: {why}")),
        (_, Played::Unsupported(why)) => return Verdict::Unsupported(why.clone()),
        (Played::Trace(theirs), Played::Trace(ours)) => (theirs, ours),
        (Played::Hung(theirs), Played::Trace(ours)) => {
            return match rules.hangs(scenario) {
                Some(id) => Verdict::Listed(vec![id.to_owned()]),
                None => Verdict::New(Difference {
                    cpython: format!("hangs after\n{}", show(theirs)),
                    here: show(ours),
                    expected: "a scenario that ends, or a listed hang".to_owned(),
                }),
            };
        }
        (Played::Failed { why, trace }, Played::Trace(ours)) => {
            return Verdict::New(Difference {
                cpython: format!("fails after\n{}", show(trace)),
                here: show(ours),
                expected: format!("a scenario that CPython plays to its end: {why}"),
            });
        }
    };
    let expected = rules.expect(scenario, theirs, ours);
    let (left, right) = (without(&expected.trace, &expected.luck), without(ours, &expected.luck));
    if left != right {
        return Verdict::New(Difference {
            cpython: show(theirs),
            here: show(ours),
            expected: show(&left),
        });
    }
    if expected.hit.is_empty() { Verdict::Same } else { Verdict::Listed(expected.hit) }
}

/// The trace without the parts that say nothing.
pub fn without(trace: &Trace, places: &[Place]) -> Trace {
    let mut trace = trace.clone();
    for place in places {
        match place {
            Place::Main => trace.main.0.clear(),
            Place::Workers => trace.workers.clear(),
            Place::Close => trace.close.0.clear(),
            Place::Clients => trace.clients.clear(),
            Place::Outcomes => trace.outcomes.clear(),
        }
    }
    trace
}

/// A trace for people to read.
pub fn show(trace: &Trace) -> String {
    // Maps with numbers as keys, strings and lists: nothing that JSON could not say.
    serde_json::to_string_pretty(trace).unwrap_or_else(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::catalogue;
    use crate::divergence::load;

    #[test]
    fn what_fails_or_hangs_here_is_new_whatever_cpython_does() {
        let rules = Rules::new(&load().unwrap(), "CPython 3.11.7");
        let scenario = catalogue().swap_remove(0).scenario;
        let failed = Played::Failed { why: "no port".to_owned(), trace: Trace::default() };
        let hung = Played::Hung(Trace::default());
        let unsupported = Played::Unsupported("no such class".to_owned());
        let trace = Played::Trace(Trace::default());
        let compare = |cpython, here| compare(&rules, &scenario, cpython, here);
        for cpython in [&trace, &failed, &hung, &unsupported] {
            for here in [&failed, &hung] {
                let verdict = compare(cpython, here);
                assert!(matches!(verdict, Verdict::New(_)), "{cpython:?} {here:?}: {verdict:?}");
            }
        }
        assert!(matches!(compare(&failed, &trace), Verdict::New(_)));
        assert!(matches!(compare(&unsupported, &trace), Verdict::Unsupported(_)));
        assert_eq!(compare(&trace, &trace), Verdict::Same);
    }
}
