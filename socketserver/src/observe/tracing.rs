//! What happens in a server, as spans and events of the crate `tracing`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::tracing::span::EnteredSpan;
use ::tracing::{Level, Span, debug, error, event, info, info_span, warn};
use socketserver_core::{Client, ConnectionId, Door, DrainStage, Event, Finish, Observer};

/// Tells the crate `tracing` what happens: a span for each request that is served, named `connection`, in which its handler
/// runs, and events. Needs the feature `tracing`.
///
/// The span has the fields `server` (if [named](Self::named)), `id` and `peer`, and at its end `door`, `received` and
/// `sent` (bytes). What handlers write with `tracing` is inside it. A connection that is parked between two requests keeps
/// its span, which is entered again on whatever thread goes on with it.
///
/// An observer belongs to one server: it knows connections by their numbers. A clone of it is another observer.
///
/// | event | level | fields |
/// |---|---|---|
/// | `accepted` | debug | `id`, `peer` |
/// | `refused` | info | `id`, `peer`, `reason` |
/// | `handler failed` | warn; info if the client just went away, or was too slow | `error` |
/// | `handler panicked` | error | `error` |
/// | `finished` | debug; info if the server cut the connection | `seconds`, `cut` |
/// | `not served` | warn | `id`, `peer` |
/// | `handed over` to a child process | debug | `id`, `peer` |
/// | `stuck` | warn | `id`, `peer`, `seconds` |
/// | `accept failed` | debug | `error` |
/// | `accept paused` | warn | `error` |
/// | `accept resumed` | info | `seconds` |
/// | `suspended`, `resumed` | info | |
/// | `drain begun`, `idle ended`, `drain done` | info | `requests`, `connections`, `report` |
/// | `forced`, `killed` | warn | `connections`, `processes` |
///
/// ```
/// use socketserver::prelude::*;
/// use socketserver::observe::TracingObserver;
///
/// let server = TcpServer::bind("127.0.0.1:0", stream_fn(|_client| Ok(())))?
///     .with_observer(TracingObserver::named("nothing"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct TracingObserver {
    server: Option<String>,
    /// The spans of the requests that no thread is running. `None` when there was none yet.
    resting: Mutex<Option<HashMap<ConnectionId, Span>>>,
}

impl Clone for TracingObserver {
    fn clone(&self) -> Self {
        Self { server: self.server.clone(), resting: Mutex::default() }
    }
}

thread_local! {
    /// The spans of the requests that this thread is running, innermost last. More than one when a handler serves with a
    /// server of its own.
    static OPEN: RefCell<Vec<(ConnectionId, EnteredSpan)>> = const { RefCell::new(Vec::new()) };
}

impl TracingObserver {
    /// An observer of a server without a name.
    pub const fn new() -> Self {
        Self { server: None, resting: Mutex::new(None) }
    }

    /// An observer whose spans say that they belong to the server of this name.
    pub fn named(server: impl Into<String>) -> Self {
        Self { server: Some(server.into()), resting: Mutex::default() }
    }

    fn resting(&self) -> MutexGuard<'_, Option<HashMap<ConnectionId, Span>>> {
        // Nothing panics under this lock, and no subscriber is called.
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, client: &Client<'_>) {
        let span = info_span!(
            "connection",
            server = self.server.as_deref(),
            id = client.id().get(),
            peer = ?client.address(),
            door = ::tracing::field::Empty,
            received = ::tracing::field::Empty,
            sent = ::tracing::field::Empty,
        );
        open(client, span.entered());
    }

    /// The request needs no thread for now.
    fn rest(&self, client: &Client<'_>) {
        if let Some(span) = close(client) {
            // Before the lock is taken: this calls the subscriber.
            let span = span.exit();
            self.resting().get_or_insert_default().insert(client.id(), span);
        }
    }

    /// It goes on in this thread.
    fn wake(&self, client: &Client<'_>) {
        let span = self.resting().as_mut().and_then(|resting| resting.remove(&client.id()));
        if let Some(span) = span {
            open(client, span.entered());
        }
    }

    fn leave(&self, client: &Client<'_>, finish: &Finish) {
        // One that was given up while it rested has not been woken.
        self.wake(client);
        let Some(span) = close(client) else {
            // It never ran, or began before there was an observer.
            return Self::without_span(client, finish);
        };
        span.record("door", finish.door.name());
        span.record("received", finish.received);
        span.record("sent", finish.sent);
        let seconds = finish.time.as_secs_f64();
        if let Some(reason) = finish.cut {
            info!(seconds, cut = %reason, "finished");
        } else {
            debug!(seconds, "finished");
        }
    }

    fn without_span(client: &Client<'_>, finish: &Finish) {
        let (id, peer) = (client.id().get(), client.address());
        match finish.door {
            Door::HandedOver => debug!(id, ?peer, "handed over"),
            Door::Served | Door::Detached => {
                debug!(id, ?peer, seconds = finish.time.as_secs_f64(), "finished");
            }
            _ => warn!(id, ?peer, "not served"),
        }
    }

    fn drain(stage: &DrainStage<'_>) {
        match stage {
            DrainStage::Begun { requests } => info!(requests, "drain begun"),
            DrainStage::IdleEnded { connections } => info!(connections, "idle ended"),
            DrainStage::Forced { connections, processes } => {
                warn!(connections, processes, "forced");
            }
            DrainStage::Killed { processes } => warn!(processes, "killed"),
            DrainStage::Done(report) => info!(%report, "drain done"),
            _ => {}
        }
    }
}

/// This thread runs the request from here on, in its span.
fn open(client: &Client<'_>, span: EnteredSpan) {
    OPEN.with_borrow_mut(|open| open.push((client.id(), span)));
}

/// It does no longer.
fn close(client: &Client<'_>) -> Option<EnteredSpan> {
    OPEN.with_borrow_mut(|open| {
        let last = open.last().is_some_and(|(id, _)| *id == client.id());
        last.then(|| open.pop()).flatten().map(|(_, span)| span)
    })
}

impl Observer for TracingObserver {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Accepted(client) => {
                debug!(id = client.id().get(), peer = ?client.address(), "accepted");
            }
            Event::Refused(client, reason) => {
                let (id, peer) = (client.id().get(), client.address());
                info!(id, ?peer, reason = reason.name(), "refused");
            }
            Event::Started(client) => self.enter(client),
            Event::Rests(client) => self.rest(client),
            Event::Woken(client) => self.wake(client),
            Event::Stuck(client, time) => {
                let (id, peer, seconds) = (client.id().get(), client.address(), time.as_secs_f64());
                warn!(id, ?peer, seconds, "stuck");
            }
            Event::Failed(_, error) if error.is_disconnect() || error.is_timeout() => {
                info!(%error, "handler failed");
            }
            Event::Failed(_, error) => warn!(%error, "handler failed"),
            Event::Panicked(_, error) => error!(%error, "handler panicked"),
            Event::Finished(client, finish) => self.leave(client, finish),
            Event::AcceptFailed(error) => debug!(%error, "accept failed"),
            Event::AcceptPaused(error) => warn!(%error, "accept paused"),
            Event::AcceptResumed(after) => info!(seconds = after.as_secs_f64(), "accept resumed"),
            Event::Suspended => event!(Level::INFO, "suspended"),
            Event::Resumed => event!(Level::INFO, "resumed"),
            Event::Draining(stage) => Self::drain(stage),
            _ => {}
        }
    }
}
