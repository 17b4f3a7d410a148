//! The contract for who is told what happens in a server: logs, metrics, alarms.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::connections::{ConnectionId, CutReason};
use crate::drain::DrainReport;
use crate::handler_error::HandlerError;
use crate::refusal::Refusal;

/// Is told what happens in a server, see [`Server::add_observer`](crate::Server::add_observer). A closure that takes an
/// event is one.
///
/// It is called where the event happens: in the serving thread, in the worker that runs a request, in the thread that
/// drains. So it should be quick, and it may be called by several threads at once. No lock of the server is held
/// meanwhile. A panic of it is counted as one of a hook, and goes no further. A forked child has a copy of the observer as
/// it was at the fork, and tells that one what the child does.
///
/// # Order of events
///
/// 1. [`Accepted`](Event::Accepted) is the first of each request, in the serving thread.
/// 2. [`Refused`](Event::Refused) is the last of a request that is not to be served.
/// 3. Others are [`Started`](Event::Started) when their handler is about to run; [`Failed`](Event::Failed) or
///    [`Panicked`](Event::Panicked), if the handler does, comes next, in the same thread.
/// 4. [`Finished`](Event::Finished) is the last of each request that was not refused; in the thread of `Started`, if
///    there was one. A connection that was parked meanwhile, between [`Rests`](Event::Rests) and
///    [`Woken`](Event::Woken), may have come to another thread.
///
/// ```
/// use socketserver_core::{Event, Observer};
///
/// fn log() -> impl Observer {
///     |event: &Event<'_>| match event {
///         Event::Finished(client, finish) => eprintln!("{client}: {finish}"),
///         Event::AcceptPaused(error) => eprintln!("no new clients for now: {error}"),
///         _ => {}
///     }
/// }
/// ```
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn event(&self, event: &Event<'_>) {
        self(event);
    }
}

/// Something that happened in a server.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request was taken from the transport.
    Accepted(Client<'a>),
    /// It is not going to be served.
    Refused(Client<'a>, Refusal),
    /// Its handler is about to be made and run.
    Started(Client<'a>),
    /// Its handler waits for its client, or for its turn, and holds no thread meanwhile. What comes of it next may be on
    /// another thread; only strategies that park connections tell this.
    Rests(Client<'a>),
    /// Its handler goes on, on this thread.
    Woken(Client<'a>),
    /// The handler failed, or the request could not be run; `handle_error` is told next.
    Failed(Client<'a>, &'a HandlerError),
    /// The handler panicked; `handle_error` is told next.
    Panicked(Client<'a>, &'a HandlerError),
    /// It has left.
    Finished(Client<'a>, Finish),
    /// Its handler has been at work by itself for so long: longer than [`stuck_after`](crate::ServerConfig::stuck_after)
    /// allows. Told by the serving thread, once until the handler receives or sends again.
    Stuck(Client<'a>, Duration),
    /// One client could not be accepted; the next may be.
    AcceptFailed(&'a io::Error),
    /// Something ran out, and nobody is accepted for the moment. Told once, however often it is tried again.
    AcceptPaused(&'a io::Error),
    /// Clients are accepted again, after this much time.
    AcceptResumed(Duration),
    /// Somebody has [suspended](crate::ServerHandle::suspend) the server.
    Suspended,
    /// Somebody has [resumed](crate::ServerHandle::resume) it.
    Resumed,
    /// A [drain](crate::Server::drain) has come so far.
    Draining(DrainStage<'a>),
}

/// The request that an [`Event`] is about.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    id: ConnectionId,
    address: &'a (dyn fmt::Debug + Send + Sync),
}

impl<'a> Client<'a> {
    pub(crate) fn new(id: ConnectionId, address: &'a (dyn fmt::Debug + Send + Sync)) -> Self {
        Self { id, address }
    }

    /// The number of the request, which for a connection is that of the connection.
    pub const fn id(&self) -> ConnectionId {
        self.id
    }

    /// The client's address.
    pub const fn address(&self) -> &'a (dyn fmt::Debug + Send + Sync) {
        self.address
    }
}

impl fmt::Display for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {:?}", self.id, self.address)
    }
}

impl fmt::Debug for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).field("address", &self.address).finish()
    }
}

/// How a request left, and what there was of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Finish {
    /// The door it left through.
    pub door: Door,
    /// How long it took since `Started`; zero if that never came.
    pub time: Duration,
    /// Bytes received, of a connection.
    pub received: u64,
    /// Bytes sent, of a connection.
    pub sent: u64,
    /// Why the server ended the connection, if it did.
    pub cut: Option<CutReason>,
}

impl fmt::Display for Finish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { door, time, received, sent, cut } = self;
        write!(f, "{door} in {time:?}, {received} bytes received, {sent} sent")?;
        cut.map_or(Ok(()), |reason| write!(f, ", cut: {reason}"))
    }
}

/// The door a request left through.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Door {
    /// A handler ran, well or not, and the request was closed.
    Served,
    /// A handler ran and took the connection over.
    Detached,
    /// No handler ran.
    Unserved,
    /// Another process serves it.
    HandedOver,
}

impl Door {
    /// Its name, as in [`Counts`](crate::Counts): `served`, say.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Detached => "detached",
            Self::Unserved => "unserved",
            Self::HandedOver => "handed over",
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far a drain has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum DrainStage<'a> {
    /// It has begun, with so many requests in progress.
    Begun {
        /// Requests in progress.
        requests: usize,
    },
    /// The listener is closed, and so many idle connections were ended.
    IdleEnded {
        /// Connections that were idle.
        connections: usize,
    },
    /// The deadline is over: so many connections were cut, and so many processes told to terminate.
    Forced {
        /// Connections that were cut.
        connections: usize,
        /// Processes that were told to terminate.
        processes: usize,
    },
    /// The grace is over: so many processes were killed.
    Killed {
        /// Processes that were killed.
        processes: usize,
    },
    /// It is done.
    Done(&'a DrainReport),
}
