//! What can be done to a server and to its clients, and how it is drawn.

use proptest::prelude::*;

/// One step of a life.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// A request comes in.
    Deliver(Kind),
    /// The handlers that block are let go: the oldest, or all there are.
    Release(Whose),
    /// The clients of all connections so far send something.
    Send,
    /// They hang up.
    HangUp,
    /// A thread begins to serve. One that serves already is stopped first.
    Serve,
    /// The server is stopped and comes home, with its handlers still at work where they have threads of their own.
    Stop,
    /// `handle_request`, which does not wait.
    HandleOne,
    /// It is suspended, waited for, tried and resumed.
    Pause,
    /// All are let go, and a server that may serve all that have come does.
    Settle,
    /// Several threads do something to the server at the same time; nobody waits for them here.
    Crowd(Vec<Deed>),
    Drain(Staged),
    Close,
    /// It is dropped, and there is another one.
    Renew,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    Oldest,
    All,
}

/// What a request does to its handler.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Quick,
    /// Until it is released. No connection, so nobody can cut it.
    Blocks,
    Fails,
    Panics,
    /// Asks to exit.
    Exits,
    /// Takes the request over.
    Detaches,
    /// `verify_request` says no.
    Refused,
    /// `verify_request` panics, which unwinds out of the verb.
    BadHook,
    /// A connection whose handler is idle up to what its client does next.
    Idle,
    /// The same, but busy.
    Busy,
    /// Asks the server to stop.
    Stops,
    /// Suspends the server and resumes it.
    Suspends,
}

/// What a thread does to a server that may be serving.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    Stop,
    StopAndWait,
    Suspend,
    Resume,
    Limit(usize),
    WaitUntilAtMost(usize),
    EndConnections,
    Look,
    Release,
}

/// A drain with limits in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staged {
    pub(crate) deadline: u64,
    pub(crate) grace: u64,
    pub(crate) backlog: bool,
}

pub(crate) fn command() -> BoxedStrategy<Command> {
    let release = prop_oneof![Just(Whose::Oldest), Just(Whose::All)];
    let staged = (0..4_u64, 0..4_u64, any::<bool>())
        .prop_map(|(deadline, grace, backlog)| Staged { deadline, grace, backlog });
    prop_oneof![
        12 => kind().prop_map(Command::Deliver),
        3 => release.prop_map(Command::Release),
        1 => Just(Command::Send),
        1 => Just(Command::HangUp),
        4 => Just(Command::Serve),
        2 => Just(Command::Stop),
        2 => Just(Command::HandleOne),
        2 => Just(Command::Pause),
        3 => Just(Command::Settle),
        6 => prop::collection::vec(deed(), 1..4).prop_map(Command::Crowd),
        2 => staged.prop_map(Command::Drain),
        1 => Just(Command::Close),
        2 => Just(Command::Renew),
    ]
    .boxed()
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Quick),
        3 => Just(Kind::Blocks),
        1 => Just(Kind::Fails),
        1 => Just(Kind::Panics),
        1 => Just(Kind::Exits),
        1 => Just(Kind::Detaches),
        1 => Just(Kind::Refused),
        1 => Just(Kind::BadHook),
        3 => Just(Kind::Idle),
        2 => Just(Kind::Busy),
        1 => Just(Kind::Stops),
        1 => Just(Kind::Suspends),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        1 => Just(Deed::Stop),
        1 => Just(Deed::StopAndWait),
        2 => Just(Deed::Suspend),
        3 => Just(Deed::Resume),
        2 => (0..4_usize).prop_map(Deed::Limit),
        1 => (0..2_usize).prop_map(Deed::WaitUntilAtMost),
        1 => Just(Deed::EndConnections),
        1 => Just(Deed::Look),
        2 => Just(Deed::Release),
    ]
}
