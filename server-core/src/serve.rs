//! The loop, the heart of it all: every step of CPython's in its order.

use std::panic::resume_unwind;
use std::time::{Duration, Instant};

use crate::admission::Admissions;
use crate::alarm::Alarm;
use crate::backoff::{Backoff, Lack};
use crate::batch::{Batch, End};
use crate::clock;
use crate::concurrency::{Concurrency, Dispatched, Finished};
use crate::config::PollInterval;
use crate::entry::{Entry, Pass};
use crate::error::ServeError;
use crate::hope::Hope;
use crate::job::{ServiceJob, guarded};
use crate::lifecycle::Serving;
use crate::observer::Event;
use crate::outcome::{Ended, Handled};
use crate::server_handle::ServerHandle;
use crate::service::Service;
use crate::sync::Arc;
use crate::transport::{GetRequestError, Readiness, Transport};

/// A server while one of its verbs is in progress.
pub(crate) struct Serve<'a, T: Transport, C, S> {
    /// `None` only in a child process that the strategy made.
    pub(crate) transport: &'a mut Option<T>,
    pub(crate) concurrency: &'a C,
    pub(crate) service: &'a Arc<S>,
    pub(crate) admissions: &'a Admissions<T::Request>,
    pub(crate) server: ServerHandle,
    pub(crate) backoff: &'a mut Backoff,
    pub(crate) hope: &'a mut Hope,
    pub(crate) serving: Serving<'a>,
    /// For the request that is there, from the wait to the job.
    pub(crate) pass: Option<Pass>,
    /// Nobody knows whether there is one: it was not waited for.
    pub(crate) hopes: bool,
    pub(crate) batch: Batch,
    /// Up to when nothing is taken because something has run out.
    pub(crate) rest: Option<Instant>,
    pub(crate) alarm: &'a mut Option<Alarm>,
}

