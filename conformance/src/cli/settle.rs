//! What settles each statement, and whether every listed difference is still one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::interpreters::Interpreter;
use super::tests::{Ran, outcome_text};
use super::{Failure, Options};
use crate::compare::Verdict;
use crate::divergence::{self, Rules};
use crate::golden::{self, Golden};
use crate::results::{Case, Layer, Results, Settled, StatementRow};
use crate::statements::{Statement, Statements, TestName};

/// Where the two files are.
pub(super) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Judges every statement by what was run for it.
pub(super) fn statements(
    options: &Options,
    ran: &Ran,
    results: &mut Results,
) -> Result<(), Failure> {
    if !options.wants(Layer::Statements) {
        return Ok(());
    }
    // Without its scenarios a statement would look open.
    if !options.wants(Layer::Golden) {
        let why = "the statements were not judged, only their tests: their scenarios are in the layer golden";
        results.notices.push(why.to_owned());
        return Ok(());
    }
    let all = Statements::load(&folder())?;
    results.faults.extend(all.problems().iter().map(ToString::to_string));
    let played: BTreeMap<&str, &Case> = results
        .cases
        .iter()
        .filter(|case| case.layer == Layer::Golden)
        .map(|case| (case.name.as_str(), case))
        .collect();
    let rows =
        options.statements(&all).map(|statement| row(statement, &all, ran, &played)).collect();
    results.statements = rows;
    Ok(())
}

fn row(
    statement: &Statement,
    all: &Statements,
    ran: &Ran,
    played: &BTreeMap<&str, &Case>,
) -> StatementRow {
    let divergence = statement.divergence.as_deref().and_then(|id| all.divergence(id));
    let own = all.tests_of(statement);
    let tests: Vec<(String, String)> = own.map(|name| (name.clone(), said(name, ran))).collect();
    let scenarios_hold = statement.scenarios.iter().all(|name| {
        let verdict = played.get(name.as_str()).map(|case| &case.verdict);
        matches!(verdict, Some(Verdict::Same | Verdict::Listed(_)))
    });
    let tests_hold = tests.iter().all(|(_, said)| said == "ok");
    let settled = if !(scenarios_hold && tests_hold) {
        Settled::Open
    } else if statement.not_applicable.is_some() {
        Settled::NotApplicable
    } else if divergence.is_some() {
        Settled::Divergent
    } else if statement.is_tested() {
        Settled::Tested
    } else {
        Settled::Open
    };
    let reason = statement.not_applicable.clone().map(|why| ("not applicable".to_owned(), why));
    StatementRow {
        number: statement.number,
        marks: statement.marks.clone(),
        says: statement.says.clone(),
        settled,
        tests,
        scenarios: statement.scenarios.clone(),
        divergence: divergence.map(|entry| (entry.id.clone(), entry.better.clone())).or(reason),
    }
}

/// What became of a test.
fn said(name: &str, ran: &Ran) -> String {
    let outcome = name.parse::<TestName>().ok().and_then(|name| ran.get(&name));
    outcome.map_or_else(|| "not run".to_owned(), outcome_text)
}

/// Counts what hit each listed difference; one that nothing hits is a fault.
pub(super) fn divergences(
    options: &Options,
    found: &[Interpreter],
    ran: &Ran,
    results: &mut Results,
) -> Result<(), Failure> {
    let entries = divergence::load()?;
    let mut hits: BTreeMap<String, usize> = BTreeMap::new();
    for case in &results.cases {
        if let Verdict::Listed(rules) = &case.verdict {
            for rule in rules {
                *hits.entry(rule.clone()).or_default() += 1;
            }
        }
    }
    for entry in &entries {
        let prefix = format!("{}#", entry.id);
        let traces: usize =
            hits.iter().filter(|(rule, _)| rule.starts_with(&prefix)).map(|(_, hits)| hits).sum();
        let passed = entry.tests.iter().filter(|name| said(name, ran) == "ok").count();
        results.divergences.push((entry.id.clone(), traces + passed));
        if options.is_complete() && passed < entry.tests.len() {
            results.faults.push(format!("divergence {}: not all its tests passed", entry.id));
        }
    }
    if options.is_complete() {
        for rule in expected_rules(&entries, found)? {
            if !hits.contains_key(&rule) {
                results.faults.push(format!("divergence {rule}: nothing hits it any more"));
            }
        }
    }
    Ok(())
}

/// The rules about traces that hold for any of the interpreters that were compared with, or recorded.
fn expected_rules(
    entries: &[divergence::Divergence],
    found: &[Interpreter],
) -> Result<BTreeSet<String>, Failure> {
    let records = Golden::load(&golden::folder())?;
    let versions = found.iter().map(|it| it.version.as_str()).chain(records.version());
    let rules = versions.map(|version| Rules::new(entries, version));
    Ok(rules.flat_map(|rules| rules.names().map(str::to_owned).collect::<Vec<_>>()).collect())
}
