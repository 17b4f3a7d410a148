//! Where this project differs from CPython on purpose: read from `divergences.toml`.
//!
//! An entry about a trace says what CPython's trace becomes here, as edits. Edited traces are compared exactly, so an
//! entry excuses the difference it describes and no other.

mod edit;
mod when;

use serde::Deserialize;

use crate::scenario::Scenario;
use crate::trace::Trace;

pub use edit::{Edit, Place};
pub use when::When;

/// The file as it is in the repository.
const FILE: &str = include_str!("../../divergences.toml");

/// One difference.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Divergence {
    /// Its name.
    pub id: String,
    /// The statements about CPython that do not hold here.
    pub statements: Vec<u32>,
    /// The versions of CPython that do it the other way, as in `>=3.8` or `>=3.8,<3.12`.
    pub python: String,
    /// What differs.
    pub differs: String,
    /// Why that serves users better.
    pub better: String,
    /// Tests that show what happens here.
    #[serde(default)]
    pub tests: Vec<String>,
    /// What becomes of CPython's traces, if any trace shows it.
    #[serde(default)]
    pub traces: Vec<Rule>,
}

/// What becomes of CPython's trace in some scenarios.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What this rule is about, for those who read the file.
    pub shows: String,
    /// In which scenarios.
    pub when: When,
    /// What is replaced by what.
    #[serde(default)]
    pub edits: Vec<Edit>,
    /// Parts of the trace that are a matter of luck in CPython, so that they say nothing.
    #[serde(default)]
    pub luck: Vec<Place>,
    /// CPython hangs.
    #[serde(default)]
    pub hangs: bool,
}

#[derive(Deserialize)]
struct File {
    divergence: Vec<Divergence>,
}

/// All entries.
///
/// # Errors
///
/// When the file makes no sense; the message says where.
pub fn load() -> Result<Vec<Divergence>, String> {
    parse(FILE)
}

fn parse(text: &str) -> Result<Vec<Divergence>, String> {
    let file: File = toml::from_str(text).map_err(|error| format!("divergences.toml: {error}"))?;
    let mut seen = std::collections::HashSet::new();
    for entry in &file.divergence {
        let wrong = |what: &str| Err(format!("divergences.toml: {}: {what}", entry.id));
        if !seen.insert(&entry.id) {
            return wrong("stands there twice");
        }
        if entry.differs.is_empty() || entry.better.is_empty() {
            return wrong("says not what differs or why");
        }
        if when::versions(&entry.python).is_none() {
            return wrong("python must be like \">=3.8\" or \">=3.8,<3.12\"");
        }
        let idle = |rule: &Rule| rule.edits.is_empty() && rule.luck.is_empty() && !rule.hangs;
        if entry.traces.iter().any(idle) {
            return wrong("a rule about traces needs `edits`, `luck` or `hangs`");
        }
        if entry.traces.is_empty() && entry.tests.is_empty() {
            return wrong("neither traces nor tests show it");
        }
    }
    Ok(file.divergence)
}

/// The rules that hold for a version of CPython, each with its name: the entry's, and its place there.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<(String, Rule)>,
}

/// CPython's trace as it should be here.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The trace.
    pub trace: Trace,
    /// The rules that changed it.
    pub hit: Vec<String>,
    /// Parts that say nothing.
    pub luck: Vec<Place>,
}

impl Rules {
    /// Those for a version as an oracle tells it, `CPython 3.11.7`.
    pub fn new(entries: &[Divergence], version: &str) -> Self {
        let applying = entries.iter().filter(|entry| when::is_version(&entry.python, version));
        let rules = applying.flat_map(|entry| {
            let name = |place| format!("{}#{}", entry.id, place + 1);
            entry.traces.iter().enumerate().map(move |(place, rule)| (name(place), rule.clone()))
        });
        Self { rules: rules.collect() }
    }

    /// The names of all rules.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|(name, _)| name.as_str())
    }

    /// What is to be expected here where CPython showed `trace`. `seen` is what was shown here; only where an edit
    /// leaves a choice does it matter.
    pub fn expect(&self, scenario: &Scenario, trace: &Trace, seen: &Trace) -> Expected {
        let mut expected = Expected { trace: trace.clone(), hit: Vec::new(), luck: Vec::new() };
        for (name, rule) in self.about(scenario) {
            let before = expected.trace.clone();
            let concerned = rule.when.concerned(scenario);
            for edit in &rule.edits {
                edit.apply(&mut expected.trace, seen, concerned.as_ref());
            }
            expected.luck.extend(&rule.luck);
            if expected.trace != before || !rule.luck.is_empty() {
                expected.hit.push(name.clone());
            }
        }
        expected
    }

    /// The rule that says that CPython hangs in this scenario.
    pub fn hangs(&self, scenario: &Scenario) -> Option<&str> {
        self.about(scenario).find(|(_, rule)| rule.hangs).map(|(name, _)| name.as_str())
    }

    /// What of this scenario's trace is a matter of luck in CPython.
    pub fn luck(&self, scenario: &Scenario) -> Vec<Place> {
        self.about(scenario).flat_map(|(_, rule)| rule.luck.iter().copied()).collect()
    }

    fn about<'a>(
        &'a self,
        scenario: &Scenario,
    ) -> impl Iterator<Item = &'a (String, Rule)> + use<'a> {
        let holds: Vec<_> =
            self.rules.iter().filter(|(_, rule)| rule.when.holds(scenario)).collect();
        holds.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_makes_sense() {
        assert!(!load().unwrap().is_empty());
    }

    #[test]
    fn an_entry_that_nothing_shows_is_refused() {
        let entry = "[[divergence]]\nid = \"a\"\nstatements = [1]\npython = \">=3.8\"\ndiffers = \"x\"\nbetter = \"y\"\n";
        assert!(parse(entry).unwrap_err().contains("a: neither traces nor tests"));
        let twice = format!("{entry}tests = [\"t\"]\n{entry}tests = [\"t\"]\n");
        assert!(parse(&twice).unwrap_err().contains("twice"));
        let odd = entry.replace(">=3.8", "3.8") + "tests = [\"t\"]\n";
        assert!(parse(&odd).unwrap_err().contains("python must be"));
        let idle = entry.to_owned() + "[[divergence.traces]]\nshows = \"x\"\nwhen = {}\n";
        assert!(parse(&idle).unwrap_err().contains("a rule about traces needs"));
        assert!(parse("[[divergence]]\nid = 1").unwrap_err().contains("divergences.toml"));
    }
}