impl<T, C, S> Serve<'_, T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// CPython's `serve_forever`.
    pub(crate) fn forever(&mut self, poll_interval: PollInterval) -> Result<Ended, ServeError> {
        let _end = End::of(self.concurrency);
        self.batch = Batch::of_many();
        // A wake is not a turn, so it must not put the next idle turn off either.
        let mut woken: Option<Instant> = None;
        while !self.serving.stop_ordered() {
            let patience = poll_interval.patience();
            let left = match woken {
                Some(since) => {
                    patience.map(|patience| patience.saturating_sub(clock::now() - since))
                }
                None => patience,
            };
            let begun = woken.unwrap_or_else(clock::now);
            let readiness = self.wait(left)?;
            // A request that arrived together with the stop stays in the backlog, and there are no
            // service actions on the turn that notices a stop.
            if self.serving.stop_ordered() {
                break;
            }
            match readiness {
                Readiness::Request => match self.take_request()? {
                    Handled::Exited(exit) => return Ok(Ended::Exited(exit)),
                    Handled::NothingAccepted(None) if self.hopes => {
                        woken = Some(begun);
                        continue;
                    }
                    _ => {}
                },
                // Woken for no reason of ours: not a turn, unless one is due.
                Readiness::Woken if left != Some(Duration::ZERO) => {
                    woken = Some(begun);
                    continue;
                }
                Readiness::TimedOut | Readiness::Woken => {}
            }
            woken = None;
            self.concurrency.service_actions();
            self.service_actions();
        }
        Ok(Ended::Shutdown)
    }

    /// CPython's `handle_request`, with the server's own timeout.
    pub(crate) fn one_request(&mut self, timeout: Option<Duration>) -> Result<Handled, ServeError> {
        let _end = End::of(self.concurrency);
        let timeout = match (self.transport()?.timeout(), timeout) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let started = clock::now();
        let remaining = || timeout.map(|timeout| timeout.saturating_sub(clock::now() - started));
        let mut left = timeout;
        loop {
            // With a stop ordered only a look is taken: what is there is served, nothing is waited for.
            let ordered = self.serving.stop_ordered();
            let patience = if ordered { Some(Duration::ZERO) } else { left };
            match self.wait(patience)? {
                Readiness::Request => {
                    let handled = self.take_request()?;
                    if self.hopes && matches!(handled, Handled::NothingAccepted(None)) {
                        left = remaining();
                        continue;
                    }
                    self.sit_rest_out(remaining)?;
                    // With a stop ordered there was no rest; this keeps the caller from spinning.
                    let nothing = matches!(handled, Handled::NothingAccepted(_));
                    return Ok(if ordered && nothing { self.heed_stop() } else { handled });
                }
                Readiness::TimedOut | Readiness::Woken if ordered => return Ok(self.heed_stop()),
                Readiness::Woken if left != Some(Duration::ZERO) => left = remaining(),
                // Woken at the very end, or again and again: the time is over all the same.
                Readiness::TimedOut | Readiness::Woken => {
                    self.concurrency.handle_timeout();
                    self.hook(S::handle_timeout);
                    return Ok(Handled::TimedOut);
                }
            }
        }
    }

    /// Serves what is there, without waiting for more, up to the deadline, or until something runs out.
    pub(crate) fn backlog(&mut self, deadline: Instant) {
        let _end = End::of(self.concurrency);
        let registry = Arc::clone(self.server.registry());
        let mut panicked = false;
        // A server that is closed to all will not open for this.
        while !registry.gate.is_shut() {
            let left = deadline.saturating_duration_since(clock::now());
            if left.is_zero() || self.server.common().hurry.times() > 0 {
                break;
            }
            let Ok((room, readiness)) = guarded(|| self.await_backlog(left)) else {
                // A strategy that looks for room may call somebody's hook, about a child that has ended, say. As below, that does
                // not end the drain; but one that panics whenever it is asked is not asked for ever.
                self.server.counters().hook_panics.add();
                if std::mem::replace(&mut panicked, true) {
                    break;
                }
                continue;
            };
            panicked = false;
            let handled = match readiness {
                Ok(Readiness::Request) => guarded(|| self.take_request()),
                Ok(_) if !room => continue,
                // A wake may have come first.
                Ok(Readiness::Woken) => continue,
                Ok(Readiness::TimedOut) | Err(_) => break,
            };
            match handled {
                // A hook's panic was counted and its request closed. The others are not to suffer for it.
                Ok(Ok(Handled::Served | Handled::Started | Handled::Refused)) | Err(_) => {}
                // One client was gone already, or somebody has left what had run out.
                Ok(Ok(Handled::NothingAccepted(_))) if self.rest.is_none() => {}
                Ok(_) => break,
            }
        }
    }

    /// Waits for a request of the backlog. Says whether there was room for one, and what came of it.
    fn await_backlog(&mut self, left: Duration) -> (bool, Result<Readiness, ServeError>) {
        // Nobody knows what is there as long as there is nobody to run it.
        let entry = self.entry();
        let room = matches!(entry, Entry::Open | Entry::Refuse(_));
        if entry == Entry::Shut && !self.server.registry().is_draining() {
            // Who is idle makes room.
            self.server.announce_drain();
        }
        (room, self.wait(Some(if room { Duration::ZERO } else { left })))
    }

    /// Uses the stop up that was ordered.
    fn heed_stop(&self) -> Handled {
        self.serving.take_order();
        Handled::ShutdownRequested
    }

    /// Calls a hook of the service that is about no request. Its panic is counted and goes on.
    fn hook(&self, hook: impl FnOnce(&S, &ServerHandle)) {
        if let Err(payload) = guarded(|| hook(self.service, &self.server)) {
            self.server.counters().hook_panics.add();
            resume_unwind(payload);
        }
    }

    pub(crate) fn service_actions(&self) {
        self.hook(S::service_actions);
    }

    pub(crate) fn transport(&self) -> Result<&T, ServeError> {
        self.transport.as_ref().ok_or(ServeError::Closed)
    }

    /// CPython's `_handle_request_noblock`: get, verify, process; or turn away.
    fn take_request(&mut self) -> Result<Handled, ServeError> {
        // It is given up when nothing comes of it.
        let Some(pass) = self.pass.take() else { return Ok(Handled::NothingAccepted(None)) };
        let taken = self.transport()?.get_request();
        if self.hopes && taken.is_err() {
            // Whatever it is: who does not wait now may hear the same for ever.
            self.hope.in_vain();
        }
        let (request, client_address) = match taken {
            Ok(accepted) => {
                self.hope.fulfilled(self.hopes);
                accepted
            }
            Err(GetRequestError::NotReady) => return Ok(Handled::NothingAccepted(None)),
            // What has run out is missed by nobody as long as there is no request.
            Err(GetRequestError::Exhausted(_)) if self.hopes => {
                return Ok(Handled::NothingAccepted(None));
            }
            Err(GetRequestError::Failed(error)) => {
                self.server.counters().accept_failures.add();
                self.server.tell(|| Event::AcceptFailed(&error));
                return Ok(Handled::NothingAccepted(Some(error)));
            }
            Err(GetRequestError::Exhausted(error)) => {
                return Ok(self.run_out(pass, error));
            }
            Err(GetRequestError::Dismissed { clients, error }) => {
                self.server.counters().dismissed.add_many(clients as u64);
                // Something was done, so this does not spin, and the next clients are waiting.
                self.backoff.shorten();
                return Ok(self.run_out(pass, error));
            }
            Err(GetRequestError::Fatal(error)) => return Err(ServeError::GetRequest(error)),
        };
        self.enough(Lack::ToAccept);
        let service = Arc::clone(self.service);
        let server = self.server.clone();
        let admitted = match pass {
            Pass::In(place) => {
                let job = ServiceJob::new(request, client_address, service, server, Some(place));
                job.admit(self.admissions)
            }
            Pass::Out(refusal) => {
                let job = ServiceJob::new(request, client_address, service, server, None);
                Err(job.refuse(refusal))
            }
        };
        // Who is turned away does not use the rate up for others.
        let verified = admitted.and_then(|job| {
            self.server.registry().rate.take(clock::now);
            job.verify()
        });
        let job = match verified {
            Ok(job) => job,
            Err(finished) => {
                finished.or_panic();
                self.batch.turns_away();
                return Ok(Handled::Refused);
            }
        };
        self.batch.grows();
        let dispatched = self.concurrency.process_request(job, self.transport);
        if dispatched.is_ok() {
            self.enough(Lack::ToRun);
        }
        match dispatched {
            Ok(Dispatched::Started) => Ok(Handled::Started),
            Ok(Dispatched::Finished(finished)) => Ok(match finished.or_panic() {
                Finished::Exited(exit) => Handled::Exited(exit),
                Finished::Refused => Handled::Refused,
                _ => Handled::Served,
            }),
            Err(rejected) => {
                self.out_of(Lack::ToRun, rejected.error());
                let (job, error) = rejected.into_parts();
                let finished = job.fail(error);
                // What keeps a thread or a process from being started lasts a while: who goes on at once only turns
                // more clients away, and those that are served already have to do without what that costs.
                self.begin_rest(true);
                finished.or_panic();
                Ok(Handled::Rejected)
            }
        }
    }
}
