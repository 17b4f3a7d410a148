//! What a run of the harness found: every case of every layer, and what was not checked. Knows nothing of how it is shown.

use std::time::Duration;

use serde::Serialize;

use crate::compare::Verdict;
use crate::scenario::{Scenario, Strategy, Transport};

/// The layers of the harness, in the order in which they run.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The catalogue against what CPython was recorded to do.
    Golden,
    /// The catalogue against CPython itself.
    Live,
    /// Generated scenarios against CPython itself.
    Differential,
    /// What must hold for every trace, whatever CPython does; and the properties that are tests of their own.
    Properties,
    /// CPython's own tests, ported.
    Ported,
    /// The statements about CPython, each with what settles it.
    Statements,
}

/// One thing that was checked.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// Which layer checked it.
    pub layer: Layer,
    /// Its name: a scenario's, a test's, `statement 42`, or `case 17` of the generated ones.
    pub name: String,
    /// The strategy, if it is about one.
    pub strategy: Option<Strategy>,
    /// The transport, if it is about one.
    pub transport: Option<Transport>,
    /// What it was checked against: `CPython 3.11.7`, `recorded from CPython 3.11.7`, or nothing.
    pub oracle: Option<String>,
    /// What was found.
    pub verdict: Verdict,
    /// CPython's trace, as text, if there is one.
    pub cpython: Option<String>,
    /// The trace here, as text, if there is one.
    pub here: Option<String>,
    /// The scenario, if it is one.
    pub scenario: Option<Scenario>,
    /// How long it took.
    pub time: Duration,
}

/// A statement about CPython, and what settles it.
#[derive(Clone, Debug, Serialize)]
pub struct StatementRow {
    /// Its number.
    pub number: u32,
    /// `documented`, `source`, `quirk`.
    pub marks: Vec<String>,
    /// What it says.
    pub says: String,
    /// How it is settled.
    pub settled: Settled,
    /// The tests that show it, with how they ended: `ok`, `FAILED`, `not run`, ….
    pub tests: Vec<(String, String)>,
    /// Names of scenarios that show it.
    pub scenarios: Vec<String>,
    /// The divergence, if it does not hold here, and its reason.
    pub divergence: Option<(String, String)>,
}

/// How a statement is settled.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// It holds here, and tests or scenarios show it.
    Tested,
    /// It does not hold here, on purpose.
    Divergent,
    /// Rust has no word for it.
    NotApplicable,
    /// Something that should settle it failed or did not run.
    Open,
}

/// Everything that was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Results {
    /// All cases.
    pub cases: Vec<Case>,
    /// All statements.
    pub statements: Vec<StatementRow>,
    /// How often each divergence was hit, those with none too.
    pub divergences: Vec<(String, usize)>,
    /// What was not checked, and why.
    pub notices: Vec<String>,
    /// What is wrong apart from cases: a divergence that nothing hits, a snapshot that belongs to nothing, ….
    pub faults: Vec<String>,
    /// The seed of the generated scenarios.
    pub seed: u64,
    /// How long all of it took.
    pub time: Duration,
}

impl Results {
    /// Whether nothing is wrong. What could not be checked is not wrong.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
            && !self.cases.iter().any(|case| matches!(case.verdict, Verdict::New(_)))
            && !self.statements.iter().any(|row| row.settled == Settled::Open)
    }
}
