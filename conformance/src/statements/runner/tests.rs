//! Tests of this very program are run by it.

use super::*;

const THERE: &str = "p::lib::catalogue::tests::each_part_has_to_be_known";
const ALSO_THERE: &str = "p::lib::statements::output::tests::lists_of_both_harnesses_are_read";
const NOT_THERE: &str = "p::lib::catalogue::tests::no_such_test";

/// Runs tests of the program that this is.
fn run_here(limit: Duration) -> Vec<Outcome> {
    let names = [THERE, ALSO_THERE, NOT_THERE].map(|name| name.parse().unwrap());
    let program = Program {
        package: "p".to_owned(),
        target: "lib".to_owned(),
        executable: std::env::current_exe().unwrap(),
        folder: std::env::current_dir().unwrap(),
    };
    let programs = [program];
    let wanted = by_program(&programs, &names.each_ref());
    let mut outcomes = run_program(wanted[0].0, &wanted[0].1, limit).unwrap();
    names.iter().map(|name| outcomes.remove(name).unwrap_or(Outcome::Missing)).collect()
}

#[test]
fn named_tests_are_run_and_one_that_is_not_there_is_missing() {
    let outcomes = run_here(Duration::from_secs(60));
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Ok, Outcome::Missing]);
}

#[test]
fn a_program_that_takes_too_long_has_failed() {
    for outcome in run_here(Duration::ZERO) {
        assert!(
            matches!(&outcome, Outcome::Failed(why) if why.contains("too long")),
            "{outcome:?}"
        );
    }
}

#[test]
fn what_was_said_of_a_test_is_what_became_of_it() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let ran = limited::run(command.arg("--list"), Duration::from_secs(60)).unwrap();
    assert_eq!(outcome(Some(Said::Ok), &ran), Outcome::Ok);
    assert_eq!(outcome(Some(Said::Ignored), &ran), Outcome::Ignored);
    for said in [Some(Said::Failed), None] {
        let Outcome::Failed(why) = outcome(said, &ran) else { unreachable!("it failed") };
        assert!(why.contains("each_part_has_to_be_known"), "what was printed is told: {why}");
    }
}

#[test]
fn an_example_counts_for_its_file_and_its_module_and_the_worst_counts() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let ran = limited::run(command.arg("--list"), Duration::from_secs(60)).unwrap();
    let said = [
        ("src/a.rs - a::one (line 3)", Said::Ok),
        ("src/a.rs - a::two (line 5) - compile fail", Said::Failed),
    ];
    let worst = |name: &str| worst(&name.parse().unwrap(), &said, &ran);
    assert_eq!(worst("p::doc::a::one"), Some(Outcome::Ok));
    assert!(matches!(worst("p::doc::a::two"), Some(Outcome::Failed(_))));
    assert!(matches!(worst("p::doc::src/a.rs"), Some(Outcome::Failed(_))));
    assert_eq!(worst("p::doc::a::three"), None);
}
