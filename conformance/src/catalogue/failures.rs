//! One request, or none, and one thing that goes wrong: in each hook, in each way it can.

use super::Driver;
use crate::scenario::{Act, Does, Hook, Scenario, Step, StopAt, Strategy, Verb};

#[cfg(test)]
pub(super) const NAMES: [&str; 23] = [
    "normal",
    "handler_error",
    "setup_error",
    "finish_error",
    "verify_false",
    "get_request_oserror",
    "timeout",
    "handler_init_error",
    "handle_and_finish_error",
    "handler_systemexit",
    "handler_keyboardinterrupt",
    "setup_systemexit",
    "verify_raises",
    "verify_raises_oserror",
    "verify_none",
    "get_request_valueerror",
    "handle_error_raises",
    "shutdown_request_raises",
    "close_request_raises",
    "process_request_raises",
    "spawn_fails",
    "handle_timeout_raises",
    "service_actions_raises",
];

/// The acts of each case. The names are those of CPython's exceptions.
const CASES: [(&str, &[(Hook, Does)]); 21] = [
    ("normal", &[]),
    ("handler_error", &[(Hook::Handle, Does::Error)]),
    ("setup_error", &[(Hook::Setup, Does::Error)]),
    ("finish_error", &[(Hook::Finish, Does::Error)]),
    ("verify_false", &[(Hook::VerifyRequest, Does::Refuse)]),
    ("get_request_oserror", &[(Hook::GetRequest, Does::Error)]),
    ("handler_init_error", &[(Hook::Init, Does::Error)]),
    ("handle_and_finish_error", &[(Hook::Handle, Does::Error), (Hook::Finish, Does::Error)]),
    ("handler_systemexit", &[(Hook::Handle, Does::Exit(7))]),
    ("handler_keyboardinterrupt", &[(Hook::Handle, Does::Interrupt)]),
    ("setup_systemexit", &[(Hook::Setup, Does::Exit(7))]),
    ("verify_raises", &[(Hook::VerifyRequest, Does::Panic)]),
    ("verify_raises_oserror", &[(Hook::VerifyRequest, Does::Error)]),
    ("verify_none", &[(Hook::VerifyRequest, Does::RefuseByNone)]),
    ("get_request_valueerror", &[(Hook::GetRequest, Does::Panic)]),
    ("handle_error_raises", &[(Hook::Handle, Does::Error), (Hook::HandleError, Does::Panic)]),
    ("shutdown_request_raises", &[(Hook::ShutdownRequest, Does::Panic)]),
    ("close_request_raises", &[(Hook::CloseRequest, Does::Panic)]),
    ("process_request_raises", &[(Hook::ProcessRequest, Does::Error)]),
    ("handler_panics", &[(Hook::Handle, Does::Panic)]),
    ("finish_panics", &[(Hook::Finish, Does::Panic)]),
];

pub(super) fn all(plain: &Scenario, driver: Driver) -> Vec<(&'static str, Scenario)> {
    let with = |acts: &[(Hook, Does)]| {
        let acts = acts.iter().map(|&(hook, does)| Act { hook, at: 0, does }).collect();
        Scenario { acts, ..plain.clone() }
    };
    let mut cases: Vec<_> = CASES.iter().map(|&(name, acts)| (name, with(acts))).collect();
    if plain.strategy != Strategy::Synchronous {
        cases.push(("spawn_fails", with(&[(Hook::ProcessRequest, Does::SpawnFails)])));
    }
    cases.push(("timeout", idle(plain, driver, Vec::new())));
    match driver {
        Driver::HandleRequest => {
            let fails = Act { hook: Hook::HandleTimeout, at: 0, does: Does::Panic };
            cases.push(("handle_timeout_raises", idle(plain, driver, vec![fails])));
        }
        Driver::ServeForever => {
            let fails = Act { hook: Hook::ServiceActions, at: 1, does: Does::Panic };
            cases.push(("service_actions_raises", Scenario { acts: vec![fails], ..plain.clone() }));
        }
    }
    cases
}

/// Nobody comes.
fn idle(plain: &Scenario, driver: Driver, acts: Vec<Act>) -> Scenario {
    let mut scenario = Scenario { acts, script: vec![Step::Drive], ..plain.clone() };
    scenario.options.timeout = Some(30);
    if driver == Driver::ServeForever {
        scenario.drive = vec![Verb::ServeForever(StopAt::Turns(0))];
    }
    scenario
}
