//! The settings of a server, as a value.

use std::time::Duration;

use crate::connections::AcceptRate;
use crate::deadlines::Deadlines;
use crate::refusal::AtLimit;

/// The settings of a [`Server`](crate::Server): a builder and its result in one, cheap to copy.
///
/// ```
/// use socketserver_core::{PollInterval, ServerConfig};
/// use std::time::Duration;
///
/// let config = ServerConfig::new().poll_interval(PollInterval::Never);
/// assert_eq!(config.get_poll_interval(), PollInterval::Never);
/// assert_eq!(config.get_timeout(), None);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[must_use]
pub struct ServerConfig {
    poll_interval: PollInterval,
    timeout: Option<Duration>,
    max_connections: Option<usize>,
    deadlines: Deadlines,
    at_limit: AtLimit,
    accept_rate: Option<AcceptRate>,
    stuck_after: Option<Duration>,
}

impl ServerConfig {
    /// The defaults, which are CPython's.
    pub const fn new() -> Self {
        Self {
            poll_interval: PollInterval::DEFAULT,
            timeout: None,
            max_connections: None,
            deadlines: Deadlines::new(),
            at_limit: AtLimit::Wait,
            accept_rate: None,
            stuck_after: None,
        }
    }

    /// How often `service_actions` runs when nothing happens; CPython's `poll_interval` argument of
    /// `serve_forever`. It has no bearing on how fast the server stops.
    pub const fn poll_interval(mut self, interval: PollInterval) -> Self {
        self.poll_interval = interval;
        self
    }

    /// How long [`handle_request`](crate::Server::handle_request) waits for a request at most;
    /// CPython's `timeout` attribute. A zero timeout looks once.
    /// [`serve_forever`](crate::Server::serve_forever) ignores it.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets how many requests may be in progress at a time: connections, and packets that are being answered. At the
    /// limit, others wait in the backlog until one of them has ended, or [are refused](Self::at_limit). The limit is exact, and
    /// [can be changed](crate::ServerHandle::set_max_connections) while the server runs; nothing is let in at 0.
    ///
    /// What forked children serve is limited by their strategy. CPython has no such limit.
    pub const fn max_connections(mut self, most: usize) -> Self {
        self.max_connections = Some(most);
        self
    }

    /// Sets how long the clients of connections may take for what; see [`Deadlines`]. A handler can set others for its own
    /// connection. CPython has nothing like it.
    pub const fn deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// Sets what happens to clients who come when the limit is reached, or faster than they may. It
    /// [can be changed](crate::ServerHandle::set_at_limit) while the server runs. CPython has no such setting.
    pub const fn at_limit(mut self, at_limit: AtLimit) -> Self {
        self.at_limit = at_limit;
        self
    }

    /// Limits how fast requests come in; it [can be changed](crate::ServerHandle::set_accept_rate) while the server runs.
    /// CPython has no such limit.
    ///
    /// Only who is let in uses the rate up: clients that are turned away, because of the limit, the rate itself or an
    /// [`Admission`](crate::Admission), do not take from the others. With [`AtLimit::Wait`] those who come too fast wait
    /// in the backlog, and the loop sleeps until the next may be accepted, or it is woken; with [`AtLimit::Refuse`] they
    /// are turned away at once. Worker processes have the rate each.
    pub const fn accept_rate(mut self, rate: AcceptRate) -> Self {
        self.accept_rate = Some(rate);
        self
    }

    /// Has [observers](crate::Observer) told of handlers of connections that have been [at
    /// work](crate::ConnectionInfo::at_work) by themselves for so long, without a receive or a send or waiting for one:
    /// they compute for ever, say, or wait for a lock. Nothing else happens to them. CPython has nothing like it.
    ///
    /// The serving thread looks for them, so nobody does while a handler runs in that thread, nor does a server that is
    /// not serving. An alarm is late by a quarter of the time at most; less than 4 milliseconds count as that.
    pub const fn stuck_after(mut self, time: Duration) -> Self {
        self.stuck_after = Some(time);
        self
    }

    /// When a handler is told to be stuck. The default is `None`, never.
    pub const fn get_stuck_after(&self) -> Option<Duration> {
        self.stuck_after
    }

    /// The poll interval; half a second unless set.
    pub const fn get_poll_interval(&self) -> PollInterval {
        self.poll_interval
    }

    /// The timeout of `handle_request`; none unless set.
    pub const fn get_timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The deadlines of connections. The default is none.
    pub const fn get_deadlines(&self) -> Deadlines {
        self.deadlines
    }

    /// How many requests may be in progress at a time. The default is `None`, no limit.
    pub const fn get_max_connections(&self) -> Option<usize> {
        self.max_connections
    }

    /// What happens to clients who come at the limit or too fast. The default is [`AtLimit::Wait`].
    pub const fn get_at_limit(&self) -> AtLimit {
        self.at_limit
    }

    /// How fast requests may come in. The default is `None`, no limit.
    pub const fn get_accept_rate(&self) -> Option<AcceptRate> {
        self.accept_rate
    }
}

/// How often an idle [`serve_forever`](crate::Server::serve_forever) wakes to call
/// `service_actions`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PollInterval {
    /// This often. Less than a millisecond counts as a millisecond; CPython spins there.
    Every(Duration),
    /// Not at all: an idle server sleeps until a request or a shutdown comes.
    Never,
}

impl PollInterval {
    const DEFAULT: Self = Self::Every(Duration::from_millis(500));
    const SHORTEST: Duration = Duration::from_millis(1);

    /// What to wait for at most.
    pub(crate) fn patience(self) -> Option<Duration> {
        match self {
            Self::Every(interval) => Some(interval.max(Self::SHORTEST)),
            Self::Never => None,
        }
    }
}

/// Half a second, CPython's default.
impl Default for PollInterval {
    fn default() -> Self {
        Self::DEFAULT
    }
}
