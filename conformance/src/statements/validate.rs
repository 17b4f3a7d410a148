//! The rules that the files keep.

use std::collections::BTreeSet;

use super::catalogue::{Divergence, Statement, Statements};
use super::problem::{Place, Problem, Wrong};
use super::test_name::TestName;
use crate::catalogue;

/// How many statements there are; they are numbered from 1.
pub const STATEMENTS: u32 = 184;

const MARKS: [&str; 3] = ["documented", "source", "quirk"];

pub(super) fn problems(all: &Statements) -> Vec<Problem> {
    let mut problems = Vec::new();
    numbers(all, &mut problems);
    for statement in &all.statements {
        let place = Place::Statement(statement.number);
        let found = statement_problems(statement, all);
        problems.extend(found.into_iter().map(|wrong| Problem { place: place.clone(), wrong }));
    }
    let mut ids = BTreeSet::new();
    for divergence in &all.divergences {
        let place = Place::Divergence(divergence.id.clone());
        let mut found = divergence_problems(divergence);
        if !ids.insert(&divergence.id) {
            found.push(Wrong::Repeated);
        }
        problems.extend(found.into_iter().map(|wrong| Problem { place: place.clone(), wrong }));
    }
    problems
}

/// Every number from 1 to the last, once.
fn numbers(all: &Statements, problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for Statement { number, .. } in &all.statements {
        let place = Place::Statement(*number);
        if !is_number(*number) {
            problems.push(Problem { place, wrong: Wrong::NoSuchNumber(*number) });
        } else if !seen.insert(*number) {
            problems.push(Problem { place, wrong: Wrong::Repeated });
        }
    }
    let absent = (1..=STATEMENTS).filter(|number| !seen.contains(number));
    problems.extend(
        absent.map(|number| Problem { place: Place::Statement(number), wrong: Wrong::Absent }),
    );
}

fn is_number(number: u32) -> bool {
    (1..=STATEMENTS).contains(&number)
}

fn statement_problems(statement: &Statement, all: &Statements) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    says("says", &statement.says, &mut wrong);
    marks(&statement.marks, &mut wrong);
    tests(&statement.tests, &mut wrong);
    scenarios(&statement.scenarios, &mut wrong);
    let settled = statement.is_tested() || statement.divergence.is_some();
    match &statement.not_applicable {
        Some(reason) => {
            says("not_applicable", reason, &mut wrong);
            if settled {
                wrong.push(Wrong::SettledTwice);
            }
        }
        None if settled => {}
        None => wrong.push(Wrong::Unsettled),
    }
    if let Some(id) = &statement.divergence {
        match all.divergence(id) {
            None => wrong.push(Wrong::NoSuchDivergence(id.clone())),
            Some(divergence) => {
                if !divergence.statements.contains(&statement.number) {
                    wrong.push(Wrong::NotListedBy(id.clone()));
                }
                if divergence.tests.is_empty() && !statement.is_tested() {
                    wrong.push(Wrong::NothingShows(id.clone()));
                }
            }
        }
    }
    wrong
}

fn divergence_problems(divergence: &Divergence) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    says("id", &divergence.id, &mut wrong);
    says("differs", &divergence.differs, &mut wrong);
    says("better", &divergence.better, &mut wrong);
    tests(&divergence.tests, &mut wrong);
    let unknown = divergence.statements.iter().filter(|number| !is_number(**number));
    wrong.extend(unknown.map(|number| Wrong::NoSuchNumber(*number)));
    wrong
}

fn says(field: &'static str, text: &str, wrong: &mut Vec<Wrong>) {
    if text.trim().is_empty() {
        wrong.push(Wrong::SaysNothing(field));
    }
}

fn marks(marks: &[String], wrong: &mut Vec<Wrong>) {
    if marks.is_empty() {
        wrong.push(Wrong::Unmarked);
    }
    for (position, mark) in marks.iter().enumerate() {
        if !MARKS.contains(&mark.as_str()) || marks[..position].contains(mark) {
            wrong.push(Wrong::BadMark(mark.clone()));
        }
    }
}

fn tests(names: &[String], wrong: &mut Vec<Wrong>) {
    for (position, name) in names.iter().enumerate() {
        if name.parse::<TestName>().is_err() {
            wrong.push(Wrong::BadTestName(name.clone()));
        }
        if names[..position].contains(name) {
            wrong.push(Wrong::RepeatedTest(name.clone()));
        }
    }
}

fn scenarios(names: &[String], wrong: &mut Vec<Wrong>) {
    for (position, name) in names.iter().enumerate() {
        if !catalogue::has(name) {
            wrong.push(Wrong::BadScenario(name.clone()));
        }
        if names[..position].contains(name) {
            wrong.push(Wrong::RepeatedScenario(name.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
