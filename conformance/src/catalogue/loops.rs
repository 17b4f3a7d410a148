//! What only a loop can do: end and begin again, and be stopped from everywhere.

use super::scripts::{Case, come, send};
use crate::scenario::{Act, Does, Hook, Options, Scenario, Step, StopAt, Strategy, Verb};

pub(super) fn all(plain: &Scenario) -> Vec<Case> {
    let turns = |turns| Verb::ServeForever(StopAt::Turns(turns));
    let asked = Verb::ServeForever(StopAt::Asked);
    let three = || [come(0..3), vec![Step::Drive]].concat();
    let outside = vec![Step::Drive, Step::Connect(0), send(0, "hi\n"), Step::Await(1), Step::Stop];
    let stops = |hook, does| Act { hook, at: 0, does };
    let stopped_by = |hook| Scenario {
        acts: vec![stops(hook, Does::Stop)],
        drive: vec![asked.clone()],
        ..plain.clone()
    };
    let mut cases = vec![
        (
            "two_loops_share_the_backlog",
            Scenario { drive: vec![turns(1), turns(3)], script: three(), ..plain.clone() },
        ),
        (
            "what_is_left_at_the_end",
            Scenario { drive: vec![turns(2)], script: three(), ..plain.clone() },
        ),
        (
            "stopped_from_outside",
            Scenario { drive: vec![asked.clone()], script: outside, ..plain.clone() },
        ),
        (
            "a_request_between_two_loops",
            Scenario {
                drive: vec![turns(1), Verb::HandleRequest, turns(3)],
                script: three(),
                ..plain.clone()
            },
        ),
        (
            "a_failed_loop_serves_again",
            Scenario {
                drive: vec![turns(1), turns(3)],
                acts: vec![Act { hook: Hook::ServiceActions, at: 1, does: Does::Panic }],
                script: three(),
                ..plain.clone()
            },
        ),
        (
            "idle_and_stopped_from_outside",
            Scenario {
                drive: vec![asked.clone()],
                script: vec![Step::Drive, Step::Await(0), Step::Stop],
                ..plain.clone()
            },
        ),
    ];
    if plain.strategy != Strategy::Fork {
        // A child's wish to stop does not reach its parent.
        cases.push(("handler_asks_to_stop", stopped_by(Hook::Handle)));
        cases.push(("finish_asks_to_stop", stopped_by(Hook::Finish)));
    }
    cases.push(("verify_request_asks_to_stop", stopped_by(Hook::VerifyRequest)));
    if plain.strategy != Strategy::Fork {
        // In CPython only a worker thread may: anywhere else it waits for itself.
        // There it hangs, which should not take long; everywhere else nothing may be taken for a hang.
        let limit = (plain.strategy == Strategy::Synchronous).then_some(2000);
        let options = Options { limit, ..plain.options };
        cases.push((
            "handler_calls_shutdown",
            Scenario {
                acts: vec![stops(Hook::Handle, Does::Shutdown)],
                drive: vec![asked],
                options,
                ..plain.clone()
            },
        ));
    }
    cases
}
