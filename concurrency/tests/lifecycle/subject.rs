//! The server that lives, whatever its strategy.

use std::time::Duration;

use socketserver_concurrency::{AtClose, Synchronous, ThreadPerRequest, ThreadPool, WhenFull};
use socketserver_core::testing::{ScriptedRequest, ScriptedTransport};
use socketserver_core::{
    Concurrency, Drain, DrainReport, Ended, Handled, PollInterval, ServeError, Server,
    ServerConfig, ServerHandle, ServiceJob, ShutdownHandle,
};

use crate::world::World;

/// Who runs the requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Runs {
    Synchronous,
    Threads,
    Daemons,
    PoolThatWaits,
    PoolThatRefuses,
    PoolThatHelps,
    PoolThatDiscards,
}

impl Runs {
    pub(crate) const ALL: [Self; 7] = [
        Self::Synchronous,
        Self::Threads,
        Self::Daemons,
        Self::PoolThatWaits,
        Self::PoolThatRefuses,
        Self::PoolThatHelps,
        Self::PoolThatDiscards,
    ];

    /// Whether a handler may be run by the loop itself, which then comes home no sooner than the handler ends.
    pub(crate) fn in_loop(self) -> bool {
        matches!(self, Self::Synchronous | Self::PoolThatHelps)
    }

    /// A server with this strategy, and so many requests at a time at most.
    pub(crate) fn server(
        self,
        transport: ScriptedTransport,
        world: World,
        most: usize,
    ) -> Box<dyn Subject> {
        let pool = || ThreadPool::new(1).queue(1).idle_timeout(Duration::from_millis(1));
        match self {
            Self::Synchronous => made(transport, Synchronous::new(), world, most),
            Self::Threads => made(transport, ThreadPerRequest::new(), world, most),
            Self::Daemons => {
                made(transport, ThreadPerRequest::new().daemon_threads(true), world, most)
            }
            Self::PoolThatWaits => made(transport, pool(), world, most),
            Self::PoolThatRefuses => {
                made(transport, pool().when_full(WhenFull::Refuse), world, most)
            }
            Self::PoolThatHelps => {
                made(transport, pool().when_full(WhenFull::RunInLoop), world, most)
            }
            Self::PoolThatDiscards => {
                made(transport, pool().at_close(AtClose::Discard), world, most)
            }
        }
    }
}

fn made<C>(transport: ScriptedTransport, runs: C, world: World, most: usize) -> Box<dyn Subject>
where
    C: Concurrency<ServiceJob<ScriptedRequest, World>> + Send + 'static,
{
    let config = ServerConfig::new()
        // Without a limit of time the transport really sleeps, and must be woken.
        .poll_interval(PollInterval::Never)
        .timeout(Duration::ZERO)
        .max_connections(most);
    Box::new(Server::new(transport, runs, world).with_config(config))
}

/// A server with its verbs.
pub(crate) trait Subject: Send {
    fn serve_forever(&mut self) -> Result<Ended, ServeError>;
    fn handle_request(&mut self) -> Result<Handled, ServeError>;
    fn drain(&mut self, drain: Drain) -> DrainReport;
    fn close(&mut self);
    fn handle(&self) -> ServerHandle;
    fn shutdown_handle(&self) -> ShutdownHandle;
}

impl<C> Subject for Server<ScriptedTransport, C, World>
where
    C: Concurrency<ServiceJob<ScriptedRequest, World>> + Send,
{
    fn serve_forever(&mut self) -> Result<Ended, ServeError> {
        Server::serve_forever(self)
    }

    fn handle_request(&mut self) -> Result<Handled, ServeError> {
        Server::handle_request(self)
    }

    fn drain(&mut self, drain: Drain) -> DrainReport {
        Server::drain(self, drain)
    }

    fn close(&mut self) {
        Server::close(self);
    }

    fn handle(&self) -> ServerHandle {
        Server::handle(self)
    }

    fn shutdown_handle(&self) -> ShutdownHandle {
        Server::shutdown_handle(self)
    }
}
