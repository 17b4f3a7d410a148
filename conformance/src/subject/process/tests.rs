//! Subjects that misbehave: shells that speak a few words of the protocol.

use super::*;
use crate::catalogue::catalogue;

/// What comes of a scenario of the catalogue's when a shell that runs `script` plays it, after its greeting.
fn played(script: &str) -> Played {
    let script = format!("echo '{{\"hello\":{{\"version\":\"shell 1\"}}}}'; read order; {script}");
    let command = Command { program: "sh".into(), arguments: vec!["-c".into(), script.into()] };
    let mut process = Process::start(&command).unwrap();
    let mut scenario = catalogue().swap_remove(0).scenario;
    scenario.options.limit = Some(1000);
    let played = process.play(&scenario).unwrap();
    assert_eq!(process.version(), "shell 1", "it was started again");
    played
}

fn failure(script: &str) -> String {
    match played(script) {
        Played::Failed { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_process_that_ends_half_way_has_failed_and_says_how_it_ended() {
    assert_eq!(failure("exit 3"), "its process has ended: exit status: 3");
    assert!(failure("kill -ABRT $$").contains("signal: 6"));
}

#[test]
fn a_server_that_cannot_be_made_is_a_failure_not_something_unsupported() {
    assert_eq!(failure("echo '{\"failed\":{\"why\":\"no port\"}}'; read order"), "no port");
    let unsupported = played("echo '{\"unsupported\":{\"why\":\"no word\"}}'; read order");
    assert_eq!(unsupported, Played::Unsupported("no word".to_owned()));
}

#[test]
fn a_server_that_nobody_can_reach_has_failed() {
    let why = failure("echo '{\"ready\":{\"port\":1}}'; read order");
    assert!(why.starts_with("a client could not Connect(0): "), "{why}");
}

#[test]
fn what_goes_on_of_an_earlier_scenario_is_a_failure() {
    let why = failure("echo '{\"exit\":{\"pid\":1,\"status\":0}}'; read order");
    assert!(why.starts_with("what was played before still goes on: Exit"), "{why}");
}

#[test]
fn what_says_nothing_more_hangs() {
    assert!(matches!(played("exec sleep 60"), Played::Hung(_)));
}
