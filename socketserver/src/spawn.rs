//! A server that serves in a background thread: `spawn()`, and the guard that stops it.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use socketserver_core::{
    Backlog, Concurrency, Counts, Drain, DrainReport, Ended, Request, ServeError, Server,
    ServerHandle, Service, ServiceJob, ShutdownHandle, Transport,
};

/// Serving in a background thread: for tests, and for servers inside programs that do something else.
///
/// # A server in a test
///
/// The server listens when it has been made, so a client can connect as soon as `spawn` has returned, and
/// before. [`Running::stop`] ends it and gives the final counts. If the test fails before that, dropping the
/// [`Running`] stops the server, and does not wait while the thread panics: so a failing assertion never
/// hangs.
///
/// ```
/// use socketserver::prelude::*;
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// let echo = stream_fn(|client| {
///     std::io::copy(&mut client.rfile, &mut client.wfile)?;
///     Ok(())
/// });
/// let server = ThreadingTcpServer::bind("127.0.0.1:0", echo)?.spawn()?;
///
/// let mut client = TcpStream::connect(server.local_addr())?;
/// client.write_all(b"hello")?;
/// client.shutdown(std::net::Shutdown::Write)?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer)?;
/// assert_eq!(answer, "hello");
///
/// let (ended, counts) = server.stop()?;
/// assert_eq!(ended, Ended::Shutdown);
/// assert_eq!((counts.accepted, counts.served, counts.errors), (1, 1, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// All of the server goes into the thread, so all of it has to be `Send` and `'static`, and the service `Sync`,
/// whatever the strategy. What is not can be served with [`std::thread::scope`].
pub trait Spawn {
    /// The address of the server and of its clients.
    type Addr;

    /// Serves in a thread of its own, named `serve_forever`. When the loop has ended, however it did, the same
    /// thread [closes](Server::close) the server.
    ///
    /// # Errors
    ///
    /// When the server has no address any more because it was closed, or the thread cannot be started. The
    /// server is closed then.
    fn spawn(self) -> io::Result<Running<Self::Addr>>;
}

impl<T, C, S> Spawn for Server<T, C, S>
where
    T: Transport + Send + 'static,
    T::Request: 'static,
    C: Concurrency<ServiceJob<T::Request, S>> + Send + 'static,
    S: Service<T::Request> + Send + Sync + 'static,
{
    type Addr = <T::Request as Request>::Addr;

    fn spawn(mut self) -> io::Result<Running<Self::Addr>> {
        let local_addr = self.local_addr()?;
        let (handle, stop) = (self.handle(), self.shutdown_handle());
        let order = Arc::new(OnceLock::new());
        let ordered = Arc::clone(&order);
        let (in_loop, loop_ended) = channel();
        let serve = move || {
            // The server is not used to serve again, whatever a panic has left behind.
            let ended = catch_unwind(AssertUnwindSafe(|| self.serve_forever()));
            drop::<Sender<Infallible>>(in_loop);
            if ordered.get().is_none() {
                // The loop has ended by itself: nobody has said yet whether the rest is to be drained.
                self.stop_listening(|| ordered.get().is_some());
            }
            let report = match ordered.get() {
                Some(Order::Drain(drain)) => Some(self.drain(*drain)),
                Some(Order::Close) | None => {
                    self.stop_listening(|| true);
                    self.concurrency().server_close();
                    None
                }
            };
            let ended = ended.unwrap_or_else(|payload| resume_unwind(payload));
            ended.map(|ended| Served { ended, counts: self.counts(), report })
        };
        let thread = thread::Builder::new().name("serve_forever".to_owned()).spawn(serve)?;
        let loop_ended = Mutex::new(loop_ended);
        let orders = Orders { handle, stop, order };
        Ok(Running { local_addr, orders, loop_ended, thread: Some(thread) })
    }
}

/// A server that serves in the background, made by [`Spawn::spawn`].
///
/// Dropping it stops the server and waits as [`stop`](Self::stop) does, but what the loop ended with is lost, and
/// while the thread panics, or in the serving thread itself, it does not wait. A handler that runs in a worker must
/// not drop it, as it must not call `stop`.
#[must_use = "the server is stopped when this is dropped"]
pub struct Running<A> {
    local_addr: A,
    orders: Orders,
    /// Disconnected when the loop has ended. Only locked so that this can be shared.
    loop_ended: Mutex<Receiver<Infallible>>,
    /// `None` once it has been waited for.
    thread: Option<JoinHandle<Result<Served, ServeError>>>,
}

/// The way to end a server that serves in the background.
#[derive(Clone)]
struct Orders {
    handle: ServerHandle,
    stop: ShutdownHandle,
    /// What is to become of requests in progress when the loop has ended.
    order: Arc<OnceLock<Order>>,
}

