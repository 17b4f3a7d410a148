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
    let options = stage.scenario.options;
    let limit = options.socket_timeout.map(Duration::from_millis);
    match stage.scenario.transport {
        scenario::Transport::Tcp => {
            let mut tcp = Tcp::options().backlog(BACKLOG);
            if let Some(limit) = limit {
                tcp = tcp.timeout(limit);
            }
            let tcp = tcp.bind("127.0.0.1:0").map_err(text)?;
            let port = tcp.local_addr().map_err(text)?.port();
            streams(tcp, Some(port), stage, orders)
        }
        scenario::Transport::Udp => {
            let mut udp = Udp::options();
            if let Some(limit) = limit {
                udp = udp.timeout(limit);
            }
            if let Some(bytes) = options.max_packet_size {
                udp = udp.max_packet_size(bytes);
            }
            let udp = udp.bind("127.0.0.1:0").map_err(text)?;
            let port = udp.local_addr().map_err(text)?.port();
            datagrams(udp, Some(port), stage, orders)
        }
        scenario::Transport::UnixStream | scenario::Transport::UnixDatagram => {
            unix::build_and_drive(stage, path, orders, limit)
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(unix)]
mod unix {
    use super::*;

    use socketserver::transports::{UnixDatagram, UnixStream};

    pub(super) fn build_and_drive(
        stage: &Arc<Stage>,
        path: &Path,
        orders: &mut Orders,
        limit: Option<Duration>,
    ) -> Result<()> {
        if stage.scenario.transport == scenario::Transport::UnixStream {
            let mut unix = UnixStream::options().backlog(BACKLOG);
            if let Some(limit) = limit {
                unix = unix.timeout(limit);
            }
            streams(unix.bind(path).map_err(text)?, None, stage, orders)
        } else {
            let mut unix = UnixDatagram::options();
            if let Some(limit) = limit {
                unix = unix.timeout(limit);
            }
            if let Some(bytes) = stage.scenario.options.max_packet_size {
                unix = unix.max_packet_size(bytes);
            }
            datagrams(unix.bind(path).map_err(text)?, None, stage, orders)
        }
    }
}

#[cfg(not(unix))]
mod unix {
    use super::*;

    pub(super) fn build_and_drive(
        _: &Arc<Stage>,
        _: &Path,
        _: &mut Orders,
        _: Option<Duration>,
    ) -> Result<()> {
        Err("no Unix sockets on this platform".to_owned())
    }
}

fn streams<T>(
    transport: T,
    port: Option<u16>,
    stage: &Arc<Stage>,
    orders: &mut Orders,
) -> Result<()>
where
    T: Transport + 'static,
    T::Request: StreamRequest + Send + 'static,
    <T::Request as Request>::Addr: Send,
{
    let options = stage.scenario.options;
    let own = Arc::clone(stage);
    match stage.scenario.handler {
        HandlerKind::Base => {
            let service = BaseService::new(move || RawStream(Player::new(&own)));
            with_strategy(transport, service, port, stage, orders)
        }
        HandlerKind::Files => {
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
            with_strategy(transport, service, port, stage, orders)
        }
    }
}

fn datagrams<T>(
    transport: T,
    port: Option<u16>,
    stage: &Arc<Stage>,
    orders: &mut Orders,
) -> Result<()>
where
    T: Transport + 'static,
    T::Request: DatagramRequest + Send + 'static,
    <T::Request as Request>::Addr: Send,
{
    let own = Arc::clone(stage);
    match stage.scenario.handler {
        HandlerKind::Base => {
            let service = BaseService::new(move || RawDatagram(Player::new(&own)));
            with_strategy(transport, service, port, stage, orders)
        }
        HandlerKind::Files => {
            let service = DatagramService::new(move || Player::new(&own));
            with_strategy(transport, service, port, stage, orders)
        }
    }
}

fn with_strategy<T, S>(
    transport: T,
    service: S,
    port: Option<u16>,
    stage: &Arc<Stage>,
    orders: &mut Orders,
) -> Result<()>
where
    T: Transport + 'static,
    T::Request: Send + 'static,
    <T::Request as Request>::Addr: Send,
    S: Service<T::Request> + Send + Sync + 'static,
{
    let transport = TracedTransport { inner: transport, stage: Arc::clone(stage) };
    let service = TracedService { inner: service, stage: Arc::clone(stage) };
    match stage.scenario.strategy {
        Strategy::Synchronous => serve(transport, Synchronous, service, port, stage, orders),
        Strategy::ThreadPerRequest => {
            serve(transport, ThreadPerRequest::new(), service, port, stage, orders)
        }
        Strategy::ThreadPool => {
            serve(transport, ThreadPool::new(WORKERS), service, port, stage, orders)
        }
        Strategy::RayonPool => {
            let pool = RayonPool::new(WORKERS);
            serve(transport, pool, service, port, stage, orders)
        }
        Strategy::Fork => fork(transport, service, port, stage, orders),
    }
    Ok(())
}

#[cfg(unix)]
fn fork<T, S>(transport: T, service: S, port: Option<u16>, stage: &Arc<Stage>, orders: &mut Orders)
where
    T: Transport,
    S: Service<T::Request>,
{
    use crate::wire::Report;

    let telling = Arc::clone(stage);
    let mut fork = socketserver::concurrency::Fork::new().on_child_exit(move |child| {
        let status = child.code().or(child.signal().map(|signal| -signal)).unwrap_or(i32::MAX);
        telling.report(&Report::Exit { pid: child.pid(), status });
    });
    if let Some(children) = stage.scenario.options.max_children {
        fork = fork.max_children(children);
    }
    serve(transport, fork, service, port, stage, orders);
}

fn serve<T, C, S>(
    transport: T,
    strategy: C,
    service: S,
    port: Option<u16>,
    stage: &Arc<Stage>,
    orders: &mut Orders,
) where
    T: Transport,
    TracedStrategy<C>: Concurrency<ServiceJob<T::Request, S>>,
    S: Service<T::Request>,
{
    let options = stage.scenario.options;
    let poll = Duration::from_millis(options.poll_interval.unwrap_or(10));
    let mut config = ServerConfig::new().poll_interval(PollInterval::Every(poll));
    if let Some(timeout) = options.timeout {
        config = config.timeout(Duration::from_millis(timeout));
    }
    let strategy = TracedStrategy { inner: strategy, stage: Arc::clone(stage) };
    drive(Server::new(transport, strategy, service).with_config(config), port, stage, orders);
}
