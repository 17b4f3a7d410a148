//! What holds for every trace of this project, whatever CPython does: hook order as a grammar.
//!
//! For each accepted request: `verify_request`, then either it is processed or it is shut down; the steps of its handler
//! nest; it is closed once. For each turn of a loop: one `service_actions`. For each verb: nothing after what ended it.

mod request;
mod verbs;

use crate::scenario::{Hook, Scenario};
use crate::trace::{Call, Trace};

/// Checks a trace.
///
/// # Errors
///
/// The first rule that is broken, and by whom.
pub fn check(scenario: &Scenario, trace: &Trace) -> Result<(), String> {
    nothing_left(trace)?;
    verbs::check(scenario, trace)?;
    let accepted = trace.main.0.iter().filter_map(|call| call.request).max();
    let requests = accepted.map_or(0, |last| last + 1);
    for request in 0..requests {
        request::check(scenario.strategy, trace, request)
            .map_err(|rule| format!("request {request}: {rule}"))?;
    }
    match trace.workers.keys().find(|request| **request >= requests) {
        Some(request) => Err(format!("request {request} is served, but was never accepted")),
        None => Ok(()),
    }
}

fn nothing_left(trace: &Trace) -> Result<(), String> {
    if let Some(early) = trace.disorder.first() {
        return Err(format!("before its cause: {early}"));
    }
    if let Some(left) = trace.left.first() {
        return Err(format!("left behind: {left}"));
    }
    match &trace.close.0[..] {
        [close] if close.is(Hook::ServerClose) && close.note.is_none() => Ok(()),
        _ => Err(format!("closing is one server_close, not {:?}", trace.close.to_string())),
    }
}

/// Whether a call fails because the scenario says so: with an error, a panic, an exit.
fn fails(call: &Call) -> bool {
    call.note.as_deref().is_some_and(|note| {
        note == "error" || note.ends_with("panic") || note == "spawn_fails" || exits(call)
    })
}

/// Whether a call asks to exit.
fn exits(call: &Call) -> bool {
    call.note.as_deref().is_some_and(|note| note.starts_with("exit-"))
}

/// Whether `verify_request` said no.
fn refuses(call: &Call) -> bool {
    call.note.as_deref().is_some_and(|note| note.starts_with("refuse"))
}

#[cfg(test)]
mod tests;
