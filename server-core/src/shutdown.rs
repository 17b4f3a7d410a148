//! The handle that stops a server from anywhere.

use std::time::{Duration, Instant};

use crate::common::Common;
use crate::error::ShutdownError;
use crate::lifecycle::Scope;
use crate::sync::Arc;

/// Stops a server: clone it, send it anywhere, use it from any thread, as often as you like.
///
/// The serving loop is woken at once, whatever its poll interval. A request that was accepted is
/// served to its end; one that arrives after the stop stays in the listener's backlog, for the next
/// run. The listener stays open: to free the port, [close](crate::Server::close) the server.
///
/// A signal *handler* must not call this (it takes a lock); a thread that waits for signals may.
///
/// # Which run is meant
///
/// A server can serve many times: each [`serve_forever`](crate::Server::serve_forever) that ends is
/// the end of a *run*. A stop is for the run in progress, else for the next:
///
/// | when | effect | answer |
/// |---|---|---|
/// | the server is serving | it stops | [`StopOrder::Delivered`] |
/// | it is not serving | the next run ends at once, serving nobody | [`StopOrder::Kept`] |
/// | it is not serving, and the last run was the one that this handle or a clone of it stopped | none: a late repeat | [`StopOrder::TooLate`] |
/// | it is closed | none | [`StopOrder::TooLate`] |
///
/// So a stop before the start is not missed: start a thread that serves, stop it right away, and it ends. Nor
/// is one that comes between two runs, while a program reloads, say. And a second `shutdown()` to make
/// sure does no harm to the next run. CPython cannot tell the last two apart, and lets the repeat end
/// the next run.
///
/// The handle of a handler or a hook ([`ServerHandle::shutdown_handle`](crate::ServerHandle::shutdown_handle))
/// speaks to the run it came from and to no other: a worker that outlives its run cannot stop the next.
///
/// [`handle_request`](crate::Server::handle_request) is not a run: a stop that comes while it serves
/// a request is kept. A stop that finds it waiting, or about to wait, makes it return
/// [`Handled::ShutdownRequested`](crate::Handled), which uses the stop up, as the end of a run does.
#[derive(Clone, Debug)]
pub struct ShutdownHandle {
    common: Arc<Common>,
    scope: Scope,
}

impl ShutdownHandle {
    /// The first of a family of handles on the server.
    pub(crate) fn new(common: Arc<Common>) -> Self {
        Self { common, scope: Scope::Server(Arc::default()) }
    }

    /// A handle on the run that begins, or began, when `run` others had ended.
    pub(crate) fn of_run(common: Arc<Common>, run: u64) -> Self {
        Self { common, scope: Scope::Run(run) }
    }

    /// Asks the server to stop, and returns at once.
    ///
    /// Can be called from the serving thread too: from a handler or a hook.
    #[expect(clippy::must_use_candidate, reason = "most callers just want it to stop")]
    pub fn request(&self) -> StopOrder {
        self.common.lifecycle.order_stop(&self.scope).0
    }

    /// Asks the server to stop and waits until it has: CPython's `shutdown()`.
    ///
    /// It waits for the loop, which may be serving a request in its own thread, and not for
    /// workers. When no verb is in progress there is nothing to wait for and it returns at once,
    /// with the answer of the table above; CPython would wait for a run to begin and end, for ever if
    /// none comes.
    ///
    /// # Errors
    ///
    /// [`ShutdownError::FromServingThread`] when called from the thread that serves (a synchronous
    /// handler, a hook): it cannot wait for itself. The request to stop stands. CPython deadlocks.
    pub fn shutdown(&self) -> Result<StopOrder, ShutdownError> {
        self.stop_and_wait(None)
    }

    /// [`shutdown`](Self::shutdown) that waits no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// Those of `shutdown`, and [`ShutdownError::TimedOut`]. The request to stop stands.
    pub fn shutdown_timeout(&self, timeout: Duration) -> Result<StopOrder, ShutdownError> {
        // A deadline beyond the end of time is none.
        self.stop_and_wait(Instant::now().checked_add(timeout))
    }

    /// Whether a stop was requested that no run has used up yet. When the run has ended this is false
    /// again; a handler asks [`ServerHandle::is_stopping`](crate::ServerHandle::is_stopping).
    pub fn is_requested(&self) -> bool {
        self.common.lifecycle.stop_ordered()
    }

    fn stop_and_wait(&self, deadline: Option<Instant>) -> Result<StopOrder, ShutdownError> {
        let lifecycle = &self.common.lifecycle;
        let (order, verb) = lifecycle.order_stop(&self.scope);
        let Some(verb) = verb else { return Ok(order) };
        match lifecycle.await_end(verb, deadline) {
            Some(true) => Ok(order),
            Some(false) => Err(ShutdownError::TimedOut),
            None => Err(ShutdownError::FromServingThread),
        }
    }
}

/// What became of a request to stop; see [`ShutdownHandle`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum StopOrder {
    /// A verb is in progress and has been told.
    Delivered,
    /// Nobody is serving; the next run will end at once.
    Kept,
    /// The run it was meant for is over, or the server is closed: nothing happens.
    TooLate,
}
