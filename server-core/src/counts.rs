//! The books: every request that came in and the door it left through.

use crate::refusal::{TurnedAway, TurnedAwayCounters};
use crate::sync::{AtomicU64, Ordering};

/// How many requests came in and how each of them left, up to now.
///
/// Every accepted request leaves through exactly one door, so
/// `accepted - (served + detached + refused + overloaded + turned_away.total() + unserved + handed_over)` requests are
/// in progress.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// Requests taken from the transport.
    pub accepted: u64,
    /// A handler ran and the request was then closed.
    pub served: u64,
    /// A handler ran and took the connection over.
    pub detached: u64,
    /// `verify_request` said no.
    pub refused: u64,
    /// The strategy had nobody to run it, and the client was told so by `handle_refusal`.
    pub overloaded: u64,
    /// Turned away by a limit, a rate or an [`Admission`](crate::Admission), and told so by `handle_refusal`.
    pub turned_away: TurnedAway,
    /// No handler ran: no thread could be started, say. The request was closed.
    pub unserved: u64,
    /// Another process serves it; this one closed its own copy.
    pub handed_over: u64,
    /// Requests that could not be taken, and are not among the accepted: mostly clients that were gone
    /// already.
    pub accept_failures: u64,
    /// How often a request could not be taken because the process or the system was out of something:
    /// descriptors, memory. The loop pauses each time.
    pub exhausted: u64,
    /// Clients that the transport let go without making requests of them, because it was out of descriptors and has a
    /// [reserve](crate::GetRequestError::Dismissed), or because the server was closed when it had
    /// [received them ahead](crate::Transport::received_ahead). They are not among the accepted.
    pub dismissed: u64,
    /// How often `handle_error` was called. Not a door: the request leaves through one as well.
    pub errors: u64,
    /// How often a hook of the service panicked. Not a door either.
    pub hook_panics: u64,
}

impl Counts {
    /// Requests that came in and have not left yet.
    pub fn in_progress(&self) -> u64 {
        let left = self.served + self.detached + self.not_served() + self.handed_over;
        self.accepted.saturating_sub(left)
    }

    /// Requests that left without a handler, for whatever reason.
    pub(crate) fn not_served(&self) -> u64 {
        self.refused + self.overloaded + self.turned_away.total() + self.unserved
    }
}

/// The counters behind [`Counts`].
///
/// Whoever needs a sum that adds up reads it when the workers have been joined. Before that, no more are seen to leave
/// than came: who reads that a request left (acquire) sees all that came before it left (release), so also that it came.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) accepted: Counter,
    pub(crate) served: Counter,
    pub(crate) detached: Counter,
    pub(crate) refused: Counter,
    pub(crate) overloaded: Counter,
    pub(crate) turned_away: TurnedAwayCounters,
    pub(crate) unserved: Counter,
    pub(crate) handed_over: Counter,
    pub(crate) accept_failures: Counter,
    pub(crate) exhausted: Counter,
    pub(crate) dismissed: Counter,
    pub(crate) errors: Counter,
    pub(crate) hook_panics: Counter,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> Counts {
        // The doors are read before `accepted`, so that a request that comes and goes meanwhile
        // never makes more leave than came.
        let doors = Counts {
            accepted: 0,
            served: self.served.get(),
            detached: self.detached.get(),
            refused: self.refused.get(),
            overloaded: self.overloaded.get(),
            turned_away: self.turned_away.snapshot(),
            unserved: self.unserved.get(),
            handed_over: self.handed_over.get(),
            accept_failures: self.accept_failures.get(),
            exhausted: self.exhausted.get(),
            dismissed: self.dismissed.get(),
            errors: self.errors.get(),
            hook_panics: self.hook_panics.get(),
        };
        Counts { accepted: self.accepted.get(), ..doors }
    }
}

/// One number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.add_many(1);
    }

    pub(crate) fn add_many(&self, many: u64) {
        self.0.fetch_add(many, Ordering::Release);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}
