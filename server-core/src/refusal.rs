//! Why a client is turned away, and what happens to clients for whom there is no place.

use std::fmt;

use crate::counts::{Counter, Counters};

/// Why a request that was accepted is refused without being served.
///
/// [`Service::handle_refusal`](crate::Service::handle_refusal) is told, and may tell the client. CPython has no such
/// thing; a request that `verify_request` says no to is closed without a word, as there.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// `verify_request` said no. The hook is not told.
    Verify,
    /// The strategy has nobody to run it.
    Overload,
    /// [As many requests](crate::ServerConfig::max_connections) as may be are in progress.
    Limit,
    /// Requests come [faster](crate::ServerConfig::accept_rate) than they may.
    Rate,
    /// As many as may be in progress from there are: from an address, a network, a user.
    Source,
    /// Nobody from there is served, or not this client.
    Denied,
}

impl Refusal {
    /// Its name in logs and metrics: `limit`, say.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Overload => "overload",
            Self::Limit => "limit",
            Self::Rate => "rate",
            Self::Source => "source",
            Self::Denied => "denied",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Verify => "the request is not served",
            Self::Overload => "nobody is free to serve the request",
            Self::Limit => "too many requests are in progress",
            Self::Rate => "requests come too fast",
            Self::Source => "too many requests from the same source are in progress",
            Self::Denied => "clients from this address are not served",
        }
    }
}

/// What could be said to a client.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// What happens to clients who come when the [limit](crate::ServerConfig::max_connections) is reached, or
/// [too fast](crate::ServerConfig::accept_rate).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum AtLimit {
    /// They are not accepted yet: they wait in the backlog, where they see nothing but silence.
    #[default]
    Wait,
    /// They are accepted and turned away at once: [`handle_refusal`](crate::Service::handle_refusal) may send a last
    /// word, then the request is closed. They are never counted as in progress, and the strategy is not asked about them. The
    /// loop accepts nobody else meanwhile, so the hook has to be short.
    Refuse,
}

/// How many requests were turned away before anybody was asked to serve them, by reason; see
/// [`Counts::turned_away`](crate::Counts::turned_away).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct TurnedAway {
    /// Too many requests were in progress: [`Refusal::Limit`].
    pub limit: u64,
    /// They came too fast: [`Refusal::Rate`].
    pub rate: u64,
    /// Too many from there were in progress: [`Refusal::Source`].
    pub source: u64,
    /// Nobody from there is served: [`Refusal::Denied`].
    pub denied: u64,
}

impl TurnedAway {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.limit + self.rate + self.source + self.denied
    }
}

/// The counters behind [`TurnedAway`].
#[derive(Debug, Default)]
pub(crate) struct TurnedAwayCounters {
    limit: Counter,
    rate: Counter,
    source: Counter,
    denied: Counter,
}

impl TurnedAwayCounters {
    pub(crate) fn snapshot(&self) -> TurnedAway {
        TurnedAway {
            limit: self.limit.get(),
            rate: self.rate.get(),
            source: self.source.get(),
            denied: self.denied.get(),
        }
    }
}

impl Counters {
    /// The counter of the door through which such a request leaves.
    pub(crate) fn refused_for(&self, refusal: Refusal) -> &Counter {
        match refusal {
            Refusal::Verify => &self.refused,
            Refusal::Overload => &self.overloaded,
            Refusal::Limit => &self.turned_away.limit,
            Refusal::Rate => &self.turned_away.rate,
            Refusal::Source => &self.turned_away.source,
            Refusal::Denied => &self.turned_away.denied,
        }
    }
}
