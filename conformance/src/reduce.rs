//! From what a subject reported to a trace: who did what in which order, without what differs from run to run.

use std::collections::BTreeMap;

use crate::scenario::Hook;
use crate::trace::{Call, Calls, Trace};
use crate::wire::{Actor, HookCall, Report};

/// What stands in the serving thread's calls where a verb ended.
const VERB_END: &str = "|";

/// Makes the trace of what was reported and what the clients saw.
pub(crate) fn reduce(reports: &[Report], clients: BTreeMap<usize, Vec<String>>) -> Trace {
    let mut trace = Trace { clients, ..Trace::default() };
    // Which request a child serves is told by its calls, and its end by its number.
    let mut children = BTreeMap::new();
    let mut driven = false;
    for report in reports {
        match report {
            Report::Hook(call) => {
                if call.actor == Actor::Child {
                    children.insert(call.pid, call.request);
                }
                note_call(&mut trace, call, driven);
            }
            Report::Verb { outcome } => {
                trace.outcomes.push(outcome.clone());
                trace.main.0.push(Call::new(VERB_END));
            }
            Report::Driven => driven = true,
            Report::Escaped { request, what } => {
                worker(&mut trace, *request).push(Call::new("escaped").noting(what));
            }
            Report::Exit { pid, status } => match children.get(pid) {
                Some(Some(request)) => {
                    worker(&mut trace, *request).push(Call::new("exit").noting(status));
                }
                // A child that never said what it serves.
                _ => trace.left.push(format!("exit {status} of an unknown child")),
            },
            Report::Closed { outcome, left } => {
                if outcome != "returned" {
                    trace.close.0.push(Call::new(outcome.replace(' ', "-")));
                }
                trace.left.extend(left.iter().cloned());
            }
            Report::Hello { .. }
            | Report::Ready { .. }
            | Report::Unsupported { .. }
            | Report::Failed { .. } => {}
        }
    }
    trace
}

/// Whether `get_request` has been called so often, and what the serving thread did about it is over.
pub(crate) fn settled(reports: &[Report], turns: usize) -> bool {
    let mut got = 0;
    for report in reports {
        match report {
            Report::Hook(call) if call.actor == Actor::Main => {
                if call.hook == Hook::GetRequest {
                    got += 1;
                } else if call.hook == Hook::ServiceActions && got >= turns {
                    return true;
                }
            }
            Report::Verb { .. } if got >= turns => return true,
            _ => {}
        }
    }
    false
}

fn worker(trace: &mut Trace, request: usize) -> &mut Vec<Call> {
    &mut trace.workers.entry(request).or_default().0
}

fn note_call(trace: &mut Trace, call: &HookCall, driven: bool) {
    let mut word = Call::new(call.hook);
    if let Some(does) = call.does {
        word = word.noting(does);
    }
    if let Some(error) = &call.error {
        let does = call.does.map(|does| format!("-{does}")).unwrap_or_default();
        word = word.noting(format!("{error}{does}"));
    }
    match (call.actor, call.request) {
        (Actor::Worker | Actor::Child, Some(request)) => {
            let handed_over = trace
                .main
                .0
                .iter()
                .any(|main| main.is(Hook::ProcessRequest) && main.request == Some(request));
            if !handed_over {
                trace.disorder.push(format!("{} before process_request:{request}", call.hook));
            }
            worker(trace, request).push(word);
        }
        (Actor::Main, _) if driven => trace.close.0.push(word.of(call.request)),
        // How often an idle loop turns is a matter of time. A turn that did something has its own.
        (Actor::Main, _) if is_idle_turn(&trace.main, call) => {}
        (Actor::Main, _) => trace.main.0.push(word.of(call.request)),
        (_, None) => trace.disorder.push(format!("{} outside the serving thread", call.hook)),
    }
}

/// Whether this call of a hook belongs to a turn of the loop in which nothing else happened.
fn is_idle_turn(main: &Calls, call: &HookCall) -> bool {
    let ends_turn = |call: &Call| {
        call.is(Hook::ServiceActions) || call.is(Hook::CollectChildren) || call.name == VERB_END
    };
    match call.hook {
        Hook::ServiceActions => call.does.is_none() && main.0.last().is_none_or(ends_turn),
        // It follows the one before.
        Hook::CollectChildren => {
            main.0.last().is_none_or(|last| last.is(Hook::CollectChildren) || last.name == VERB_END)
        }
        _ => false,
    }
}
