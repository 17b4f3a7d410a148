//! What a handler or a hook can do with the server it belongs to.

use std::time::{Duration, Instant};

use crate::common::Common;
use crate::concurrency::Concurrency;
use crate::connections::{AcceptRate, ConnectionId, ConnectionInfo, CutReason, Registry};
use crate::counts::{Counters, Counts};
use crate::job::ServiceJob;
use crate::observer::Event;
use crate::refusal::AtLimit;
use crate::server::Server;
use crate::service::Service;
use crate::shutdown::{ShutdownHandle, StopOrder};
use crate::sync::Arc;
use crate::transport::Transport;

/// The server as a handler, a hook or another thread sees it: CPython's `self.server`. Cheap to clone.
///
/// It belongs to the run it was made in, or else to the next. A handler that outlives its run cannot
/// stop the next one by mistake.
#[derive(Clone, Debug)]
pub struct ServerHandle {
    common: Arc<Common>,
    /// How many runs had ended when this was made.
    run: u64,
}

impl<T, C, S> Server<T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// A handle that stops this server, from any thread: `shutdown_handle().shutdown()` is CPython's
    /// `shutdown()`. Take it before the server serves.
    #[doc(alias = "shutdown")]
    #[must_use = "the handle does nothing by itself"]
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle::new(Arc::clone(&self.common))
    }

    /// What handlers see of this server, for another thread. Take it before the server serves.
    #[must_use = "the handle does nothing by itself"]
    pub fn handle(&self) -> ServerHandle {
        ServerHandle::new(Arc::clone(&self.common))
    }

    /// How many requests came in and how each of them left, up to now.
    pub fn counts(&self) -> Counts {
        self.common.counters.snapshot()
    }
}

impl ServerHandle {
    pub(crate) fn new(common: Arc<Common>) -> Self {
        let run = common.lifecycle.runs();
        Self { common, run }
    }

    /// A handle that stops the run this one belongs to, and no other.
    #[must_use = "the handle does nothing by itself"]
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle::of_run(Arc::clone(&self.common), self.run)
    }

    /// Asks the server to stop after this request, and returns at once: a short form of
    /// [`ShutdownHandle::request`].
    #[expect(clippy::must_use_candidate, reason = "most callers just want it to stop")]
    pub fn request_shutdown(&self) -> StopOrder {
        self.shutdown_handle().request()
    }

    /// Whether the run this handle belongs to was asked to stop, or is over, or the server is closed.
    ///
    /// A handler with a long life looks here to end early.
    pub fn is_stopping(&self) -> bool {
        self.common.lifecycle.is_over(self.run)
    }

    /// How many requests came in and how each of them left, up to now.
    ///
    /// A client may see its connection end a moment before that is counted; what workers do is final
    /// when the server is closed.
    pub fn counts(&self) -> Counts {
        self.counters().snapshot()
    }

    /// Whether the server [drains](crate::Server::drain): handlers should come to an end.
    pub fn is_draining(&self) -> bool {
        self.common.connections.is_draining()
    }

    /// All live connections, oldest first. Accepting goes on meanwhile. Connections that forked children or worker
    /// processes serve are not among them.
    pub fn connections(&self) -> Vec<ConnectionInfo> {
        self.common.connections.list()
    }

    /// How many requests are in progress in this process: connections, and packets that are being answered.
    pub fn live_requests(&self) -> usize {
        self.registry().gate.inside()
    }

    /// How many requests may be in progress at a time, if there is a limit.
    pub fn max_connections(&self) -> Option<usize> {
        self.registry().gate.most()
    }

    /// Sets or takes away the limit of [`ServerConfig::max_connections`](crate::ServerConfig::max_connections), from any
    /// thread, at once. Requests in progress stay, also if they are more than allowed now.
    pub fn set_max_connections(&self, most: Option<usize>) {
        self.registry().gate.set_most(most);
    }

    /// What happens to clients who come at the limit, or too fast.
    pub fn at_limit(&self) -> AtLimit {
        self.registry().gate.at_limit()
    }

    /// Sets what happens to clients who come at the limit or too fast, as
    /// [`ServerConfig::at_limit`](crate::ServerConfig::at_limit) does, from any thread, at once.
    pub fn set_at_limit(&self, at_limit: AtLimit) {
        self.registry().gate.set_at_limit(at_limit);
    }

    /// How fast requests may come in, if that is limited.
    pub fn accept_rate(&self) -> Option<AcceptRate> {
        self.registry().rate.rate()
    }

    /// Sets or takes away the limit of [`ServerConfig::accept_rate`](crate::ServerConfig::accept_rate), from any thread, at
    /// once. What was used up of the old one counts for the new one.
    pub fn set_accept_rate(&self, rate: Option<AcceptRate>) {
        self.registry().rate.set_rate(rate);
    }

    /// Accepts no more requests, until [`resume`](Self::resume). The port stays taken and clients can still connect: they
    /// wait in the backlog. Requests in progress go on, and so do `service_actions`.
    pub fn suspend(&self) {
        if self.registry().gate.set_suspended(true) {
            self.tell(|| Event::Suspended);
        }
    }

    /// Accepts requests again.
    pub fn resume(&self) {
        if self.registry().gate.set_suspended(false) {
            self.tell(|| Event::Resumed);
        }
    }

    /// Whether somebody has suspended the server.
    pub fn is_suspended(&self) -> bool {
        self.registry().gate.is_suspended()
    }

    /// Ends one connection: shuts it down in both directions, so that a blocked receive or send of its handler returns, with
    /// an error of the kind [`ConnectionAborted`](std::io::ErrorKind::ConnectionAborted). Says whether there was such a
    /// connection that nobody had ended before.
    #[expect(clippy::must_use_candidate, reason = "that it is gone already is what was wanted")]
    pub fn end_connection(&self, id: ConnectionId) -> bool {
        self.common.connections.cut(id, CutReason::Ended)
    }

    /// Ends all connections as a drain does at its deadline, for whoever waits for a loop that is in a handler. Says how
    /// many it were.
    #[doc(hidden)]
    #[expect(clippy::must_use_candidate, reason = "that they end is what is wanted")]
    pub fn force_connections(&self) -> usize {
        self.common.connections.cut_all(CutReason::Forced).0
    }

    /// Waits until no more than `most` requests are in progress in this process, for no longer than `timeout`; says
    /// whether it came to that.
    #[must_use = "it says whether it came to that"]
    pub fn wait_until_at_most(&self, most: usize, timeout: Duration) -> bool {
        // A deadline beyond the end of time is none.
        self.registry().gate.wait_until(most, Instant::now().checked_add(timeout))
    }

    /// Has [`Server::stop_listening`](crate::Server) look once more whether that is enough.
    #[doc(hidden)]
    pub fn nudge(&self) {
        self.registry().gate.nudge();
    }

    /// Whether anybody observes the server.
    pub(crate) fn is_observed(&self) -> bool {
        self.common.observers.any()
    }

    /// Tells the observers.
    pub(crate) fn tell<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        self.common.tell(event);
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.common.connections
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.common.counters
    }
}
