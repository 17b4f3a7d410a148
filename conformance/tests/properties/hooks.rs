//! The order of the hooks as a grammar: what any run may look like, and nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use proptest::prelude::*;
use socketserver_core::testing::{Act, Hook, Inline, RecordingService, ScriptedTransport};
use socketserver_core::{Ended, Handled, Server, ServerConfig};

/// Acts with the hook and the number of the call they are for.
type Acts = Vec<(Hook, usize, Act)>;

fn acts() -> impl Strategy<Value = Acts> {
    let act = prop_oneof![
        (Just(Hook::VerifyRequest), prop::sample::select(&[Act::Fail, Act::Panic][..])),
        (
            Just(Hook::FinishRequest),
            prop::sample::select(
                &[Act::Fail, Act::Panic, Act::Exit(3), Act::Detach, Act::Stop][..]
            )
        ),
        (Just(Hook::HandleError), Just(Act::Panic)),
        (Just(Hook::HandleTimeout), prop::sample::select(&[Act::Panic, Act::Stop][..])),
        (Just(Hook::ServiceActions), prop::sample::select(&[Act::Panic, Act::Stop][..])),
        (Just(Hook::ShutdownRequest), Just(Act::Panic)),
        (Just(Hook::CloseRequest), Just(Act::Panic)),
    ];
    let entry = (act, 1..8_usize).prop_map(|((hook, act), nth)| (hook, nth, act));
    prop::collection::vec(entry, 0..16)
}

/// How a sentence of the grammar ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// All is well, go on.
    Well,
    /// The verb unwinds.
    Unwinds,
    /// The loop ends because a handler asked for that.
    Exits,
}

/// Reads a run, hook by hook.
struct Reader<'a> {
    left: Vec<&'a str>,
    acts: &'a Acts,
    read: Vec<Hook>,
    /// Whether a hook has ordered a stop.
    stopped: bool,
    /// How many requests left by being closed, and how many by being taken over.
    closed: u64,
    detached: u64,
}

impl<'a> Reader<'a> {
    fn new(run: &'a str, acts: &'a Acts) -> Self {
        let left = run.split_whitespace().rev().collect();
        Self { left, acts, read: Vec::new(), stopped: false, closed: 0, detached: 0 }
    }

    /// The next hook must be this one. Gives what it did.
    fn expect(&mut self, hook: Hook, short: &str) -> Act {
        assert_eq!(self.left.pop(), Some(short), "after {:?}", self.read);
        self.read.push(hook);
        let nth = self.read.iter().filter(|read| **read == hook).count();
        // Of several acts for a call the last counts.
        let mut acts = self.acts.iter().rev();
        let act = acts.find(|act| (act.0, act.1) == (hook, nth)).map_or(Act::Normal, |act| act.2);
        self.stopped |= act == Act::Stop;
        act
    }

    /// `request = VR ( closing | FR [HE] [closing] )`
    fn request(&mut self) -> End {
        match self.expect(Hook::VerifyRequest, "VR") {
            Act::Fail => return self.closing(End::Well),
            Act::Panic => return self.closing(End::Unwinds),
            _ => {}
        }
        match self.expect(Hook::FinishRequest, "FR") {
            Act::Fail | Act::Panic => match self.expect(Hook::HandleError, "HE") {
                Act::Panic => self.closing(End::Unwinds),
                _ => self.closing(End::Well),
            },
            Act::Exit(_) => self.closing(End::Exits),
            Act::Detach => {
                self.detached += 1;
                End::Well
            }
            _ => self.closing(End::Well),
        }
    }

    /// `closing = SR CR`, but whatever panics is the last, and the request is closed all the same.
    fn closing(&mut self, end: End) -> End {
        self.closed += 1;
        if self.expect(Hook::ShutdownRequest, "SR") == Act::Panic
            || self.expect(Hook::CloseRequest, "CR") == Act::Panic
        {
            End::Unwinds
        } else {
            end
        }
    }

