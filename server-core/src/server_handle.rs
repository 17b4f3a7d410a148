//! What a handler or a hook can do with the server it belongs to.

use std::time::{Duration, Instant};

use crate::common::Common;
use crate::concurrency::Concurrency;
use crate::connections::{AcceptRate, ConnectionId, ConnectionInfo, CutReason, OnDrain, Registry};
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

    /// Calls `hook`, once, when a [drain](crate::Server::drain) begins, in the thread that drains or
    /// [announces](Self::announce_drain) it, when idle connections have been ended; or at once, in this thread, if one has begun
    /// already. For handlers that wait for something of their
    /// own, a channel say, that the end of their connection does not end.
    ///
    /// The hook must not block: the drain waits for it. If it panics the panic is
    /// [counted](Counts::hook_panics), and the drain goes on; if it is called at once its panic is the caller's. Dropping the
    /// guard takes it back. A forked child learns of a
    /// drain of its parent's only if `Fork` is told to tell it; a worker of `PreFork` drains by itself. Both call the hooks that were
    /// there when they were forked, in their own process, and those that came since.
    ///
    /// ```
    /// use socketserver_core::ServerHandle;
    /// use std::sync::mpsc::{Sender, channel};
    ///
    /// /// Sends a client its news, until there are no more or the server drains.
    /// fn handle(server: &ServerHandle, subscribe: impl Fn(Sender<Option<String>>)) {
    ///     let (news, heard) = channel();
    ///     let end = news.clone();
    ///     // That nobody listens any more is as well.
    ///     let _told = server.on_drain(move || drop(end.send(None)));
    ///     subscribe(news);
    ///     while let Ok(Some(news)) = heard.recv() {
    ///         println!("{news}");
    ///     }
    /// }
    /// ```
    pub fn on_drain(&self, hook: impl FnOnce() + Send + 'static) -> OnDrain {
        self.common.drain_hooks.add(hook)
    }

    /// Begins a [drain](crate::Server::drain) as far as handlers are concerned: they can [see it](Self::is_draining), and are
    /// [told](Self::on_drain); idle connections end, now and from now on. A drain does this by itself; who does it before ends
    /// an idle connection whose handler runs in the serving thread, which cannot drain as long as it does.
    ///
    /// It does not stop the loop: this is for a server that has been told to stop, and will be drained.
    pub fn announce_drain(&self) {
        self.begin_drain();
        self.registry().drain();
        self.common.drain_hooks.begin(self.counters());
    }

    /// Hurries a [drain](crate::Server::drain): its deadline is now. Connections are cut at once, by the calling thread, and the
    /// drain goes on to its [grace](crate::Drain::grace). A second call ends that too, so that what is left is
    /// given up: processes are killed. A third does nothing more.
    ///
    /// If no drain has begun yet (the loop is still running a handler, say) connections are cut all the same, and so is each that
    /// comes later; the drain that comes does not wait for its deadline. So this is for a server that has been told to stop;
    /// it does not stop the loop.
    ///
    /// It can be called from any thread, and does not wait. It holds for any later drain of this server too.
    pub fn force_drain(&self) {
        self.common.hurry.hurry();
        self.registry().force();
        self.registry().gate.nudge();
        self.registry().gate.wake_loop();
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
        self.common.hurry.wake();
        self.registry().gate.nudge();
    }

    pub(crate) fn common(&self) -> &Common {
        &self.common
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
