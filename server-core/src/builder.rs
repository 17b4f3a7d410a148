//! Putting a server together part by part, in any order.

use std::io;

use crate::concurrency::{Concurrency, Dispatched, Job, Listener, Rejected};
use crate::config::{PollInterval, ServerConfig};
use crate::handler_error::HandlerResult;
use crate::job::ServiceJob;
use crate::request::Request;
use crate::server::Server;
use crate::server_handle::ServerHandle;
use crate::service::Service;
use crate::transport::{GetRequestError, Readiness, Transport, Wait, Waker};

/// A server whose parts are chosen one by one; see [`Server::builder`].
///
/// [`build`](Self::build) is there when all three are.
#[derive(Clone, Debug)]
#[must_use = "it is no server until it is built"]
pub struct ServerBuilder<T, C, S> {
    transport: T,
    concurrency: C,
    service: S,
    config: ServerConfig,
}

impl Server<Unset, Unset, Unset> {
    /// Begins to put a server together: a transport, a strategy, a service, and the settings.
    ///
    #[cfg_attr(feature = "testing", doc = "```")]
    #[cfg_attr(not(feature = "testing"), doc = "```ignore")]
    /// use socketserver_core::testing::{Inline, RecordingService, ScriptedTransport};
    /// use socketserver_core::{PollInterval, Server};
    ///
    /// let server = Server::builder()
    ///     .service(RecordingService::new())
    ///     .transport(ScriptedTransport::new())
    ///     .concurrency(Inline)
    ///     .poll_interval(PollInterval::Never)
    ///     .build();
    /// ```
    pub const fn builder() -> ServerBuilder<(), (), ()> {
        ServerBuilder { transport: (), concurrency: (), service: (), config: ServerConfig::new() }
    }
}

impl<T, C, S> ServerBuilder<T, C, S> {
    /// Where requests come from.
    pub fn transport<U: Transport>(self, transport: U) -> ServerBuilder<U, C, S> {
        let Self { transport: _, concurrency, service, config } = self;
        ServerBuilder { transport, concurrency, service, config }
    }

    /// Who runs them.
    pub fn concurrency<U>(self, concurrency: U) -> ServerBuilder<T, U, S> {
        let Self { transport, concurrency: _, service, config } = self;
        ServerBuilder { transport, concurrency, service, config }
    }

    /// What happens to them.
    pub fn service<U>(self, service: U) -> ServerBuilder<T, C, U> {
        let Self { transport, concurrency, service: _, config } = self;
        ServerBuilder { transport, concurrency, service, config }
    }

    /// All settings at once.
    pub fn config(mut self, config: ServerConfig) -> Self {
        self.config = config;
        self
    }

    /// [`ServerConfig::poll_interval`].
    pub fn poll_interval(mut self, interval: PollInterval) -> Self {
        self.config = self.config.poll_interval(interval);
        self
    }

    /// [`ServerConfig::timeout`].
    pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
        self.config = self.config.timeout(timeout);
        self
    }
}

impl<T, C, S> ServerBuilder<T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// The server.
    pub fn build(self) -> Server<T, C, S> {
        let Self { transport, concurrency, service, config } = self;
        Server::new(transport, concurrency, service).with_config(config)
    }
}

/// A part that was not chosen. There are no values of it; it only lets [`Server::builder`] be called
/// without naming types.
#[derive(Clone, Copy, Debug)]
pub enum Unset {}

impl Request for Unset {
    type Addr = Self;
}

impl Transport for Unset {
    type Request = Self;

    fn wait(&self, _: Wait<'_>) -> io::Result<Readiness> {
        match *self {}
    }

    fn waker(&self) -> Waker {
        match *self {}
    }

    fn get_request(&self) -> Result<(Self, Self), GetRequestError> {
        match *self {}
    }

    fn local_addr(&self) -> io::Result<Self> {
        match *self {}
    }
}

impl Service<Self> for Unset {
    fn finish_request(&self, _: &mut Self, _: &Self, _: &ServerHandle) -> HandlerResult {
        match *self {}
    }
}

impl<J: Job> Concurrency<J> for Unset {
    fn process_request(&self, _: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        match *self {}
    }
}
