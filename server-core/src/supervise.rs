//! A run in which other processes serve: what their supervisor needs of the server.

use std::time::{Duration, Instant};

use crate::concurrency::Concurrency;
use crate::config::PollInterval;
use crate::drain::{Drain, DrainReport};
use crate::draining::{Draining, after};
use crate::error::ServeError;
use crate::job::ServiceJob;
use crate::lifecycle::Verb;
use crate::outcome::Ended;
use crate::patience::Patience;
use crate::serve::Serve;
use crate::server::Server;
use crate::server_handle::ServerHandle;
use crate::service::Service;
use crate::source::Source;
use crate::transport::{Transport, Wait};

impl<T, C, S> Server<T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// Enters a run in which other processes serve: for strategies of worker processes. `supervise` forks them
    /// and looks after them; in each child it calls [`Supervision::serve_in_child`].
    ///
    /// To those who stop the server it is a run like [`serve_forever`](Self::serve_forever).
    ///
    /// # Errors
    ///
    /// [`ServeError::Closed`] on a closed server; else those of `supervise`.
    pub fn supervise<F>(&mut self, supervise: F) -> Result<Ended, ServeError>
    where
        F: FnOnce(&mut Supervision<'_, T, C, S>) -> Result<Ended, ServeError>,
    {
        let poll_interval = self.config().get_poll_interval();
        let serve = self.serve(Verb::ServeForever).ok_or(ServeError::Closed)?;
        serve.concurrency.before_fork();
        supervise(&mut Supervision { serve, poll_interval })
    }
}

/// A server during [`Server::supervise`].
pub struct Supervision<'a, T: Transport, C, S> {
    pub(crate) serve: Serve<'a, T, C, S>,
    pub(crate) poll_interval: PollInterval,
}

impl<T, C, S> Supervision<'_, T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// Whether somebody has asked the server to stop.
    pub fn stop_ordered(&self) -> bool {
        self.serve.serving.stop_ordered()
    }

    /// The server as its handlers see it.
    pub fn handle(&self) -> ServerHandle {
        self.serve.server.clone()
    }

    /// A turn without a request: waits until the server is asked to stop, `source` is readable, the poll
    /// interval or `timeout` is over; then calls `service_actions` of the service, unless it was asked to stop.
    ///
    /// # Errors
    ///
    /// [`ServeError::Wait`] when waiting failed.
    ///
    /// # Panics
    ///
    /// With the panic of `service_actions`.
    pub fn turn(&self, source: Source<'_>, timeout: Option<Duration>) -> Result<(), ServeError> {
        let timeout = match (self.poll_interval.patience(), timeout) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let server = &self.serve.server;
        let attending = server.common().interrupts.attending(server);
        let wait = Wait::for_wake().timeout(timeout).source(Some(source));
        let wait = wait.interrupt(attending.source());
        self.serve.transport()?.wait(wait).map_err(ServeError::Wait)?;
        attending.attend();
        if !self.stop_ordered() {
            self.serve.service_actions();
        }
        Ok(())
    }

    /// Serves in a child process, which this must be: until it is asked to stop, in this process; then closes
    /// the listener here and waits for the strategy's workers.
    ///
    /// # Errors
    ///
    /// Those of [`Server::serve_forever`](Server::serve_forever).
    ///
    /// # Panics
    ///
    /// With the panic of a hook of the service.
    pub fn serve_in_child(&mut self) -> Result<Ended, ServeError> {
        let ended = self.forever_in_child();
        *self.serve.transport = None;
        self.serve.concurrency.server_close();
        ended
    }

    /// The same, but when it is asked to stop it [drains](Server::drain), in this process.
    ///
    /// # Errors
    ///
    /// Those of [`Server::serve_forever`](Server::serve_forever). It has drained then too.
    ///
    /// # Panics
    ///
    /// With the panic of a hook of the service, while it serves.
    pub fn serve_and_drain_in_child(
        &mut self,
        drain: Drain,
    ) -> Result<(Ended, DrainReport), ServeError> {
        let ended = self.forever_in_child();
        let draining = Draining::begin(drain, &self.serve.server);
        draining.backlog(&mut self.serve);
        *self.serve.transport = None;
        let report = draining.finish(&self.serve.server, self.serve.concurrency);
        ended.map(|ended| (ended, report))
    }

    fn forever_in_child(&mut self) -> Result<Ended, ServeError> {
        // What the parent attends to is its own: a child that did would take it away.
        self.serve.server.common().interrupts.set(None);
        if let Some(transport) = self.serve.transport.as_mut() {
            transport.after_fork();
        }
        self.serve.forever(self.poll_interval)
    }

    /// In the parent: a drain begins. The listener is closed here; each child has its own, and is to be told. Says nothing of
    /// those: that is the supervisor's business.
    pub fn begin_drain(&mut self) {
        self.serve.server.common().lifecycle.close();
        if let Some(transport) = self.serve.transport.take() {
            let ahead = transport.received_ahead() as u64;
            self.serve.server.counters().dismissed.add_many(ahead);
        }
        self.serve.server.announce_drain();
    }

    /// Patience for a stage of a drain: for this time from now, unless somebody has
    /// [hurried](ServerHandle::force_drain) so many times.
    pub fn patience(&self, time: Duration, hurried: usize) -> Patience<'_> {
        self.serve.server.patience(after(Instant::now(), time), hurried)
    }
}

impl<T: Transport, C, S> std::fmt::Debug for Supervision<'_, T, C, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervision").finish_non_exhaustive()
    }
}
