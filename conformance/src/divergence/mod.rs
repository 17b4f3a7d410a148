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
    /// Which scenarios show it; none if no trace does.
    pub when: Option<When>,
    /// What becomes of CPython's trace.
    #[serde(default)]
    pub edits: Vec<Edit>,
    /// Parts of the trace that are a matter of luck in CPython in these scenarios, so that they say nothing.
    #[serde(default)]
    pub luck: Vec<Place>,
    /// In these scenarios CPython hangs.
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
        let about_traces = entry.hangs || !entry.edits.is_empty() || !entry.luck.is_empty();
        if about_traces != entry.when.is_some() {
            return wrong("`when` goes together with `edits`, `luck` or `hangs`");
        }
        if !about_traces && entry.tests.is_empty() {
            return wrong("neither edits nor tests show it");
        }
    }
    Ok(file.divergence)
}

/// The entries that a version of CPython is subject to, and how often each was hit.
#[derive(Debug)]
pub struct Rules {
    entries: Vec<Divergence>,
}

/// CPython's trace as it should be here.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The trace.
    pub trace: Trace,
    /// The entries that changed it.
    pub hit: Vec<String>,
    /// Parts that say nothing.
    pub luck: Vec<Place>,
}

impl Rules {
    /// Those for a version as an oracle tells it, `CPython 3.11.7`.
    pub fn new(entries: Vec<Divergence>, version: &str) -> Self {
        let applies = |entry: &Divergence| when::is_version(&entry.python, version);
        Self { entries: entries.into_iter().filter(applies).collect() }
    }

    /// What is to be expected here where CPython showed `trace`. `seen` is what was shown here; only where an edit
    /// leaves a choice does it matter.
    pub fn expect(&self, scenario: &Scenario, trace: &Trace, seen: &Trace) -> Expected {
        let mut expected = Expected { trace: trace.clone(), hit: Vec::new(), luck: Vec::new() };
        for entry in &self.entries {
            let Some(when) = entry.when.as_ref().filter(|when| when.holds(scenario)) else {
                continue;
            };
            let before = expected.trace.clone();
            for edit in &entry.edits {
                edit.apply(&mut expected.trace, seen, when.concerned(scenario).as_ref());
            }
            expected.luck.extend(&entry.luck);
            if expected.trace != before || !entry.luck.is_empty() {
                expected.hit.push(entry.id.clone());
            }
        }
        expected
    }

    /// The entry that says that CPython hangs in this scenario.
    pub fn hangs(&self, scenario: &Scenario) -> Option<&str> {
        let mut entries = self.entries.iter().filter(|entry| entry.hangs);
        let entry =
            entries.find(|entry| entry.when.as_ref().is_some_and(|when| when.holds(scenario)));
        entry.map(|entry| entry.id.as_str())
    }

    /// What of this scenario's trace is a matter of luck in CPython.
    pub fn luck(&self, scenario: &Scenario) -> Vec<Place> {
        let entries = self
            .entries
            .iter()
            .filter(|entry| entry.when.as_ref().is_some_and(|when| when.holds(scenario)));
        entries.flat_map(|entry| entry.luck.iter().copied()).collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "in a test it is an assertion")]
mod tests {
    use super::*;

    #[test]
    fn the_file_makes_sense() {
        assert!(!load().unwrap().is_empty());
    }

    #[test]
    fn an_entry_that_nothing_shows_is_refused() {
        let entry = "[[divergence]]\nid = \"a\"\nstatements = [1]\npython = \">=3.8\"\ndiffers = \"x\"\nbetter = \"y\"\n";
        assert!(parse(entry).unwrap_err().contains("a: neither edits nor tests"));
        let twice = format!("{entry}tests = [\"t\"]\n{entry}tests = [\"t\"]\n");
        assert!(parse(&twice).unwrap_err().contains("twice"));
        let odd = entry.replace(">=3.8", "3.8") + "tests = [\"t\"]\n";
        assert!(parse(&odd).unwrap_err().contains("python must be"));
        let half = entry.to_owned() + "hangs = true\n";
        assert!(parse(&half).unwrap_err().contains("goes together"));
        assert!(parse("[[divergence]]\nid = 1").unwrap_err().contains("divergences.toml"));
    }
}
