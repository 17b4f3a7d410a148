//! Makes the server of a scenario: one arm per transport, one per strategy, one per handler.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use socketserver::concurrency::{RayonPool, Synchronous, ThreadPerRequest, ThreadPool};
use socketserver::core::{
    Concurrency, DatagramRequest, Request, ServiceJob, StreamRequest, Transport,
};
use socketserver::handlers::{BaseService, DatagramService, StreamService};
use socketserver::transports::{Tcp, Udp};
use socketserver::{PollInterval, Server, ServerConfig, Service};

use super::drive::drive;
use super::orders::Orders;
use super::player::{Player, RawDatagram, RawStream};
use super::stage::Stage;
use super::traced::{TracedService, TracedStrategy, TracedTransport};
use crate::scenario::{self, HandlerKind, Strategy};

/// Room for all clients of a scenario.
const BACKLOG: u32 = 64;
/// Workers for all requests of a scenario, so that none waits for another.
const WORKERS: usize = 32;

type Result<T> = std::result::Result<T, String>;

/// Makes the server and drives it to its end.
pub(super) fn build_and_drive(stage: &Arc<Stage>, path: &Path, orders: &mut Orders) -> Result<()> {
    let limit = stage.scenario.options.socket_timeout.map(Duration::from_millis);
    let mut making = Making { stage, orders, port: None };
    match stage.scenario.transport {
        scenario::Transport::Tcp => {
            let mut tcp = Tcp::options().backlog(BACKLOG);
            if let Some(limit) = limit {
                tcp = tcp.timeout(limit);
            }
            let tcp = tcp.bind("127.0.0.1:0").map_err(text)?;
            making.port = Some(tcp.local_addr().map_err(text)?.port());
            making.streams(tcp);
        }
        scenario::Transport::Udp => {
            let mut udp = Udp::options();
            if let Some(limit) = limit {
                udp = udp.timeout(limit);
            }
            if let Some(bytes) = stage.scenario.options.max_packet_size {
                udp = udp.max_packet_size(bytes);
            }
            let udp = udp.bind("127.0.0.1:0").map_err(text)?;
            making.port = Some(udp.local_addr().map_err(text)?.port());
            making.datagrams(udp);
        }
        scenario::Transport::UnixStream | scenario::Transport::UnixDatagram => {
            unix::make(&mut making, path, limit)?;
        }
    }
    Ok(())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(unix)]
mod unix {
    use std::path::Path;
    use std::time::Duration;

    use socketserver::transports::{UnixDatagram, UnixStream};

    use super::{BACKLOG, Making, Result, text};
    use crate::scenario;

    pub(super) fn make(
        making: &mut Making<'_>,
        path: &Path,
        limit: Option<Duration>,
    ) -> Result<()> {
        if making.stage.scenario.transport == scenario::Transport::UnixStream {
            let mut unix = UnixStream::options().backlog(BACKLOG);
            if let Some(limit) = limit {
                unix = unix.timeout(limit);
            }
            making.streams(unix.bind(path).map_err(text)?);
        } else {
            let mut unix = UnixDatagram::options();
            if let Some(limit) = limit {
                unix = unix.timeout(limit);
            }
            if let Some(bytes) = making.stage.scenario.options.max_packet_size {
                unix = unix.max_packet_size(bytes);
            }
            making.datagrams(unix.bind(path).map_err(text)?);
        }
        Ok(())
    }
}

#[cfg(not(unix))]
mod unix {
    use std::path::Path;
    use std::time::Duration;

    use super::{Making, Result};

    pub(super) fn make(_: &mut Making<'_>, _: &Path, _: Option<Duration>) -> Result<()> {
        Err("no Unix sockets on this platform".to_owned())
    }
}

/// A server in the making: one choice after another is made.
struct Making<'a> {
    stage: &'a Arc<Stage>,
    orders: &'a mut Orders,
    port: Option<u16>,
}

