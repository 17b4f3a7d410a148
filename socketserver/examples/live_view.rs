//! Whether looking at all live connections keeps new ones from being accepted: how long a client waits for its first
//! answer while many others are connected, and how long while somebody lists them all the time.
//!
//! ```text
//! cargo run --release --example live_view -- [CONNECTIONS [NEW_CLIENTS]]
//! ```
//!
//! The other clients are in a process of their own (this program again), so that neither side runs out of descriptors: each
//! needs as many as there are connections, and a few more (`ulimit -n`).

#![expect(clippy::print_stdout, reason = "it tells what it measured")]

use std::error::Error;
use std::io::{BufRead, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [word, address, connections] if word == "clients" => clients(address, connections.parse()?),
        [] => measure(10_000, 5000),
        [connections] => measure(connections.parse()?, 5000),
        [connections, new] => measure(connections.parse()?, new.parse()?),
        _ => Err("usage: live_view [CONNECTIONS [NEW_CLIENTS]]".into()),
    }
}

fn measure(connections: usize, new_clients: usize) -> Result<(), Box<dyn Error>> {
    let service = stream_fn(|client: &mut Stream<TcpConnection>| {
        let mut line = Vec::new();
        while client.while_idle(|rfile| rfile.read_until(b'\n', &mut line))? > 0 {
            client.wfile.write_all(&line)?;
            line.clear();
        }
        Ok(())
    });
    // The handler needs little stack, and there will be many.
    let threads = ThreadPerRequest::new().stack_size(64 * 1024);
    let server = Server::new(Tcp::bind("127.0.0.1:0")?, threads, service).spawn()?;
    let address = *server.local_addr();
    let mut clients = Command::new(std::env::current_exe()?)
        .args(["clients".to_owned(), address.to_string(), connections.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    // A line says that all have connected and been answered.
    clients.stdout.take().ok_or("no output")?.read_exact(&mut [0; 6])?;
    println!("{} connections are alive", server.handle().live_requests());

    tell("nobody looks", &first_answers(address, new_clients)?);
    let handle = server.handle();
    let is_over = AtomicBool::new(false);
    let (answers, lists) = thread::scope(|scope| {
        let lister = scope.spawn(|| {
            let mut took = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                assert!(handle.connections().len() >= connections);
                took.push(begun.elapsed());
            }
            took
        });
        let answers = first_answers(address, new_clients);
        is_over.store(true, Ordering::Relaxed);
        (answers, lister.join())
    });
    tell("all are listed all the time", &answers?);
    tell("a list", &lists.map_err(|_| "the lister panicked")?);

    let (report, _) = server.drain(Drain::new().deadline(Duration::from_secs(30)))?;
    println!("{report}");
    drop(clients.stdin.take());
    clients.wait()?;
    Ok(())
}

/// How long new clients take, one after another, to connect and be answered.
fn first_answers(address: SocketAddr, count: usize) -> std::io::Result<Vec<Duration>> {
    let one = |_| {
        let begun = Instant::now();
        let mut client = TcpStream::connect(address)?;
        client.write_all(b"\n")?;
        client.read_exact(&mut [0])?;
        Ok(begun.elapsed())
    };
    (0..count).map(one).collect()
}

/// The middle, the slowest hundredth, and the slowest.
fn tell(what: &str, took: &[Duration]) {
    let mut took = took.to_vec();
    took.sort_unstable();
    let at = |percent: usize| took.get((took.len() * percent / 100).min(took.len() - 1));
    let [Some(half), Some(p99), Some(most)] = [at(50), at(99), at(100)] else { return };
    println!(
        "{what:<28} half within {half:>9.1?}, 99 % within {p99:>9.1?}, all {} within {most:>9.1?}",
        took.len()
    );
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