    /// `run = { request SA }`, with the last turn cut where it ends the run; or idle turns, `SA` alone, once
    /// there are no requests. Says how it ended.
    fn forever(&mut self, requests: &mut u64) -> End {
        // The end of a run uses the stop up.
        self.stopped = false;
        loop {
            if *requests > 0 {
                *requests -= 1;
                let taken = self.request();
                if taken != End::Well {
                    return taken;
                }
            }
            if self.expect(Hook::ServiceActions, "SA") == Act::Panic {
                return End::Unwinds;
            }
            // A stop is noticed between two turns, whichever hook ordered it.
            if self.stopped {
                return End::Well;
            }
        }
    }
}

fn recording(acts: &Acts) -> RecordingService {
    acts.iter()
        .fold(RecordingService::new(), |service, (hook, nth, act)| service.with(*hook, *nth, *act))
}

/// Runs a verb whose hooks may panic, and says how it ended.
fn end_of<R>(verb: impl FnOnce() -> R, exits: impl FnOnce(R) -> bool) -> End {
    match catch_unwind(AssertUnwindSafe(verb)) {
        Ok(result) => {
            if exits(result) {
                End::Exits
            } else {
                End::Well
            }
        }
        Err(_) => End::Unwinds,
    }
}

proptest! {
    /// Runs after runs, until there is nothing left to do.
    #[test]
    fn serve_forever_keeps_to_the_grammar(mut acts in acts(), requests in 0..8_u64) {
        // So that each run ends: the ninth turn of it at the latest stops it.
        acts.extend((1..200).filter(|nth| nth % 9 == 0).map(|nth| (Hook::ServiceActions, nth, Act::Stop)));
        let transport = ScriptedTransport::new();
        let script = transport.script();
        for number in 0..requests {
            script.request(number.to_string());
        }
        let service = recording(&acts);
        let calls = service.calls();
        let mut server = Server::new(transport, Inline, service);
        let mut ends = Vec::new();
        loop {
            let idle = script.backlog() == 0;
            ends.push(end_of(|| server.serve_forever().unwrap(), |end| end != Ended::Shutdown));
            if idle {
                break;
            }
        }
        let hooks = calls.hooks();
        let mut reader = Reader::new(&hooks, &acts);
        let mut left = requests;
        for end in ends {
            prop_assert_eq!(reader.forever(&mut left), end);
        }
        prop_assert_eq!(reader.left.len(), 0, "more than the grammar has: {}", hooks);
        let counts = server.counts();
        prop_assert_eq!((counts.accepted, counts.in_progress()), (requests, 0));
        prop_assert_eq!(counts.detached, reader.detached);
        prop_assert_eq!(reader.closed + reader.detached, requests);
        prop_assert_eq!(script.closed().closed(), requests, "each is gone, whatever panicked");
    }

    /// A call is a request or a timeout, and has no service actions.
    #[test]
    fn handle_request_keeps_to_the_grammar(acts in acts(), requests in 0..8_u64) {
        let transport = ScriptedTransport::new();
        let script = transport.script();
        for number in 0..requests {
            script.request(number.to_string());
        }
        let service = recording(&acts);
        let calls = service.calls();
        let config = ServerConfig::new().timeout(Duration::from_secs(1));
        let mut server = Server::new(transport, Inline, service).with_config(config);
        let handled: Vec<_> = (0..requests + 3)
            .map(|_| {
                let exits = |handled| matches!(handled, Handled::Exited(_));
                end_of(|| server.handle_request().unwrap(), exits)
            })
            .collect();
        let hooks = calls.hooks();
        let mut reader = Reader::new(&hooks, &acts);
        for (number, end) in (0..).zip(handled) {
            if number < requests {
                prop_assert_eq!(reader.request(), end);
            } else if std::mem::take(&mut reader.stopped) {
                // It did not wait, for a hook had ordered a stop; that used it up.
                prop_assert_eq!(end, End::Well);
            } else {
                let act = reader.expect(Hook::HandleTimeout, "HT");
                prop_assert_eq!(act == Act::Panic, end == End::Unwinds);
            }
        }
        prop_assert_eq!(reader.left.len(), 0, "more than the grammar has: {}", hooks);
        prop_assert_eq!(script.closed().closed(), requests);
    }
}