impl Making<'_> {
    fn streams<T>(&mut self, transport: T)
    where
        T: Transport + 'static,
        T::Request: StreamRequest + Send + 'static,
        <T::Request as Request>::Addr: Send,
    {
        let options = self.stage.scenario.options;
        let own = Arc::clone(self.stage);
        if self.stage.scenario.handler == HandlerKind::Base {
            let service = BaseService::new(move || RawStream(Player::new(&own)));
            return self.with_strategy(transport, service);
        }
        let mut service = StreamService::new(move || Player::new(&own))
            .disable_nagle_algorithm(options.disable_nagle_algorithm);
        if let Some(timeout) = options.handler_timeout {
            service = service.timeout(Duration::from_millis(timeout));
        }
        if let Some(bytes) = options.rbufsize {
            service = service.rbufsize(bytes);
        }
        if let Some(bytes) = options.wbufsize {
            service = service.wbufsize(bytes);
        }
        self.with_strategy(transport, service);
    }

    fn datagrams<T>(&mut self, transport: T)
    where
        T: Transport + 'static,
        T::Request: DatagramRequest + Send + 'static,
        <T::Request as Request>::Addr: Send,
    {
        let own = Arc::clone(self.stage);
        match self.stage.scenario.handler {
            HandlerKind::Base => {
                let service = BaseService::new(move || RawDatagram(Player::new(&own)));
                self.with_strategy(transport, service);
            }
            HandlerKind::Files => {
                self.with_strategy(transport, DatagramService::new(move || Player::new(&own)));
            }
        }
    }

    fn with_strategy<T, S>(&mut self, transport: T, service: S)
    where
        T: Transport + 'static,
        T::Request: Send + 'static,
        <T::Request as Request>::Addr: Send,
        S: Service<T::Request> + Send + Sync + 'static,
    {
        let transport = TracedTransport { inner: transport, stage: Arc::clone(self.stage) };
        let service = TracedService { inner: service, stage: Arc::clone(self.stage) };
        match self.stage.scenario.strategy {
            Strategy::Synchronous => self.serve(transport, Synchronous, service),
            Strategy::ThreadPerRequest => self.serve(transport, ThreadPerRequest::new(), service),
            Strategy::ThreadPool => self.serve(transport, ThreadPool::new(WORKERS), service),
            Strategy::RayonPool => self.serve(transport, RayonPool::new(WORKERS), service),
            Strategy::Fork => self.fork(transport, service),
        }
    }

    #[cfg(unix)]
    fn fork<T: Transport, S: Service<T::Request>>(&mut self, transport: T, service: S) {
        use crate::wire::Report;

        let telling = Arc::clone(self.stage);
        let mut fork = socketserver::concurrency::Fork::new().on_child_exit(move |child| {
            let status = child.code().or(child.signal().map(|signal| -signal)).unwrap_or(i32::MAX);
            telling.report(&Report::Exit { pid: child.pid(), status });
        });
        if let Some(children) = self.stage.scenario.options.max_children {
            fork = fork.max_children(children);
        }
        self.serve(transport, fork, service);
    }

    #[cfg(not(unix))]
    fn fork<T: Transport, S: Service<T::Request>>(&mut self, _: T, _: S) {
        let why = "nothing forks on this platform".to_owned();
        self.stage.report(&crate::wire::Report::Failed { why });
    }

    fn serve<T, C, S>(&mut self, transport: T, strategy: C, service: S)
    where
        T: Transport,
        TracedStrategy<C>: Concurrency<ServiceJob<T::Request, S>>,
        S: Service<T::Request>,
    {
        let options = self.stage.scenario.options;
        let poll = Duration::from_millis(options.poll_interval.unwrap_or(10));
        let mut config = ServerConfig::new().poll_interval(PollInterval::Every(poll));
        if let Some(timeout) = options.timeout {
            config = config.timeout(Duration::from_millis(timeout));
        }
        let strategy = TracedStrategy { inner: strategy, stage: Arc::clone(self.stage) };
        let server = Server::new(transport, strategy, service).with_config(config);
        drive(server, self.port, self.stage, self.orders);
    }
}
