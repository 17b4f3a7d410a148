//! How long it takes to drain a server with many idle connections, beside what the system takes for the same:
//! `cargo run --release --example drain_idle -- [CONNECTIONS] [ROUNDS]`, by default 10,000 and 3.
//!
//! Four programs take turns: one that holds the connections without threads and just closes them, which is the least
//! that is possible; a hand-written one with a thread for each, which shuts them down and joins the threads; and
//! servers that are drained, with a thread for each connection, and with connections that are parked. The clients are in a process of their own (this program again), so that neither side runs out
//! of descriptors: each needs as many as there are connections, and a few more (`ulimit -n`).

#![expect(clippy::print_stdout, reason = "it tells what it measured")]

mod by_hand;
mod clients;

use std::error::Error;
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::time::Duration;

use socketserver::Running;
use socketserver::prelude::*;

use clients::Clients;

type Outcome<T> = Result<T, Box<dyn Error>>;
type Program = fn(usize) -> Outcome<Duration>;

/// The handlers need little stack, and there will be many.
const STACK: usize = 64 * 1024;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| match arguments.get(at) {
        Some(text) => text.parse().map(|number: usize| number.max(1)),
        None => Ok(default),
    };
    if let [word, address, connections] = &arguments[..]
        && word == clients::WORD
    {
        return clients::run(address, connections.parse()?);
    }
    let (connections, rounds) = (number(0, 10_000)?, number(1, 3)?);
    let programs: [(&str, Program); 4] = [
        ("closing them, no threads", by_hand::close),
        ("by hand, a thread each", by_hand::threads),
        ("drained, a thread each", drain_threads),
        ("drained, parked", drain_parked),
    ];
    let mut times = vec![Vec::new(); programs.len()];
    for _ in 0..rounds {
        for ((_, program), times) in programs.iter().zip(&mut times) {
            times.push(program(connections)?);
        }
    }
    println!("{connections} idle connections over TCP, median of {rounds}:");
    let medians: Vec<_> = times.iter_mut().map(|times| median(times)).collect();
    for ((name, _), time) in programs.iter().zip(&medians) {
        let by_hand = time.as_secs_f64() / medians[1].as_secs_f64();
        println!("  {name:<26} {:>7.1} ms   {by_hand:.2} x by hand", time.as_secs_f64() * 1000.0);
    }
    Ok(())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn drain_threads(connections: usize) -> Outcome<Duration> {
    let service = stream_fn(|client: &mut Stream<TcpConnection>| {
        let mut line = Vec::new();
        while client.while_idle(|rfile| rfile.read_until(b'\n', &mut line))? > 0 {
            client.wfile.write_all(&line)?;
            line.clear();
        }
        Ok(())
    });
    let threads = ThreadPerRequest::new().stack_size(STACK);
    drain(connections, Server::new(Tcp::bind("127.0.0.1:0")?, threads, service).spawn()?)
}

/// Sends lines back.
struct Echo;

impl KeepAliveHandler<TcpConnection> for Echo {
    fn handle_one_request(
        &mut self,
        client: &mut Stream<TcpConnection>,
    ) -> Result<Next, HandlerError> {
        let mut line = Vec::new();
        client.rfile.read_until(b'\n', &mut line)?;
        client.wfile.write_all(&line)?;
        Ok(Next::Keep)
    }
}

fn drain_parked(connections: usize) -> Outcome<Duration> {
    let service = StreamService::new(|| KeepAlive(Echo));
    let pool = LeaderPool::default();
    drain(connections, Server::new(Tcp::bind("127.0.0.1:0")?, pool, service).spawn()?)
}

fn drain(connections: usize, server: Running<SocketAddr>) -> Outcome<Duration> {
    let clients = Clients::start(&server.local_addr().to_string(), connections)?;
    let (report, _) = server.drain(Drain::new().deadline(Duration::from_secs(60)))?;
    clients.end()?;
    // One that has just been answered may not have come back to waiting yet.
    if report.idle_ended + report.finished != connections || !report.is_clean() {
        return Err(format!("not all ended well: {report}").into());
    }
    Ok(report.time)
}
