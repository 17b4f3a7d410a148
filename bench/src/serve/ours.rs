//! This project's servers, made of its public parts as README.md shows them.

use std::io::{BufRead, Write};

use socketserver::prelude::*;

use super::{announce, socket_path};
use crate::Outcome;
use crate::protocol::{After, obey};
use crate::subject::PREFORK;
use crate::workload::Workload;

const ANY_PORT: &str = "127.0.0.1:0";

pub(super) fn run(name: &str, workload: Workload) -> Outcome<()> {
    if workload.is_udp() {
        let transport = Udp::options().receive_ahead(ahead(workload)).bind(ANY_PORT)?;
        announce("udp", transport.local_addr()?)?;
        let echo = datagram_fn(|exchange| {
            obey(exchange.packet());
            let packet = exchange.packet();
            exchange.wfile.write_all(packet)?;
            Ok(())
        });
        return serve(name, transport, echo, workload);
    }
    if workload == Workload::Unix {
        let transport = socketserver::transports::UnixStream::bind(socket_path())?;
        announce("unix", socket_path().display())?;
        return serve(name, transport, StreamService::new(|| KeepAlive(Echo::default())), workload);
    }
    let transport = tcp()?;
    announce("tcp", transport.local_addr()?)?;
    match (workload, is_multiplexed(name)) {
        // Who serves one request for each connection writes it so.
        (Workload::Connect, false) => {
            let once = stream_fn(|client| {
                let mut line = Vec::new();
                client.rfile.read_until(b'\n', &mut line)?;
                obey(&line);
                client.wfile.write_all(&line)?;
                Ok(())
            });
            serve(name, transport, once, workload)
        }
        _ => serve(name, transport, StreamService::new(|| KeepAlive(Echo::default())), workload),
    }
}

/// How many packets are received with one call: as many as the peer that this is held against takes. With one packet in flight
/// for each client that is `recvfrom`, which takes one.
const fn ahead(workload: Workload) -> usize {
    match workload {
        Workload::Udp { window: 2.. } => 32,
        _ => 1,
    }
}

/// Strategies that are there for connections that are kept: the handler is a `KeepAlive` always.
fn is_multiplexed(name: &str) -> bool {
    crate::subject::named(name)
        .is_some_and(|subject| subject.design == crate::subject::Design::Multiplexed)
}

/// Small writes leave at once, as with all peers.
pub(super) fn tcp() -> Outcome<Tcp> {
    Ok(Tcp::options().nodelay(true).bind(ANY_PORT)?)
}

/// One more strategy is one more arm.
fn serve<T, S>(name: &str, transport: T, service: S, workload: Workload) -> Outcome<()>
where
    T: Transport,
    T::Request: Send + 'static,
    <T::Request as Request>::Addr: Send + 'static,
    S: Service<T::Request> + Send + Sync + 'static,
{
    let connections = workload.connections();
    match name {
        "thread-per-request" => {
            Server::new(transport, ThreadPerRequest::new(), service).serve_forever()?;
        }
        "pool" => {
            Server::new(transport, ThreadPool::new(connections), service).serve_forever()?;
        }
        "leader-pool" => {
            let pool = LeaderPool::default();
            Server::new(transport, pool, service).serve_forever()?;
        }
        "sync" => {
            Server::new(transport, Synchronous, service).serve_forever()?;
        }
        "fork" => {
            let fork = Fork::new().max_children(connections.max(40));
            Server::new(transport, fork, service).serve_forever()?;
        }
        "prefork" => {
            let workers = if workload == Workload::Connect { PREFORK } else { connections };
            let mut server = Server::new(transport, Synchronous, service);
            PreFork::new(workers).serve(&mut server)?;
        }
        _ => return Err(format!("no strategy {name}").into()),
    }
    Ok(())
}

/// Sends lines back.
#[derive(Debug, Default)]
pub(super) struct Echo {
    line: Vec<u8>,
}

impl<C: StreamRequest> KeepAliveHandler<C> for Echo {
    fn handle_one_request(&mut self, stream: &mut Stream<C>) -> Result<Next, HandlerError> {
        self.line.clear();
        stream.rfile.read_until(b'\n', &mut self.line)?;
        let after = obey(&self.line);
        stream.wfile.write_all(&self.line)?;
        Ok(match after {
            After::Keep => Next::Keep,
            After::Close => Next::Close,
        })
    }
}
