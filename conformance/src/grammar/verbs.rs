//! The serving thread: what may happen in one call of a verb, turn by turn.

use super::{exits, fails};
use crate::scenario::{Hook, Scenario, Strategy, Verb};
use crate::trace::{Call, Trace};

pub(super) fn check(scenario: &Scenario, trace: &Trace) -> Result<(), String> {
    let calls: Vec<&[Call]> = trace.main.0.split(|call| call.name == "|").collect();
    let verbs = trace.outcomes.len();
    let (Some(after), true) = (calls.last(), verbs == scenario.drive.len()) else {
        return Err(format!("{verbs} verbs ended, of {}", scenario.drive.len()));
    };
    if calls.len() != verbs + 1 || !after.is_empty() {
        return Err("calls outside the verbs".to_owned());
    }
    for (number, (verb, outcome)) in scenario.drive.iter().zip(&trace.outcomes).enumerate() {
        one(verb, calls[number], outcome, scenario.strategy)
            .map_err(|rule| format!("verb {number}: {rule}"))?;
    }
    Ok(())
}

fn one(verb: &Verb, calls: &[Call], outcome: &str, strategy: Strategy) -> Result<(), String> {
    let ended_by = what_ends(calls, strategy);
    let expected = ended_by.map_or_else(|| "returned".to_owned(), raised);
    if outcome != expected {
        return Err(format!("it ended with {outcome:?}, not {expected:?}"));
    }
    match verb {
        Verb::HandleRequest => one_request(calls),
        Verb::ServeForever(_) => turns(calls, ended_by.is_some()),
    }
}

/// The call whose failure comes out of the verb: it is followed by nothing but closing.
fn what_ends(calls: &[Call], strategy: Strategy) -> Option<&Call> {
    let handler = |call: &Call| {
        [Hook::Init, Hook::Setup, Hook::Handle, Hook::Finish, Hook::FinishRequest]
            .iter()
            .any(|hook| call.is(*hook))
    };
    let closing = |call: &Call| {
        [Hook::Finish, Hook::ShutdownRequest, Hook::CloseRequest].iter().any(|hook| call.is(*hook))
    };
    let comes_out = |call: &&Call| match call.note.as_deref() {
        // Dropped, or given to handle_error.
        Some("error") if call.is(Hook::GetRequest) || call.is(Hook::ProcessRequest) => false,
        Some("spawn_fails") => false,
        _ if handler(call) => exits(call) && strategy == Strategy::Synchronous,
        _ => fails(call),
    };
    let place = calls.iter().rposition(|call| comes_out(&call))?;
    // A hook that fails while a request is closed takes the place of an exit.
    calls[place + 1..].iter().all(closing).then(|| &calls[place])
}

fn raised(call: &Call) -> String {
    match call.note.as_deref() {
        Some(note) if note.starts_with("exit-") => format!("raised {note}"),
        _ => format!("raised injected-{}", call.name),
    }
}

fn count(calls: &[Call], hook: Hook) -> usize {
    calls.iter().filter(|call| call.is(hook)).count()
}

/// `handle_request`: one request, or one timeout, and no more.
fn one_request(calls: &[Call]) -> Result<(), String> {
    if count(calls, Hook::ServiceActions) > 0 {
        return Err("handle_request called service_actions".to_owned());
    }
    match (count(calls, Hook::GetRequest), count(calls, Hook::HandleTimeout)) {
        (1, 0) if calls[0].is(Hook::GetRequest) => Ok(()),
        (0, 1) if calls.len() == 1 => Ok(()),
        (requests, timeouts) => {
            Err(format!("handle_request took {requests} requests and {timeouts} timeouts"))
        }
    }
}

/// `serve_forever`: turns, each a request and then `service_actions`, but for the one that ended by a failure.
fn turns(calls: &[Call], failed: bool) -> Result<(), String> {
    if count(calls, Hook::HandleTimeout) > 0 {
        return Err("serve_forever called handle_timeout".to_owned());
    }
    let mut open = false;
    for (number, call) in calls.iter().enumerate() {
        if call.is(Hook::GetRequest) {
            if open {
                return Err(format!("no service_actions before call {number}"));
            }
            open = true;
        } else if call.is(Hook::ServiceActions) {
            // Idle turns are not in a trace, unless something happened in them.
            if !open && call.note.is_none() {
                return Err(format!("service_actions twice in a turn, at call {number}"));
            }
            open = false;
        } else if !open {
            return Err(format!("{call} outside a turn"));
        }
    }
    let in_service_actions = calls.last().is_some_and(|last| last.is(Hook::ServiceActions));
    if open && !failed {
        return Err("no service_actions after the last request".to_owned());
    }
    if failed && !open && !in_service_actions {
        return Err("something failed between two turns".to_owned());
    }
    Ok(())
}
