//! A server of this project that is stopped: it says how long that took.

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Instant;

use socketserver::prelude::*;

use super::announce;
use super::ours::{Echo, tcp};
use crate::Outcome;
use crate::workload::Workload;

/// Serves until there is a line on standard input, then drains: from that order to the return of the verb, which has
/// closed the port and ended idle connections.
pub(super) fn run(name: &str, workload: Workload) -> Outcome<()> {
    let transport = tcp()?;
    let service = StreamService::new(|| KeepAlive(Echo::default()));
    let connections = workload.connections().max(1);
    match name {
        "thread-per-request" => {
            measure(Server::new(transport, ThreadPerRequest::new(), service).spawn()?)
        }
        "pool" => measure(Server::new(transport, ThreadPool::new(connections), service).spawn()?),
        "leader-pool" => measure(Server::new(transport, LeaderPool::default(), service).spawn()?),
        "sync" => measure(Server::new(transport, Synchronous, service).spawn()?),
        _ => Err(format!("{name} is not stopped here").into()),
    }
}

fn measure(running: socketserver::Running<std::net::SocketAddr>) -> Outcome<()> {
    let address = *running.local_addr();
    announce("tcp", address)?;
    io::stdin().read_line(&mut String::new())?;
    let order = Instant::now();
    let (report, _) = running.drain(Drain::new())?;
    let took = order.elapsed();
    if !report.is_clean() {
        return Err(format!("not a clean end: {report}").into());
    }
    if TcpStream::connect(address).is_ok() {
        return Err("the port is still open".into());
    }
    let mut out = io::stdout();
    writeln!(out, "stopped {}", took.as_nanos())?;
    Ok(out.flush()?)
}
