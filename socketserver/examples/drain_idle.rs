//! How long it takes to drain a server with many idle connections: `cargo run --release --example drain_idle -- 10000`.
//!
//! The clients are in a process of their own (this program again), so that neither side runs out of descriptors: each
//! needs as many as there are connections, and a few more (`ulimit -n`).

#![expect(clippy::print_stdout, reason = "it tells what it measured")]

use std::error::Error;
use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use socketserver::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [address, connections] => clients(address, connections.parse()?),
        [connections] => drain(connections.parse()?),
        _ => drain(10_000),
    }
}

fn drain(connections: usize) -> Result<(), Box<dyn Error>> {
    let service = stream_fn(|client: &mut Stream<TcpConnection>| {
        let mut line = Vec::new();
        while client.while_idle(|rfile| rfile.read_until(b'\n', &mut line))? > 0 {
            client.wfile.write_all(&line)?;
            line.clear();
        }
        Ok(())
    });
    let transport = Tcp::bind("127.0.0.1:0")?;
    // The handler needs little stack, and there will be many.
    let threads = ThreadPerRequest::new().stack_size(64 * 1024);
    let server = Server::new(transport, threads, service).spawn()?;
    let address = server.local_addr().to_string();
    let mut clients = Command::new(std::env::current_exe()?)
        .args([address, connections.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    // A line says that all have connected and been answered.
    let mut ready = [0; 6];
    clients.stdout.take().ok_or("no output")?.read_exact(&mut ready)?;
    let live = server.handle().live_requests();
    let (report, counts) = server.drain(Drain::new().deadline(Duration::from_secs(30)))?;
    println!("{live} connections: {report}");
    println!("served {}, errors {}", counts.served, counts.errors);
    drop(clients.stdin.take());
    clients.wait()?;
    Ok(())
}

/// Connects so often, says and hears something on each, and keeps them until standard input ends.
fn clients(address: &str, connections: usize) -> Result<(), Box<dyn Error>> {
    let mut all = Vec::new();
    for _ in 0..connections {
        let mut client = TcpStream::connect(address)?;
        client.write_all(b"\n")?;
        client.read_exact(&mut [0])?;
        all.push(client);
    }
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
