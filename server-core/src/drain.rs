//! The third verb: a stop in stages, which loses no work it need not lose, never hangs, and says what it did.

use std::fmt;
use std::time::{Duration, Instant};

use crate::concurrency::Concurrency;
use crate::connections::ConnectionInfo;
use crate::draining::{Draining, after};
use crate::job::ServiceJob;
use crate::lifecycle::Verb;
use crate::server::Server;
use crate::service::Service;
use crate::transport::Transport;

/// How a server is drained, as a value.
///
/// ```
/// use socketserver_core::{Backlog, Drain};
/// use std::time::Duration;
///
/// let drain = Drain::new().deadline(Duration::from_secs(30)).backlog(Backlog::Serve);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub struct Drain {
    deadline: Duration,
    grace: Duration,
    backlog: Backlog,
}

/// What becomes of requests that wait in the listener's backlog when a server is drained.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Backlog {
    /// They are let go: connections are reset by the system. Packets are lost; those that had been received ahead are
    /// counted as [`dismissed`](crate::Counts::dismissed).
    #[default]
    Leave,
    /// They are accepted and served first, as long as the deadline allows. If there is no room for them, idle
    /// connections end already then; or they are turned away, if [that](crate::AtLimit::Refuse) is what happens to them. A
    /// server that is suspended accepts nothing. If descriptors, threads or the like run out, what is still there is let go.
    ///
    /// A strategy that runs requests in the serving thread does so here too, and nobody can cut what blocks there: the
    /// deadline holds between two requests, so such a handler needs a timeout of its own.
    Serve,
}

impl Drain {
    /// Busy requests get 10 seconds, and after that a second of grace; the backlog is left.
    pub const fn new() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            grace: Duration::from_secs(1),
            backlog: Backlog::Leave,
        }
    }

    /// How long busy requests may go on before they are forced to end. The default is 10 seconds.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long handlers get to come to their end once their connections are cut, and processes once they are told to
    /// terminate. The default is a second.
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// What becomes of requests that were not accepted yet. The default is to leave them.
    pub const fn backlog(mut self, backlog: Backlog) -> Self {
        self.backlog = backlog;
        self
    }

    /// How long busy requests may go on.
    pub const fn get_deadline(&self) -> Duration {
        self.deadline
    }

    /// How long what was forced gets to come to its end.
    pub const fn get_grace(&self) -> Duration {
        self.grace
    }

    /// What becomes of requests that were not accepted yet.
    pub const fn get_backlog(&self) -> Backlog {
        self.backlog
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

/// What a drain did.
#[derive(Clone, Debug, Default)]
#[must_use = "it says whether anything was cut off or is stuck"]
#[non_exhaustive]
pub struct DrainReport {
    /// Requests in progress in this process, and those of the backlog, that came to their end in time.
    pub finished: usize,
    /// Connections that were idle when the drain began, and ended at once.
    pub idle_ended: usize,
    /// Connections that were cut: at the deadline, or by [`force_drain`](crate::ServerHandle::force_drain) also before.
    pub forced: usize,
    /// Requests that were refused meanwhile: those of the backlog that `verify_request`, a limit or the strategy turned
    /// away, and those that nobody came to serve any more.
    pub refused: usize,
    /// Worker processes that were told to terminate at the deadline.
    pub terminated: usize,
    /// Worker processes that did not, and were killed.
    pub killed: usize,
    /// Connections whose handlers have not ended even so: they compute, or wait for something else.
    pub stuck: Vec<ConnectionInfo>,
    /// Requests that are still in progress: those of stuck connections, and packets.
    pub requests_left: usize,
    /// Workers that are still there: those of stuck connections, and others.
    pub workers_left: usize,
    /// How long it took.
    pub time: Duration,
}

impl DrainReport {
    /// Whether every request came to its end by itself, or was idle.
    pub fn is_clean(&self) -> bool {
        self.forced == 0 && self.terminated == 0 && self.killed == 0 && !self.is_stuck()
    }

    /// Whether something is still running.
    pub fn is_stuck(&self) -> bool {
        self.requests_left > 0 || self.workers_left > 0
    }
}

impl fmt::Display for DrainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { finished, idle_ended, forced, terminated, killed, time, .. } = self;
        write!(f, "drained in {time:?}: {finished} finished, {idle_ended} idle, {forced} forced")?;
        if self.refused > 0 {
            write!(f, ", {} refused", self.refused)?;
        }
        if *terminated > 0 {
            write!(f, ", {terminated} processes terminated, {killed} killed")?;
        }
        if self.is_stuck() {
            write!(f, ", {} requests and {} workers left", self.requests_left, self.workers_left)?;
        }
        for connection in &self.stuck {
            write!(
                f,
                "\n  stuck: {} from {}, for {:?}",
                connection.id, connection.peer, connection.age
            )?;
        }
        Ok(())
    }
}

impl<T, C, S> Server<T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// Stops in stages, and closes the server. CPython has nothing like it: `server_close` waits without limit.
    ///
    /// It is called when the loop has ended, for instance by a [`ShutdownHandle`](crate::ShutdownHandle) that something
    /// else used.
    ///
    /// 1. If so [asked](Drain::backlog), what waits in the backlog is accepted and served.
    /// 2. The listener is closed. Handlers can see that the server [drains](crate::ServerHandle::is_draining).
    /// 3. Idle connections end at once; one that becomes idle later does then. Handlers that asked for it are
    ///    [told](crate::ServerHandle::on_drain).
    /// 4. Busy requests may go on up to the [deadline](Drain::deadline), unless somebody
    ///    [hurries](crate::ServerHandle::force_drain).
    /// 5. What is left is forced: connections are shut down in both directions, so that blocked receives and sends return;
    ///    worker processes get `SIGTERM`.
    /// 6. A last [grace](Drain::grace), after which worker processes get `SIGKILL`.
    ///
    /// What runs even then (a handler that computes without end, say) is in the report as stuck, and is not waited for,
    /// now or when the server is dropped.
    ///
    /// A handler that got hold of its own server and drains it waits for itself, up to the deadline.
    ///
    /// A second call waits once more, for what was left. A hook of the service that panics over a request of the backlog
    /// is counted, and does not end the drain, nor does one of the strategy.
    pub fn drain(&mut self, drain: Drain) -> DrainReport {
        let server = self.handle();
        let draining = Draining::begin(drain, &server);
        if let Some(mut serve) = self.serve(Verb::HandleRequest) {
            draining.backlog(&mut serve);
        }
        self.close_listener();
        draining.finish(&server, self.concurrency())
    }

    /// Closes the listener, and waits until no request is in progress and no worker at work, or `enough` says so; for whoever
    /// cannot know yet whether the server is to be closed or drained. [`ServerHandle::nudge`](crate::ServerHandle) has that
    /// asked again.
    #[doc(hidden)]
    pub fn stop_listening(&mut self, enough: impl Fn() -> bool) {
        self.close_listener();
        self.common.connections.gate.wait_until_or(0, None, &enough);
        if !enough() {
            // What children serve is not in progress in this process.
            let server = self.handle();
            let end = after(Instant::now(), Duration::MAX);
            let patience = server.patience(end, usize::MAX).or_enough(&enough);
            self.concurrency().wait_for_workers(&patience);
        }
    }
}