impl Orders {
    /// Stops the loop, and says how to go on then.
    fn give(&self, order: Order) {
        // Only the first counts: dropping comes after the others.
        let _ = self.order.set(order);
        self.stop.request();
        self.handle.nudge();
    }
}

/// How a server that does not serve any more is to end.
enum Order {
    Close,
    Drain(Drain),
}

/// What came of serving.
struct Served {
    ended: Ended,
    counts: Counts,
    report: Option<DrainReport>,
}

impl<A> Running<A> {
    /// The address the server listens on, or did.
    pub fn local_addr(&self) -> &A {
        &self.local_addr
    }

    /// What handlers see of the server.
    pub fn handle(&self) -> &ServerHandle {
        &self.orders.handle
    }

    /// How many requests came in and how each of them left, up to now. A client may see its connection end a
    /// moment before that is counted; [`stop`](Self::stop) gives the final numbers.
    pub fn counts(&self) -> Counts {
        self.orders.handle.counts()
    }

    /// Stops the server, waits for the loop, closes the server and waits for the workers, as far as the
    /// strategy does. A server that has ended by itself just says how.
    ///
    /// Workers wait for their clients: let go of those first. It cannot be called by a handler of this very
    /// server, which would wait for itself; that can [ask the server to
    /// stop](ServerHandle::request_shutdown).
    ///
    /// # Errors
    ///
    /// What [`serve_forever`](Server::serve_forever) ended with, when the transport broke.
    ///
    /// # Panics
    ///
    /// With the panic that ended the loop, if one did.
    pub fn stop(mut self) -> Result<(Ended, Counts), ServeError> {
        self.join(Order::Close).map(|served| (served.ended, served.counts))
    }

    /// Stops the server and [drains](Server::drain) it: idle connections end at once, busy ones get until the deadline, and
    /// nothing is waited for without end. If the server has ended by itself the requests that are still in progress are
    /// drained, without the backlog; if there were none left it is closed already, and the report is empty.
    ///
    /// A strategy that runs requests in the serving thread cannot drain while a handler is at work there. So an idle one
    /// ends at once, and a busy one has until the deadline, as it would with others. If it computes without end it is waited for: a
    /// [stop with a time limit](ShutdownHandle::shutdown_timeout) before tells whether the loop has ended.
    ///
    /// # Errors
    ///
    /// As for [`stop`](Self::stop).
    ///
    /// # Panics
    ///
    /// As for [`stop`](Self::stop).
    pub fn drain(mut self, drain: Drain) -> Result<(DrainReport, Counts), ServeError> {
        self.orders.give(Order::Drain(drain));
        let loop_ended = self.loop_ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        // A handler in the loop keeps it from draining: so it hears of that from here, and of the deadline. If there is a
        // backlog to serve nobody is to hear of it before.
        if drain.get_backlog() == Backlog::Leave {
            self.orders.handle.announce_drain();
        }
        if loop_ended.recv_timeout(drain.get_deadline()) == Err(RecvTimeoutError::Timeout) {
            self.orders.handle.force_drain();
        }
        let served = self.join(Order::Drain(drain))?;
        Ok((served.report.unwrap_or_default(), served.counts))
    }

    fn join(&mut self, order: Order) -> Result<Served, ServeError> {
        self.orders.give(order);
        self.join_thread()
    }

    /// What stops the loop and has the rest drained, for another thread.
    #[cfg(feature = "signals")]
    pub(crate) fn drainer(&self, drain: Drain) -> impl Fn() + Send + Sync + use<A> {
        let orders = self.orders.clone();
        move || orders.give(Order::Drain(drain))
    }

    /// Waits until somebody else has ended it.
    #[cfg(feature = "signals")]
    pub(crate) fn wait(&mut self) -> Result<(Ended, DrainReport, Counts), ServeError> {
        self.join_thread()
            .map(|served| (served.ended, served.report.unwrap_or_default(), served.counts))
    }

    fn join_thread(&mut self) -> Result<Served, ServeError> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(served)) => served,
            Some(Err(payload)) => resume_unwind(payload),
            // Nobody takes the thread before: `stop`, `drain` and `drop` come last.
            None => Err(ServeError::Closed),
        }
    }
}

impl<A> Drop for Running<A> {
    fn drop(&mut self) {
        self.orders.give(Order::Close);
        if let Some(thread) = self.thread.take() {
            let own = thread.thread().id() == thread::current().id();
            if !own && !thread::panicking() {
                // Its panic has been printed by the panic hook.
                let _ = thread.join();
            }
        }
    }
}

impl<A: fmt::Debug> fmt::Debug for Running<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}
