//! What a scenario is: a server, what its hooks do, and what its clients do, all of it data. Knows nothing of how a
//! subject plays it.

mod options;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use options::Options;

/// Where the server's requests come from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// A TCP socket on 127.0.0.1.
    Tcp,
    /// A UDP socket on 127.0.0.1.
    Udp,
    /// A Unix stream socket at a path.
    UnixStream,
    /// A Unix datagram socket at a path.
    UnixDatagram,
}

/// How requests run side by side.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// In the serving thread.
    Synchronous,
    /// CPython's `ThreadingMixIn`.
    ThreadPerRequest,
    /// A pool, which CPython does not have: held against its `ThreadingMixIn`.
    ThreadPool,
    /// The same with rayon's threads.
    RayonPool,
    /// CPython's `ForkingMixIn`.
    Fork,
}

/// Which of the three handlers serves.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HandlerKind {
    /// `BaseRequestHandler`: the request as it is.
    Base,
    /// `StreamRequestHandler`, or `DatagramRequestHandler` for a transport of packets.
    Files,
}

/// The hooks whose calls are traced.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "CPython's names say it")]
pub enum Hook {
    GetRequest,
    VerifyRequest,
    ProcessRequest,
    ProcessRequestThread,
    FinishRequest,
    Init,
    Setup,
    Handle,
    Finish,
    HandleError,
    ShutdownRequest,
    CloseRequest,
    HandleTimeout,
    ServiceActions,
    CollectChildren,
    ServerClose,
}

/// What a hook does instead of, or after, the stock one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// `verify_request` says no.
    Refuse,
    /// `verify_request` says `None`, which is no, too.
    RefuseByNone,
    /// It fails in the way a caller expects: an `OSError` from `get_request` and `verify_request`, an `Exception` from a
    /// step of the handler or from `process_request`; here an `Err` where the hook can give one.
    Error,
    /// It fails in a way nobody expects: an `Exception` that is no `OSError`; here a panic.
    Panic,
    /// `SystemExit` with this code.
    Exit(u8),
    /// `KeyboardInterrupt`.
    Interrupt,
    /// It asks the server to stop, and does not wait for that.
    Stop,
    /// It stops the server and waits: CPython's `shutdown()`.
    Shutdown,
    /// `process_request` finds that the system gives no more threads or processes.
    SpawnFails,
}

/// One hook, once, does something else.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Act {
    /// Which hook.
    pub hook: Hook,
    /// For which request, counted from 0 in the order they were accepted. For `get_request` and `handle_timeout`: at which
    /// of its calls. For `service_actions`: at the first call after this many calls of `get_request`.
    pub at: usize,
    /// What.
    pub does: Does,
}

/// One thing the handler's `handle` does.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Reads a line, or what there is before the end.
    ReadLine,
    /// Reads this many bytes, or what there is before the end.
    ReadExact(usize),
    /// Reads up to the end.
    ReadAll,
    /// Writes `re:` and what was read last.
    Reply,
    /// Writes this.
    Write(String),
    /// Flushes `wfile`.
    Flush,
    /// For each line up to the end: reads it, and replies.
    EchoLines,
}

/// One thing the driver, the thread that serves, does.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// `handle_request`, once.
    HandleRequest,
    /// `serve_forever`, up to a stop.
    ServeForever(StopAt),
}

/// What ends a `serve_forever`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StopAt {
    /// `service_actions` asks for it, when `get_request` has been called at least this often in all.
    Turns(usize),
    /// Something else: the script, or what a hook does.
    Asked,
}

/// One thing that happens outside the server. The steps happen one after another.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A client connects, or makes its datagram socket.
    Connect(usize),
    /// A client makes a datagram socket without a name.
    ConnectUnnamed(usize),
    /// A client sends text: on a stream a piece of it, else one packet.
    Send(usize, String),
    /// A client says that it will send no more.
    HalfClose(usize),
    /// A client closes its connection in a way that resets it, where that exists.
    Reset(usize),
    /// A client closes its connection.
    Close(usize),
    /// A client reads this many bytes, or one packet.
    Read(usize, usize),
    /// The driver starts. Without this step it does before the first.
    Drive,
    /// Waits until `get_request` has been called this often and what it led to in the serving thread is over.
    Await(usize),
    /// Somebody outside calls `shutdown()`.
    Stop,
}

/// A server, what its hooks do, and what its clients do.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Scenario {
    /// Where requests come from.
    pub transport: Transport,
    /// How they run side by side.
    pub strategy: Strategy,
    /// Which handler serves them.
    pub handler: HandlerKind,
    /// Settings.
    pub options: Options,
    /// What the serving thread does.
    pub drive: Vec<Verb>,
    /// Where hooks do something else than the stock ones.
    pub acts: Vec<Act>,
    /// What `handle` does.
    pub handle: Vec<Op>,
    /// What happens outside.
    pub script: Vec<Step>,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tcp, Self::Udp, Self::UnixStream, Self::UnixDatagram];

    /// Whether requests are connections, not packets.
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::UnixStream)
    }

    /// Whether its addresses are paths.
    pub const fn is_unix(self) -> bool {
        matches!(self, Self::UnixStream | Self::UnixDatagram)
    }
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Synchronous, Self::ThreadPerRequest, Self::ThreadPool, Self::RayonPool, Self::Fork];

    /// Whether requests run in threads of their own.
    pub const fn is_threads(self) -> bool {
        matches!(self, Self::ThreadPerRequest | Self::ThreadPool | Self::RayonPool)
    }
}

impl Scenario {
    /// What `hook` does the `at`-th time, if it does not do the stock thing.
    pub fn act(&self, hook: Hook, at: usize) -> Option<Does> {
        self.acts.iter().find(|act| act.hook == hook && act.at == at).map(|act| act.does)
    }

    /// Whether `handle` writes anything.
    pub fn replies(&self) -> bool {
        self.handle.iter().any(|op| matches!(op, Op::Reply | Op::Write(_) | Op::EchoLines))
    }

    /// The client that a request comes from: they are accepted in the order in which they connect, or send.
    pub fn client_of(&self, request: usize) -> Option<usize> {
        let stream = self.transport.is_stream();
        let mut clients = self.script.iter().filter_map(|step| match *step {
            Step::Connect(client) | Step::ConnectUnnamed(client) if stream => Some(client),
            Step::Send(client, _) if !stream => Some(client),
            _ => None,
        });
        clients.nth(request)
    }
}

macro_rules! display_as_serialized {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Unit variants are written as their name in snake case.
                self.serialize(f)
            }
        }
    )*};
}

display_as_serialized!(Transport, Strategy, HandlerKind, Hook);

impl fmt::Display for Does {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit-{code}"),
            // A unit variant, as above.
            other => other.serialize(f),
        }
    }
}
