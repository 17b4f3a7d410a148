//! The contract for where requests come from.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::request::Request;
use crate::source::Source;

/// Where requests come from: CPython's `TCPServer` without the loop.
///
/// # Order of calls
///
/// The server calls, always from the thread that serves:
///
/// 1. [`waker`](Self::waker), once, when the server is made;
/// 2. [`wait`](Self::wait), until it answers [`Readiness::Request`];
/// 3. [`get_request`](Self::get_request), at most once for each such answer; and without one, if the transport
///    [can be tried](Self::can_be_tried).
///
/// It closes the transport by dropping it, never while one of these calls runs.
pub trait Transport {
    /// What is accepted: a connection, or a datagram with its reply socket.
    type Request: Request;

    /// Waits for what [`Wait`] says: until a request can be taken, the time is over, or somebody woke
    /// the transport.
    ///
    /// A signal that interrupts the wait neither shortens nor stretches it. When a request and a
    /// wake are there at the same time, the answer is [`Readiness::Request`] and the wake is kept
    /// for the next call.
    ///
    /// # Errors
    ///
    /// An error says that the transport can no longer wait; it ends the serving loop.
    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness>;

    /// A handle that makes a waiting [`wait`](Self::wait), or else the next one, answer
    /// [`Readiness::Woken`] at once. It may be called from any thread, also after the transport is
    /// gone, and must not block.
    fn waker(&self) -> Waker;

    /// Whether the server may try to [take a request](Self::get_request) without having waited for one, as it does when it is
    /// busy: then there is one, mostly. A try must not cost more than a wait. The default says no.
    fn can_be_tried(&self) -> bool {
        false
    }

    /// Takes one request. Never blocks.
    ///
    /// # Errors
    ///
    /// [`GetRequestError`] says what the loop should do about it.
    fn get_request(
        &self,
    ) -> Result<(Self::Request, <Self::Request as Request>::Addr), GetRequestError>;

    /// The address the transport listens on, CPython's `server_address`.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn local_addr(&self) -> io::Result<<Self::Request as Request>::Addr>;

    /// Called in a child process that goes on to serve with its copy of the transport: makes anew what must not be
    /// shared with the parent, which is what wakes a wait. The default does nothing, right for transports
    /// that share nothing.
    fn after_fork(&mut self) {}

    /// How many requests the transport holds that [`get_request`](Self::get_request) has not given out: packets that were
    /// received ahead, say. They stay for the next verb; a server that is closed counts them as
    /// [`dismissed`](crate::Counts::dismissed). The default is none, right for transports that leave everything with the
    /// system until it is asked for.
    fn received_ahead(&self) -> usize {
        0
    }

    /// The transport's own limit on how long [`Server::handle_request`](crate::Server::handle_request)
    /// waits, CPython's `socket.gettimeout()`. The default is `None`, no limit.
    fn timeout(&self) -> Option<Duration> {
        None
    }
}

/// A transport that can be made from an address alone: what the one-line constructor
/// [`Server::bind`](crate::Server::bind) asks for.
pub trait Bind<A>: Transport + Sized {
    /// Why it could not be made.
    type Error: Error + Send + Sync + 'static;

    /// Makes the transport and starts to listen on `address`.
    ///
    /// # Errors
    ///
    /// The error names the address and the step that failed.
    fn bind(address: A) -> Result<Self, Self::Error>;
}

/// What a [`Transport::wait`] waits for.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Wait<'a> {
    requests: bool,
    timeout: Option<Duration>,
    source: Option<Source<'a>>,
    interrupt: Option<Source<'a>>,
}

impl<'a> Wait<'a> {
    /// A wait for a request, without limit.
    pub const fn for_request() -> Self {
        Self { requests: true, timeout: None, source: None, interrupt: None }
    }

    /// A wait that a request does not end: there is nobody to run it yet.
    pub const fn for_wake() -> Self {
        Self { requests: false, timeout: None, source: None, interrupt: None }
    }

    /// The same, but no longer than `timeout`: `None` waits without limit, zero looks once.
    pub const fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same, but something else wakes it too: `source`, when it becomes readable.
    pub const fn source(mut self, source: Option<Source<'a>>) -> Self {
        self.source = source;
        self
    }

    /// The same, but one more thing wakes it: what the serving thread [attends to](crate::Interrupt).
    pub const fn interrupt(mut self, interrupt: Option<Source<'a>>) -> Self {
        self.interrupt = interrupt;
        self
    }

    /// Whether a request ends the wait.
    pub const fn is_for_request(&self) -> bool {
        self.requests
    }

    /// How long to wait at most.
    pub const fn get_timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// What else ends the wait with [`Readiness::Woken`] when it is readable.
    pub const fn get_source(&self) -> Option<Source<'a>> {
        self.source
    }

    /// What else ends it, besides the [source](Self::get_source).
    pub const fn get_interrupt(&self) -> Option<Source<'a>> {
        self.interrupt
    }
}

/// What [`Transport::wait`] found.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Readiness {
    /// A request can probably be taken.
    Request,
    /// The time is over.
    TimedOut,
    /// Somebody used the [`Waker`], or the [source](Wait::source) is readable.
    Woken,
}

/// Makes a waiting transport return at once. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub struct Waker(Arc<dyn Fn() + Send + Sync>);

impl Waker {
    /// A waker that calls `wake`.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(wake))
    }

    /// Wakes the transport, now or at its next wait.
    pub fn wake(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waker").finish_non_exhaustive()
    }
}

/// Why no request was taken, sorted by what the serving loop does about it.
///
/// CPython drops all of these but the last without a word, and spins on the third.
#[derive(Debug)]
#[non_exhaustive]
pub enum GetRequestError {
    /// There was none: the readiness was spurious, or another process took it. The loop goes on.
    NotReady,
    /// This one request failed, the next may not. The loop goes on.
    Failed(io::Error),
    /// The process or the system is out of something (descriptors, memory). The loop takes no request until one that
    /// is in progress has left, or for a while: 5 milliseconds, then twice as long each time in a row, up to a second.
    /// `service_actions` and all that wakes the loop go on meanwhile.
    Exhausted(io::Error),
    /// The same, but the transport had a descriptor in reserve: with it so many waiting clients were accepted and closed,
    /// instead of being left waiting. The loop pauses only shortly, so that the next are not left waiting either.
    Dismissed {
        /// How many; at least one.
        clients: usize,
        /// What there was none of.
        error: io::Error,
    },
    /// The transport is broken. The loop ends with [`ServeError::GetRequest`](crate::ServeError).
    Fatal(io::Error),
}
