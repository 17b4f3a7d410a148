//! All faults, each a server that is wrong in one way.

use super::Fault;
use super::calls::{
    any, each_actor, exiting, failing, find, insert_after, refusing, renote, skip, skip_if, swap,
    twice,
};
use super::views::{is_data, outcome, say_instead, seen, with_data, with_end};
use crate::scenario::{HandlerKind, Hook, Scenario, StopAt, Strategy, Verb};
use crate::trace::{Call, Trace};

macro_rules! faults {
    ($($name:literal => |$scenario:pat_param, $trace:ident| $body:expr),* $(,)?) => {
        /// Every fault the harness is tried with.
        pub const FAULTS: &[Fault] = &[$(Fault {
            name: $name,
            apply: |$scenario: &Scenario, $trace: &mut Trace| $body,
        }),*];
    };
}

faults! {
    "finish is skipped after a failing handle" => |_, trace| each_actor(trace, |calls| {
        find(calls, Hook::Handle, failing).is_some() && skip(calls, Hook::Finish)
    }),
    "finish is called after a failing setup" => |_, trace| each_actor(trace, |calls| {
        find(calls, Hook::Setup, failing).is_some_and(|place| {
            insert_after(calls, place, Hook::Finish);
            true
        })
    }),
    "setup is skipped" => |_, trace| each_actor(trace, |calls| skip(calls, Hook::Setup)),
    "the handler is made twice" => |_, trace| each_actor(trace, |calls| twice(calls, Hook::Init)),
    "handle comes before setup" => |_, trace| each_actor(trace, |calls| swap(calls, Hook::Setup, Hook::Handle)),
    "verify_request comes after process_request" => |_, trace| {
        swap(&mut trace.main.0, Hook::VerifyRequest, Hook::ProcessRequest)
    },
    "verify_request is skipped" => |_, trace| skip(&mut trace.main.0, Hook::VerifyRequest),
    "a refused request is processed" => |_, trace| {
        let calls = &mut trace.main.0;
        find(calls, Hook::VerifyRequest, refusing).is_some_and(|place| {
            insert_after(calls, place, Hook::ProcessRequest);
            true
        })
    },
    "a refused request is never closed" => |_, trace| {
        let calls = &mut trace.main.0;
        find(calls, Hook::VerifyRequest, refusing).is_some()
            && skip(calls, Hook::ShutdownRequest)
            && skip(calls, Hook::CloseRequest)
    },
    "a request whose verify_request fails is never closed" => |_, trace| {
        let calls = &mut trace.main.0;
        find(calls, Hook::VerifyRequest, failing).is_some()
            && skip(calls, Hook::ShutdownRequest)
            && skip(calls, Hook::CloseRequest)
    },
    "shutdown_request is called twice" => |_, trace| each_actor(trace, |calls| twice(calls, Hook::ShutdownRequest)),
    "shutdown_request is skipped" => |_, trace| each_actor(trace, |calls| skip(calls, Hook::ShutdownRequest)),
    "close_request is called twice" => |_, trace| each_actor(trace, |calls| twice(calls, Hook::CloseRequest)),
    "close_request is skipped" => |_, trace| each_actor(trace, |calls| skip(calls, Hook::CloseRequest)),
    "a request is closed before it is shut down" => |_, trace| each_actor(trace, |calls| {
        swap(calls, Hook::ShutdownRequest, Hook::CloseRequest)
    }),
    "an exit is reported as an error" => |_, trace| each_actor(trace, |calls| {
        find(calls, Hook::Finish, any)
            .filter(|_| find(calls, Hook::Handle, exiting).is_some())
            .is_some_and(|place| {
                insert_after(calls, place, Hook::HandleError);
                true
            })
    }),
    "an error is swallowed" => |_, trace| each_actor(trace, |calls| skip(calls, Hook::HandleError)),
    "an error is reported twice" => |_, trace| each_actor(trace, |calls| twice(calls, Hook::HandleError)),
    "an error is reported when the request is closed" => |_, trace| each_actor(trace, |calls| {
        swap(calls, Hook::HandleError, Hook::CloseRequest)
    }),
    "the first of two errors is reported" => |_, trace| each_actor(trace, |calls| {
        let both = |call: &Call| call.note.as_deref().is_some_and(|note| note.contains("<-"));
        renote(calls, both, Some("injected-handle"))
    }),
    "service_actions is skipped after a request" => |_, trace| {
        skip_if(&mut trace.main.0, Hook::ServiceActions, |call| call.note.is_none())
    },
    "service_actions is called twice in a turn" => |_, trace| twice(&mut trace.main.0, Hook::ServiceActions),
    "service_actions is called on the last turn" => |scenario, trace| {
        let stopped = scenario.drive.last() == Some(&Verb::ServeForever(StopAt::Asked));
        let end = trace.main.0.len().saturating_sub(1);
        if stopped {
            trace.main.0.insert(end, Call::new(Hook::ServiceActions));
        }
        stopped
    },
    "handle_request calls service_actions" => |scenario, trace| {
        let one = scenario.drive == [Verb::HandleRequest];
        let end = trace.main.0.len().saturating_sub(1);
        if one {
            trace.main.0.insert(end, Call::new(Hook::ServiceActions));
        }
        one
    },
    "a request is served after the shutdown" => |_, trace| serve_one_more(trace),
    "a second loop serves nobody" => |scenario, trace| {
        let two = scenario.drive.len() > 1;
        let first = trace.main.0.iter().position(|call| call.name == "|");
        match first {
            Some(first) if two => {
                let before = trace.main.0.len();
                let mut place = 0;
                trace.main.0.retain(|call| {
                    place += 1;
                    place <= first + 1 || call.name == "|"
                });
                trace.main.0.len() < before
            }
            _ => false,
        }
    },
    "a timeout is counted twice" => |_, trace| twice(&mut trace.main.0, Hook::HandleTimeout),
    "a timeout is not told" => |_, trace| skip(&mut trace.main.0, Hook::HandleTimeout),
    "serve_forever calls handle_timeout" => |scenario, trace| {
        let looping = matches!(scenario.drive.first(), Some(Verb::ServeForever(_)));
        if looping {
            trace.main.0.insert(0, Call::new(Hook::HandleTimeout));
        }
        looping
    },
    "an exit does not end the loop" => |_, trace| outcome(trace, |it| it.starts_with("raised exit"), "returned"),
    "the exit of a worker ends the loop" => |scenario, trace| {
        let exits = trace.workers.values().any(|calls| calls.0.iter().any(exiting));
        exits && scenario.strategy != Strategy::Synchronous && outcome(trace, |_| true, "raised exit-7")
    },
    "the exit of a worker is lost" => |_, trace| {
        trace.workers.values_mut().any(|calls| {
            let before = calls.0.len();
            calls.0.retain(|call| call.name != "escaped");
            calls.0.len() < before
        })
    },
    "a panic of a hook is lost" => |_, trace| {
        outcome(trace, |it| it.starts_with("raised injected"), "returned")
    },
    "a failed accept ends the loop" => |_, trace| {
        find(&trace.main.0, Hook::GetRequest, failing).is_some()
            && outcome(trace, |it| it == "returned", "raised injected-get_request")
    },
    "a worker's request is served in the serving thread" => |scenario, trace| {
        let workers = std::mem::take(&mut trace.workers);
        let Some((request, calls)) = workers.into_iter().next().filter(|_| scenario.strategy.is_threads())
        else {
            return false;
        };
        let own = calls.0.into_iter().filter(|call| !call.is(Hook::ProcessRequestThread));
        let place = trace.main.0.iter().position(|call| call.is(Hook::ProcessRequest));
        let place = place.map_or(0, |place| place + 1);
        trace.main.0.splice(place..place, own.map(|call| call.of(Some(request))));
        true
    },
    "a worker runs before its request is processed" => |_, trace| {
        let has = !trace.workers.is_empty();
        if has {
            trace.disorder.push("finish_request before process_request:0".to_owned());
        }
        has
    },
    "the parent shuts its child's connection down" => |scenario, trace| {
        let calls = &mut trace.main.0;
        let close = find(calls, Hook::CloseRequest, any).filter(|_| scenario.strategy == Strategy::Fork);
        close.is_some_and(|place| {
            let call = Call::new(Hook::ShutdownRequest).of(calls[place].request);
            calls.insert(place, call);
            true
        })
    },
    "a child is never reaped" => |_, trace| {
        trace.workers.values_mut().any(|calls| {
            let before = calls.0.len();
            calls.0.retain(|call| call.name != "exit");
            calls.0.len() < before
        })
    },
    "a failed child ends well" => |_, trace| {
        trace.workers.values_mut().any(|calls| {
            renote(&mut calls.0, |call| call.name == "exit" && call.note.as_deref() == Some("1"), Some("0"))
        })
    },
    "a reply is lost" => |_, trace| seen(trace, with_data, |words| words.retain(|word| !is_data(word))),
    "a reply is sent twice" => |_, trace| seen(trace, with_data, |words| {
        let data = words.iter().find(|word| is_data(word)).cloned();
        words.extend(data);
    }),
    "a byte of a reply is lost" => |_, trace| seen(trace, with_data, |words| {
        for word in words.iter_mut().filter(|word| is_data(word)) {
            word.remove(1);
        }
    }),
    "a connection stays open" => |_, trace| seen(trace, with_end, |words| say_instead(words, "end", "open")),
    "a connection is reset instead of ended" => |_, trace| {
        seen(trace, with_end, |words| say_instead(words, "end", "reset"))
    },
    "an empty reply is sent" => |scenario, trace| {
        let silent = !scenario.transport.is_stream() && scenario.handler == HandlerKind::Files;
        silent && seen(trace, <[String]>::is_empty, |words| words.push("\"\"".to_owned()))
    },
    "a client gets another one's reply" => |_, trace| {
        let mut replies: Vec<_> =
            trace.clients.values_mut().filter(|words| with_data(words)).collect();
        match &mut replies[..] {
            [first, second, ..] if first != second => {
                std::mem::swap(*first, *second);
                true
            }
            _ => false,
        }
    },
    "a thread is left behind" => |scenario, trace| {
        let threads = scenario.strategy.is_threads();
        if threads {
            trace.left.push("thread".to_owned());
        }
        threads
    },
    "a request is not counted" => |_, trace| {
        trace.left.push("1 requests unaccounted for".to_owned());
        true
    },
    "server_close is skipped" => |_, trace| skip(&mut trace.close.0, Hook::ServerClose),
    "server_close is called twice" => |_, trace| twice(&mut trace.close.0, Hook::ServerClose),
}

/// One more turn at the end, like the last one, for a request that should have stayed in the backlog.
fn serve_one_more(trace: &mut Trace) -> bool {
    let calls = &mut trace.main.0;
    let Some(last) = calls.iter().rposition(|call| call.is(Hook::GetRequest)) else { return false };
    let request = calls.iter().filter_map(|call| call.request).max().map_or(0, |last| last + 1);
    let unserved = trace.clients.values().any(|words| words.iter().any(|word| word == "reset"));
    let turn: Vec<_> = calls[last..]
        .iter()
        .filter(|call| call.name != "|")
        .map(|call| Call { request: call.request.map(|_| request), ..call.clone() })
        .collect();
    let end = calls.len().saturating_sub(1);
    if unserved {
        calls.splice(end..end, turn);
    }
    unserved
}
