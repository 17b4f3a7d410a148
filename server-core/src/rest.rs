//! The rest after something ran out: the loop does all it does, but takes no request for a while.

use std::io;
use std::time::Duration;

use crate::backoff::Lack;
use crate::clock;
use crate::concurrency::Concurrency;
use crate::entry::Pass;
use crate::error::ServeError;
use crate::job::ServiceJob;
use crate::observer::Event;
use crate::outcome::Handled;
use crate::serve::Serve;
use crate::service::Service;
use crate::transport::{Readiness, Transport};

impl<T, C, S> Serve<'_, T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// Something has run out, which an attempt has shown.
    pub(crate) fn out_of(&mut self, what: Lack, error: &io::Error) {
        if self.backoff.begin(what, clock::now()) {
            self.server.tell(|| Event::AcceptPaused(error));
        }
    }

    /// An attempt has shown that there is enough of it.
    pub(crate) fn enough(&mut self, what: Lack) {
        if let Some(since) = self.backoff.end(what) {
            self.server.tell(|| Event::AcceptResumed(clock::now().duration_since(since)));
        }
    }

    /// A request could not be taken because something had run out.
    pub(crate) fn run_out(&mut self, pass: Pass, error: io::Error) -> Handled {
        self.server.counters().exhausted.add();
        self.out_of(Lack::ToAccept, &error);
        let had_place = matches!(pass, Pass::In(_));
        drop(pass);
        self.begin_rest(had_place);
        Handled::NothingAccepted(Some(error))
    }

    /// The next attempt comes when a request has left, which may have set free what was missing, and else after a pause that
    /// grows: so nothing spins. The one that has failed has left already, if it `had_place`.
    pub(crate) fn begin_rest(&mut self, had_place: bool) {
        if self.server.registry().gate.begin_rest(had_place) {
            self.rest = clock::now().checked_add(self.backoff.pause());
        }
    }

    /// How much of the rest is left; `None` if requests can be taken.
    pub(crate) fn rest_left(&self) -> Option<Duration> {
        self.rest.map(|until| until.saturating_duration_since(clock::now()))
    }

    /// What a wait came to that was cut to the `rest` that was left: the end of that is a wake for whoever wanted to wait
    /// for `timeout`.
    pub(crate) fn rested(
        &mut self,
        readiness: Readiness,
        rest: Duration,
        timeout: Option<Duration>,
    ) -> Readiness {
        let is_over = match readiness {
            Readiness::TimedOut => timeout.is_none_or(|timeout| rest <= timeout),
            // Woken again and again: over all the same.
            _ if rest.is_zero() => true,
            // A strategy that watches something frees descriptors without anybody leaving: a child has ended, say.
            _ => !self.server.registry().gate.is_resting() || self.concurrency.source().is_some(),
        };
        if is_over {
            self.rest = None;
        }
        if is_over { Readiness::Woken } else { readiness }
    }

    /// Waits until the rest is over, the time that remains is, or a stop is ordered; for `handle_request`, whose caller
    /// would spin otherwise.
    pub(crate) fn sit_rest_out(
        &mut self,
        remaining: impl Fn() -> Option<Duration>,
    ) -> Result<(), ServeError> {
        while self.rest.is_some() && !self.serving.stop_ordered() {
            if self.wait(remaining())? == Readiness::TimedOut {
                break;
            }
        }
        self.rest = None;
        Ok(())
    }
}
