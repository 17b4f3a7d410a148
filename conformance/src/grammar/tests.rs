//! Each rule is seen to hold, and to be broken.

use super::*;
use crate::catalogue::catalogue;

const SYNC: &str = "synchronous/tcp/serve_forever/normal";
const THREAD: &str = "thread_per_request/tcp/serve_forever/normal";
const FORK: &str = "fork/tcp/serve_forever/normal";
const SERVED: &str = "finish_request init setup handle finish shutdown_request close_request";

fn judge(name: &str, main: &str, worker: &str, outcome: &str) -> Result<(), String> {
    let Some(entry) = catalogue().into_iter().find(|entry| entry.name == name) else {
        panic!("no scenario {name}")
    };
    let calls = |text: &str| text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut trace = Trace {
        outcomes: vec![outcome.to_owned()],
        main: calls(main),
        close: calls("server_close"),
        ..Trace::default()
    };
    if !worker.is_empty() {
        trace.workers.insert(0, calls(worker));
    }
    check(&entry.scenario, &trace)
}

/// Says of which request the calls are.
fn of_request(text: &str) -> String {
    text.split(' ')
        .map(|word| match word.split_once('!') {
            Some((name, note)) => format!("{name}:0!{note} "),
            None => format!("{word}:0 "),
        })
        .collect()
}

fn sync(calls: &str, outcome: &str) -> Result<(), String> {
    let end = if outcome == "returned" { "service_actions |" } else { "|" };
    judge(SYNC, &format!("get_request {}{end}", of_request(calls)), "", outcome)
}

#[test]
fn good_traces_pass() {
    let served = format!("verify_request process_request {SERVED}");
    sync(&served, "returned").unwrap_or_else(|error| panic!("{error}"));
    for good in [
        "verify_request!refuse shutdown_request close_request",
        "verify_request process_request!error handle_error!injected-process_request shutdown_request close_request",
        "verify_request process_request finish_request init setup!error handle_error!injected-setup shutdown_request close_request",
        "verify_request process_request finish_request init setup handle finish handle_error!timeout shutdown_request close_request",
    ] {
        sync(good, "returned").unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    let exit = served.replace("handle", "handle!exit-7");
    sync(&exit, "raised exit-7").unwrap_or_else(|error| panic!("{error}"));
    let main = "get_request verify_request:0 process_request:0 service_actions |";
    judge(THREAD, main, &format!("process_request_thread {SERVED}"), "returned")
        .unwrap_or_else(|error| panic!("{error}"));
    let main = "get_request verify_request:0 process_request:0 close_request:0 service_actions |";
    judge(FORK, main, &format!("{SERVED} exit!0"), "returned")
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn bad_requests_are_named() {
    let served = format!("verify_request process_request {SERVED}");
    for (from, to, rule) in [
        (" finish ", " ", "finish should be"),
        ("setup handle", "handle setup", "setup should be"),
        (" close_request", "", "close_request is missing"),
        ("close_request", "close_request shutdown_request close_request", "too much"),
        (
            "verify_request process_request",
            "process_request verify_request",
            "verify_request should be",
        ),
        ("shutdown_request", "handle_error!injected-handle shutdown_request", "nothing failed"),
        ("handle finish", "handle!error finish", "handle_error should be"),
    ] {
        let broken = served.replace(from, to);
        let found = sync(&broken, "returned").expect_err(&broken);
        assert!(found.contains(rule), "{broken}: {found}");
    }
    let told =
        format!("{} ", served.replace("handle finish", "handle!exit-7 finish handle_error!exit-7"));
    assert!(sync(told.trim(), "raised exit-7").is_err());
}

#[test]
fn bad_workers_are_named() {
    let main = "get_request verify_request:0 process_request:0 service_actions |";
    let found = judge(THREAD, main, "", "returned").expect_err("nobody serves");
    assert!(found.contains("nobody serves it"), "{found}");
    let exit = format!("process_request_thread {}", SERVED.replace("handle", "handle!exit-7"));
    assert!(judge(THREAD, main, &exit, "returned").is_err(), "the exit is lost");
    let main = "get_request verify_request:0 process_request:0 close_request:0 service_actions |";
    assert!(judge(FORK, main, &format!("{SERVED} exit!1"), "returned").is_err(), "a wrong code");
    assert!(judge(FORK, main, SERVED, "returned").is_err(), "never reaped");
}

#[test]
fn bad_turns_are_named() {
    let turn = "get_request verify_request:0!refuse shutdown_request:0 close_request:0";
    for (main, outcome, rule) in [
        (format!("{turn} |"), "returned", "no service_actions after"),
        (format!("{turn} service_actions service_actions |"), "returned", "twice in a turn"),
        (
            format!("{turn} get_request!error service_actions |"),
            "returned",
            "no service_actions before",
        ),
        (format!("{turn} service_actions handle_timeout |"), "returned", "handle_timeout"),
        (format!("{turn} service_actions |"), "raised injected-handle", "it ended with"),
        ("get_request!panic |".to_owned(), "returned", "it ended with"),
        (format!("{turn} service_actions | {turn}"), "returned", "outside the verbs"),
    ] {
        let found = judge(SYNC, &main, "", outcome).expect_err(&main);
        assert!(found.contains(rule), "{main}: {found}");
    }
}
