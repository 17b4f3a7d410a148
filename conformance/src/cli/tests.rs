//! The layers that are tests of the workspace: the ported ones, the properties, and those that settle statements.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use super::progress::Progress;
use super::settle;
use super::{Failure, Options};
use crate::compare::{Difference, Verdict};
use crate::results::{Case, Layer, Results};
use crate::statements::{self, Outcome, Statements, TestName};

const PACKAGE: &str = env!("CARGO_PKG_NAME");
/// Where CPython's own tests are.
const PORTED: [&str; 2] = ["ported", "ported_fork"];
/// How many there are.
const PORTED_TESTS: usize = 27;
/// Where properties are.
const PROPERTIES: &str = "properties";
/// How long one program of tests may take.
const LIMIT: Duration = Duration::from_secs(300);

/// What became of each test.
pub(super) type Ran = BTreeMap<TestName, Outcome>;

/// The tests that are asked for.
pub(super) fn named(options: &Options) -> Result<BTreeSet<TestName>, Failure> {
    let mut names = BTreeSet::new();
    if options.wants(Layer::Statements) {
        names.extend(options.tests_of_statements(&Statements::load(&settle::folder())?));
    }
    let mut programs = Vec::new();
    if options.wants(Layer::Ported) {
        programs.extend(PORTED);
    }
    if options.wants(Layer::Properties) {
        programs.push(PROPERTIES);
    }
    if !programs.is_empty() {
        let all = statements::tests_of(workspace(), PACKAGE, &programs)?;
        names.extend(all.into_iter().filter(|name| options.picks(name)));
    }
    Ok(names)
}

fn workspace() -> &'static Path {
    // The package is a folder of the workspace.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Builds and runs them.
pub(super) fn run(
    options: &Options,
    progress: &Progress,
    results: &mut Results,
) -> Result<Ran, Failure> {
    let asked = [Layer::Statements, Layer::Ported, Layer::Properties];
    if !asked.iter().any(|layer| options.wants(*layer)) {
        return Ok(Ran::new());
    }
    progress.begin("tests", 1);
    let names = named(options)?;
    let start = Instant::now();
    let mut ran = Ran::new();
    for result in statements::run(workspace(), &names, LIMIT)? {
        ran.insert(result.name, result.outcome);
    }
    // Programs, not tests, are what takes time.
    let each = start.elapsed() / u32::try_from(ran.len().max(1))?;
    progress.step();
    for (name, outcome) in &ran {
        let ported = PORTED.contains(&name.target.as_str());
        let layer = match name.package == PACKAGE {
            true if ported => Layer::Ported,
            true if name.target == PROPERTIES => Layer::Properties,
            _ => Layer::Statements,
        };
        results.cases.push(case(layer, name, outcome, each));
    }
    let ported = results.cases.iter().filter(|case| case.layer == Layer::Ported).count();
    if options.is_complete() && ported != PORTED_TESTS {
        results.faults.push(format!("{ported} ported tests ran, of {PORTED_TESTS}"));
    }
    Ok(ran)
}

fn case(layer: Layer, name: &TestName, outcome: &Outcome, time: Duration) -> Case {
    let verdict = match outcome {
        Outcome::Ok => Verdict::Same,
        bad => Verdict::New(Difference {
            cpython: String::new(),
            here: outcome_text(bad),
            expected: "a test that passes".to_owned(),
        }),
    };
    Case {
        layer,
        name: name.to_string(),
        strategy: None,
        transport: None,
        oracle: None,
        verdict,
        cpython: None,
        here: None,
        scenario: None,
        time,
    }
}

/// What became of a test, for people to read.
pub(super) fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok => "ok".to_owned(),
        Outcome::Failed(said) => format!("FAILED: {said}"),
        Outcome::Ignored => "ignored".to_owned(),
        Outcome::Missing => "missing".to_owned(),
    }
}
