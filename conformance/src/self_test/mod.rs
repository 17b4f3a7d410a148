//! The harness must be able to fail: the subject of this project is wrapped in one fault at a time, and each must be caught.
//!
//! A fault changes what the subject shows, as a server with that fault would. The wrapped subject goes through the same
//! layers as the real one, which has played before: what it showed is replayed, so that a fault costs no time.

mod calls;
mod faults;
mod views;

use std::collections::HashMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::catalogue::Entry;
use crate::compare::Verdict;
use crate::compare::compare;
use crate::divergence::Rules;
use crate::grammar;
use crate::scenario::Scenario;
use crate::subject::{Played, Subject, SubjectError};
use crate::trace::Trace;

pub use faults::FAULTS;

/// One way for a server to be wrong.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What is wrong.
    pub name: &'static str,
    /// Makes the trace of a sound server that of a faulty one. Says whether the scenario shows the fault at all.
    apply: fn(&Scenario, &mut Trace) -> bool,
}

/// A subject with a fault.
#[derive(Debug)]
pub struct Faulty<'a, S> {
    inner: &'a mut S,
    fault: &'a Fault,
}

impl<S: Subject> Subject for Faulty<'_, S> {
    fn version(&self) -> &str {
        self.inner.version()
    }

    fn play(&mut self, scenario: &Scenario) -> Result<Played, SubjectError> {
        let mut played = self.inner.play(scenario)?;
        if let Played::Trace(trace) = &mut played {
            (self.fault.apply)(scenario, trace);
        }
        Ok(played)
    }
}

/// A subject that shows again what another one showed.
#[derive(Debug, Default)]
pub struct Replay {
    shown: HashMap<Scenario, Played>,
}

impl Replay {
    /// Remembers what was shown.
    pub fn remember(&mut self, scenario: Scenario, played: Played) {
        self.shown.insert(scenario, played);
    }
}

impl Subject for Replay {
    fn version(&self) -> &'static str {
        "replayed"
    }

    fn play(&mut self, scenario: &Scenario) -> Result<Played, SubjectError> {
        let never = || Played::Unsupported("never played before".to_owned());
        Ok(self.shown.get(scenario).cloned().unwrap_or_else(never))
    }
}

/// Scenarios, with what CPython showed in each; the layers that the faults go through.
#[derive(Debug, Default)]
pub struct Layers {
    /// The catalogue, with its records.
    pub golden: Vec<(Entry, Played)>,
    /// Generated scenarios.
    pub differential: Vec<(Scenario, Played)>,
}

/// How a fault fared.
#[derive(Clone, Debug, Serialize)]
pub struct Caught {
    /// The fault.
    pub fault: &'static str,
    /// After how many cases of the catalogue the records showed it.
    pub golden: Option<usize>,
    /// After how many generated cases the comparison showed it.
    pub differential: Option<usize>,
    /// After how many cases the grammar, which needs no oracle, showed it.
    pub grammar: Option<usize>,
}

impl Caught {
    /// Whether any layer caught it.
    pub const fn is_caught(&self) -> bool {
        self.golden.is_some() || self.differential.is_some() || self.grammar.is_some()
    }
}

/// Wraps the subject in each fault and runs it through the layers.
///
/// # Errors
///
/// When something is wrong with the test itself: the sound subject is not found to be sound.
pub fn run(layers: &Layers, rules: &Rules, sound: &mut Replay) -> Result<Vec<Caught>, String> {
    const NONE: Fault = Fault { name: "no fault", apply: |_, _| false };
    let unharmed = try_out(layers, rules, sound, &NONE);
    if unharmed.is_caught() {
        return Err(format!("without any fault something is caught: {unharmed:?}"));
    }
    Ok(FAULTS.iter().map(|fault| try_out(layers, rules, sound, fault)).collect())
}

fn try_out(layers: &Layers, rules: &Rules, sound: &mut Replay, fault: &Fault) -> Caught {
    let mut faulty = Faulty { inner: sound, fault };
    let golden = layers.golden.iter().map(|(entry, theirs)| (&entry.scenario, theirs));
    let generated = layers.differential.iter().map(|(scenario, theirs)| (scenario, theirs));
    let mut caught = Caught { fault: fault.name, golden: None, differential: None, grammar: None };
    for (number, (scenario, theirs)) in golden.enumerate() {
        let shown = faulty.play(scenario);
        if caught.golden.is_none()
            && shown.as_ref().is_ok_and(|it| differs(rules, scenario, theirs, it))
        {
            caught.golden = Some(number + 1);
        }
        if caught.grammar.is_none() && shown.as_ref().is_ok_and(|it| breaks_grammar(scenario, it)) {
            caught.grammar = Some(number + 1);
        }
    }
    for (number, (scenario, theirs)) in generated.enumerate() {
        if faulty.play(scenario).is_ok_and(|it| differs(rules, scenario, theirs, &it)) {
            caught.differential = Some(number + 1);
            break;
        }
    }
    caught
}

fn differs(rules: &Rules, scenario: &Scenario, theirs: &Played, ours: &Played) -> bool {
    matches!(compare(rules, scenario, theirs, ours), Verdict::New(_))
}

fn breaks_grammar(scenario: &Scenario, ours: &Played) -> bool {
    ours.trace().is_some_and(|trace| grammar::check(scenario, trace).is_err())
}

/// What was found, for people to read.
pub fn table(found: &[Caught]) -> String {
    let cases = |number: Option<usize>| number.map_or_else(|| "-".to_owned(), |it| it.to_string());
    let mut text = format!(
        "{:<52} {:>8} {:>12} {:>8}\n",
        "fault, and after how many cases it was caught by", "golden", "differential", "grammar"
    );
    for caught in found {
        let missed = if caught.is_caught() { "" } else { "  NOT CAUGHT" };
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{:<52} {:>8} {:>12} {:>8}{missed}",
            caught.fault,
            cases(caught.golden),
            cases(caught.differential),
            cases(caught.grammar)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn faults_have_names_of_their_own() {
        let names: HashSet<_> = FAULTS.iter().map(|fault| fault.name).collect();
        assert_eq!(names.len(), FAULTS.len());
        assert!(FAULTS.len() >= 25);
    }
}
