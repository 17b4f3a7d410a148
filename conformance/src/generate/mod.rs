//! Scenarios nobody thought of: drawn by proptest, so that one that shows a difference shrinks to a short one.
//!
//! What is drawn is a draft, a bag of choices that are all possible; making a scenario of it leaves out what would be a
//! matter of luck even in CPython, or would never end.

mod acts;
mod assemble;
mod fit;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy as Draw, any};
use proptest::prop_oneof;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::scenario::{HandlerKind, Op, Scenario, Strategy, Transport};

use acts::Trouble;

/// Choices that make a scenario.
#[derive(Clone, Debug)]
struct Draft {
    transport: Transport,
    strategy: Strategy,
    handler: HandlerKind,
    handle: Vec<Op>,
    clients: Vec<ClientDraft>,
    /// Where the clients' steps come between those of others.
    order: Vec<usize>,
    drive: DriveDraft,
    settings: Settings,
    /// Calls of `get_request` that fail: with an error, or else in a way that ends the loop.
    get_request: Vec<(usize, bool)>,
    /// After how many turns `service_actions` fails.
    service_actions: Option<usize>,
}

/// What a client does and what its request meets.
#[derive(Clone, Debug)]
struct ClientDraft {
    lines: Vec<String>,
    /// The last line has no end.
    cut: bool,
    /// How its text is cut in pieces.
    pieces: usize,
    half_close: bool,
    end: End,
    trouble: Option<Trouble>,
}

/// How a client goes, before it is served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    Stays,
    Closes,
    Resets,
    /// It has no name, where that exists.
    Unnamed,
}

/// How the server is driven.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum DriveDraft {
    /// `handle_request` as often as there is something to handle, and once more if so.
    Requests { idle: bool },
    /// Loops that end after so many turns each.
    Loops { first: usize, between: bool },
    /// A loop that is stopped from outside.
    Outside,
    /// A loop that the last handler stops.
    Handler { waits: bool },
    /// Clients wait for answers before they go on.
    Conversation,
}

/// Settings, as far as they fit.
#[derive(Clone, Copy, Debug)]
struct Settings {
    early: bool,
    rbufsize: Option<usize>,
    wbufsize: Option<usize>,
    impatient: bool,
    max_packet_size: Option<usize>,
    max_children: Option<usize>,
}

/// Draws scenarios; all there are, or those that `filter` lets pass by strategy and transport.
pub fn scenarios(
    strategies: Vec<Strategy>,
    transports: Vec<Transport>,
) -> impl Draw<Value = Scenario> {
    (
        (proptest::sample::select(transports), proptest::sample::select(strategies)),
        prop_oneof![4 => Just(HandlerKind::Files), 1 => Just(HandlerKind::Base)],
        vec(op(), 0..4),
        vec(client(), 1..4),
        vec(any::<usize>(), 12),
        drive(),
        settings(),
        vec((0..4_usize, any::<bool>()), 0..2),
        weighted(0.1, 1..4_usize),
    )
        .prop_map(
            |(
                (transport, strategy),
                handler,
                handle,
                clients,
                order,
                drive,
                settings,
                get_request,
                service_actions,
            )| {
                assemble::scenario(Draft {
                    transport,
                    strategy,
                    handler,
                    handle,
                    clients,
                    order,
                    drive,
                    settings,
                    get_request,
                    service_actions,
                })
            },
        )
}

/// Draws so many scenarios of all kinds; the same for the same seed.
pub fn drawn(seed: u64, count: usize) -> Vec<Scenario> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let draw = scenarios(Strategy::ALL.to_vec(), Transport::ALL.to_vec());
    // Nothing is filtered, so every draw succeeds.
    (0..count).filter_map(|_| Some(draw.new_tree(&mut runner).ok()?.current())).collect()
}

fn op() -> impl Draw<Value = Op> {
    prop_oneof![
        3 => Just(Op::ReadLine),
        3 => Just(Op::Reply),
        1 => (0..6_usize).prop_map(Op::ReadExact),
        1 => Just(Op::ReadAll),
        1 => "[a-c]{1,3}".prop_map(Op::Write),
        1 => Just(Op::Flush),
        2 => Just(Op::EchoLines),
    ]
}

fn client() -> impl Draw<Value = ClientDraft> {
    (
        vec("[a-c]{0,4}", 0..3),
        any::<bool>(),
        1..4_usize,
        any::<bool>(),
        prop_oneof![
            6 => Just(End::Stays),
            1 => Just(End::Closes),
            1 => Just(End::Resets),
            1 => Just(End::Unnamed)
        ],
        weighted(0.4, acts::trouble()),
    )
        .prop_map(|(lines, cut, pieces, half_close, end, trouble)| ClientDraft {
            lines,
            cut,
            pieces,
            half_close,
            end,
            trouble,
        })
}

fn drive() -> impl Draw<Value = DriveDraft> {
    prop_oneof![
        3 => any::<bool>().prop_map(|idle| DriveDraft::Requests { idle }),
        3 => (0..4_usize, any::<bool>())
            .prop_map(|(first, between)| DriveDraft::Loops { first, between }),
        1 => Just(DriveDraft::Outside),
        1 => any::<bool>().prop_map(|waits| DriveDraft::Handler { waits }),
        2 => Just(DriveDraft::Conversation),
    ]
}

fn settings() -> impl Draw<Value = Settings> {
    (
        any::<bool>(),
        weighted(0.3, proptest::sample::select(vec![0, 1, 4])),
        weighted(0.3, proptest::sample::select(vec![0, 1, 4, 100])),
        proptest::bool::weighted(0.1),
        weighted(0.2, 1..6_usize),
        weighted(0.3, 1..3_usize),
    )
        .prop_map(|(early, rbufsize, wbufsize, impatient, max_packet_size, max_children)| {
            Settings { early, rbufsize, wbufsize, impatient, max_packet_size, max_children }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Hook, Step, Verb};

    /// What must be seen among what is drawn, or a part of the harness is asleep.
    #[test]
    fn everything_is_drawn_sooner_or_later() {
        let drawn = drawn(1, 2000);
        let some = |what: &str, is: &dyn Fn(&Scenario) -> bool| {
            assert!(drawn.iter().filter(|scenario| is(scenario)).count() > 5, "{what} is rare");
        };
        for strategy in Strategy::ALL {
            for transport in Transport::ALL {
                some("a combination", &|it| it.strategy == strategy && it.transport == transport);
            }
        }
        for hook in [
            Hook::GetRequest,
            Hook::VerifyRequest,
            Hook::ProcessRequest,
            Hook::Init,
            Hook::Setup,
            Hook::Handle,
            Hook::Finish,
            Hook::HandleError,
            Hook::ShutdownRequest,
            Hook::CloseRequest,
            Hook::ServiceActions,
        ] {
            some(&hook.to_string(), &|it| it.acts.iter().any(|act| act.hook == hook));
        }
        some("several clients", &|it| it.client_of(2).is_some());
        some("several loops", &|it| {
            it.drive.iter().filter(|verb| matches!(verb, Verb::ServeForever(_))).count() > 1
        });
        for step in ["Reset", "Close", "HalfClose", "Read", "Stop", "Drive", "ConnectUnnamed"] {
            some(step, &|it| it.script.iter().any(|is: &Step| format!("{is:?}").starts_with(step)));
        }
    }
}
