//! The loop, the heart of it all: every step of CPython's in its order.

use std::panic::resume_unwind;
use std::time::{Duration, Instant};

use crate::backoff::Backoff;
use crate::concurrency::{Concurrency, Dispatched, Finished};
use crate::config::PollInterval;
use crate::error::ServeError;
use crate::job::ServiceJob;
use crate::lifecycle::Serving;
use crate::outcome::{Ended, Handled};
use crate::server_handle::ServerHandle;
use crate::service::Service;
use crate::sync::Arc;
use crate::transport::{GetRequestError, Readiness, Transport};

/// A server while one of its verbs is in progress.
pub(crate) struct Serve<'a, T, C, S> {
    pub(crate) transport: &'a T,
    pub(crate) concurrency: &'a C,
    pub(crate) service: &'a Arc<S>,
    pub(crate) server: ServerHandle,
    pub(crate) backoff: &'a mut Backoff,
    pub(crate) serving: Serving<'a>,
}

impl<T, C, S> Serve<'_, T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// CPython's `serve_forever`.
    pub(crate) fn forever(&mut self, poll_interval: PollInterval) -> Result<Ended, ServeError> {
        while !self.serving.stop_ordered() {
            let readiness = self.wait(poll_interval.patience())?;
            // A request that arrived together with the stop stays in the backlog, and there are no
            // service actions on the turn that notices a stop.
            if self.serving.stop_ordered() {
                break;
            }
            match readiness {
                Readiness::Request => {
                    if let Handled::Exited(exit) = self.take_request(None)? {
                        return Ok(Ended::Exited(exit));
                    }
                }
                Readiness::TimedOut => {}
                // Woken for no reason of ours: not a turn.
                Readiness::Woken => continue,
            }
            self.concurrency.service_actions();
            self.service.service_actions(&self.server);
        }
        Ok(Ended::Shutdown)
    }

    /// CPython's `handle_request`, with the server's own timeout.
    pub(crate) fn one_request(&mut self, timeout: Option<Duration>) -> Result<Handled, ServeError> {
        let timeout = match (self.transport.timeout(), timeout) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let started = Instant::now();
        let remaining = || timeout.map(|timeout| timeout.saturating_sub(started.elapsed()));
        let mut left = timeout;
        loop {
            // With a stop ordered only a look is taken: what is there is served, nothing is waited for.
            let ordered = self.serving.stop_ordered();
            let patience = if ordered { Some(Duration::ZERO) } else { left };
            match self.wait(patience)? {
                Readiness::Request => return self.take_request(remaining()),
                Readiness::TimedOut | Readiness::Woken if ordered => {
                    self.serving.take_order();
                    return Ok(Handled::ShutdownRequested);
                }
                Readiness::Woken => left = remaining(),
                Readiness::TimedOut => {
                    self.concurrency.handle_timeout();
                    self.service.handle_timeout(&self.server);
                    return Ok(Handled::TimedOut);
                }
            }
        }
    }

    fn wait(&self, timeout: Option<Duration>) -> Result<Readiness, ServeError> {
        self.transport.wait(timeout).map_err(ServeError::Wait)
    }

    /// CPython's `_handle_request_noblock`: get, verify, process. A pause because something ran out
    /// takes no longer than `patience`.
    fn take_request(&mut self, patience: Option<Duration>) -> Result<Handled, ServeError> {
        let (request, client_address) = match self.transport.get_request() {
            Ok(accepted) => accepted,
            Err(GetRequestError::NotReady) => return Ok(Handled::NothingAccepted(None)),
            Err(GetRequestError::Failed(error)) => {
                return Ok(Handled::NothingAccepted(Some(error)));
            }
            Err(GetRequestError::Exhausted(error)) => {
                let pause = self.backoff.pause();
                self.serving.pause(patience.map_or(pause, |patience| pause.min(patience)));
                return Ok(Handled::NothingAccepted(Some(error)));
            }
            Err(GetRequestError::Fatal(error)) => return Err(ServeError::GetRequest(error)),
        };
        self.backoff.reset();
        let job =
            ServiceJob::new(request, client_address, Arc::clone(self.service), self.server.clone());
        if !job.verify() {
            job.refuse().or_panic();
            return Ok(Handled::Refused);
        }
        match self.concurrency.process_request(job) {
            Ok(Dispatched::Started) => Ok(Handled::Started),
            Ok(Dispatched::Finished(finished)) => Ok(match finished.or_panic() {
                Finished::Exited(exit) => Handled::Exited(exit),
                _ => Handled::Served,
            }),
            Err(rejected) => {
                let (job, error) = rejected.into_parts();
                job.fail(error).or_panic();
                Ok(Handled::Rejected)
            }
        }
    }
}

impl Finished {
    /// Lets the panic of a hook go on its way, now that the request is closed.
    fn or_panic(self) -> Self {
        match self {
            Self::HookPanicked(payload) => resume_unwind(payload),
            other => other,
        }
    }
}
