//! Each rule is seen to fail.

use super::*;

fn statement(number: u32) -> Statement {
    Statement {
        number,
        marks: vec!["source".to_owned()],
        says: "something".to_owned(),
        tests: vec!["p::lib::t".to_owned()],
        ..Statement::default()
    }
}

fn divergence() -> Divergence {
    Divergence {
        id: "d".to_owned(),
        statements: vec![1],
        differs: "it".to_owned(),
        better: "so".to_owned(),
        tests: vec!["p::lib::u".to_owned()],
    }
}

fn sound() -> Statements {
    Statements {
        statements: (1..=STATEMENTS).map(statement).collect(),
        divergences: vec![divergence()],
    }
}

/// What is told after statement 1 has been changed so.
fn after(change: impl FnOnce(&mut Statement)) -> Vec<String> {
    let mut all = sound();
    change(&mut all.statements[0]);
    told(&all)
}

fn after_divergence(change: impl FnOnce(&mut Divergence)) -> Vec<String> {
    let mut all = sound();
    change(&mut all.divergences[0]);
    told(&all)
}

fn told(all: &Statements) -> Vec<String> {
    all.problems().iter().map(ToString::to_string).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn sound_files_have_no_problems() {
    assert_eq!(sound().problems(), []);
    assert!(after(|one| one.divergence = Some("d".to_owned())).is_empty());
}

#[test]
fn every_number_is_there_once_and_no_other() {
    let mut all = sound();
    all.statements.remove(6);
    all.statements.push(statement(3));
    all.statements.push(statement(185));
    all.statements.push(statement(0));
    assert_eq!(
        told(&all),
        [
            "statements.toml: statement 3: it is there more than once",
            "statements.toml: statement 185: there is no statement 185",
            "statements.toml: statement 0: there is no statement 0",
            "statements.toml: statement 7: it is missing",
        ]
    );
}

#[test]
fn a_statement_says_something() {
    let told = after(|one| one.says = " ".to_owned());
    assert_eq!(told, ["statements.toml: statement 1: `says` says nothing"]);
}

#[test]
fn marks_are_known_and_there_once() {
    assert!(after(|one| one.marks = words(&["documented", "source", "quirk"])).is_empty());
    let place = "statements.toml: statement 1";
    let none = after(|one| one.marks.clear());
    assert_eq!(none, [format!("{place}: it is marked neither documented nor source nor quirk")]);
    for bad in [words(&["sauce"]), words(&["source", "source"])] {
        let last = bad[bad.len() - 1].clone();
        let told = after(|one| one.marks = bad);
        assert_eq!(told, [format!("{place}: `{last}` is not a mark, or is there twice")]);
    }
}

#[test]
fn every_statement_is_settled_and_what_does_not_apply_in_no_other_way() {
    let unsettled = after(|one| one.tests.clear());
    assert_eq!(unsettled.len(), 1);
    assert!(unsettled[0].ends_with("nor a divergence nor a reason settle it"), "{unsettled:?}");
    let apply = |one: &mut Statement| one.not_applicable = Some("no such thing".to_owned());
    assert!(
        after(|one| {
            one.tests.clear();
            apply(one);
        })
        .is_empty()
    );
    let twice = after(apply);
    assert_eq!(
        twice,
        ["statements.toml: statement 1: it does not apply, and is settled all the same"]
    );
    let silent = after(|one| {
        one.tests.clear();
        one.not_applicable = Some(String::new());
    });
    assert_eq!(silent, ["statements.toml: statement 1: `not_applicable` says nothing"]);
}

#[test]
fn a_divergence_exists_and_lists_its_statement_and_something_shows_it() {
    let unknown = after(|one| one.divergence = Some("e".to_owned()));
    assert_eq!(unknown, ["statements.toml: statement 1: there is no divergence `e`"]);
    let mut all = sound();
    all.statements[1].divergence = Some("d".to_owned());
    assert_eq!(told(&all), ["statements.toml: statement 2: divergence `d` does not list it"]);
    let mut all = sound();
    all.divergences[0].tests.clear();
    all.statements[0].divergence = Some("d".to_owned());
    assert!(all.problems().is_empty(), "the statement's own test shows it");
    all.statements[0].tests.clear();
    assert_eq!(
        told(&all),
        ["statements.toml: statement 1: it has no tests, and divergence `d` names none either"]
    );
}

#[test]
fn a_divergence_says_what_and_why_about_statements_that_exist_and_is_there_once() {
    let place = "divergences.toml: divergence `d`";
    assert_eq!(
        after_divergence(|one| one.differs.clear()),
        [format!("{place}: `differs` says nothing")]
    );
    assert_eq!(
        after_divergence(|one| one.better.clear()),
        [format!("{place}: `better` says nothing")]
    );
    assert_eq!(
        after_divergence(|one| one.id.clear()),
        ["divergences.toml: divergence ``: `id` says nothing"]
    );
    assert_eq!(
        after_divergence(|one| one.statements.push(999)),
        [format!("{place}: there is no statement 999")]
    );
    let mut all = sound();
    all.divergences.push(divergence());
    assert_eq!(told(&all), [format!("{place}: it is there more than once")]);
}

#[test]
fn tests_have_names_and_are_named_once() {
    let place = "statements.toml: statement 1";
    assert_eq!(
        after(|one| one.tests.push("p::t".to_owned())),
        [format!("{place}: `p::t` is not `<package>::<target>::<test>`")]
    );
    assert_eq!(
        after(|one| one.tests.push("p::lib::t".to_owned())),
        [format!("{place}: test `p::lib::t` is named more than once")]
    );
    assert_eq!(
        after_divergence(|one| one.tests.push("p::lib::u".to_owned())),
        ["divergences.toml: divergence `d`: test `p::lib::u` is named more than once"]
    );
}

#[test]
fn scenarios_have_names_and_are_named_once() {
    let place = "statements.toml: statement 1";
    let name = "synchronous/tcp/handle_request/normal".to_owned();
    assert!(after(|one| one.scenarios = vec![name.clone()]).is_empty());
    assert_eq!(
        after(|one| one.scenarios = vec![name.clone(), name.clone()]),
        [format!("{place}: scenario `{name}` is named more than once")]
    );
    assert_eq!(
        after(|one| one.scenarios = words(&["normal"])),
        [format!("{place}: `normal` is not `<strategy>/<transport>/<driver>/<scenario>`")]
    );
}
