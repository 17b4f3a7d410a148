//! The alarm about handlers that are stuck: the loop looks for them now and then.

use std::time::{Duration, Instant};

use crate::clock;
use crate::observer::{Client, Event};
use crate::server_handle::ServerHandle;

/// When to look next, and for what.
#[derive(Debug)]
pub(crate) struct Alarm {
    after: Duration,
    next: Instant,
}

impl Alarm {
    const SHORTEST: Duration = Duration::from_millis(1);

    /// An alarm about handlers that have been at work by themselves for longer than `after`.
    pub(crate) fn new(after: Duration) -> Self {
        let after = after.max(Self::SHORTEST * 4);
        Self { after, next: Self::later(after) }
    }

    /// When to look again. Looking costs something for each connection, so it is done seldom: an alarm comes late by a
    /// quarter of its time at most.
    fn later(after: Duration) -> Instant {
        let now = clock::now();
        now.checked_add(after / 4).unwrap_or(now)
    }

    /// How long until the next look.
    pub(crate) fn left(&self) -> Duration {
        self.next.saturating_duration_since(clock::now())
    }

    /// Looks, if it is time, and tells the observers.
    pub(crate) fn look(&mut self, server: &ServerHandle) {
        if !self.left().is_zero() {
            return;
        }
        self.next = Self::later(self.after);
        if !server.is_observed() {
            return;
        }
        for (watch, time) in server.registry().stuck(self.after) {
            server.tell(|| Event::Stuck(Client::new(watch.id(), watch.peer()), time));
        }
    }
}
