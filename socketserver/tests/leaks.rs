//! A server gives back every descriptor and every thread it took.

#![cfg(test)]
// Only there a process can read in /proc what it holds.
#![cfg(target_os = "linux")]

#[path = "support/serving.rs"]
mod serving;
mod support;

use std::fs;
use std::io::{self, BufRead, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use serving::serving;
use socketserver::prelude::*;
use socketserver::transports::{Tcp, socket2::Socket};
use support::{PATIENCE, connect, read_to_end};

const ADDRESS: &str = "127.0.0.1:0";

/// What this process holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Held {
    descriptors: usize,
    threads: usize,
}

impl Held {
    fn now() -> Self {
        let entries = |folder| fs::read_dir(folder).unwrap().count();
        Self { descriptors: entries("/proc/self/fd"), threads: entries("/proc/self/task") }
    }

    /// Checks that nothing more is held than was. A thread that was joined can be listed for a moment longer:
    /// the system tells of its end before it takes it off the list.
    fn assert_same_now(self, after: &str) {
        let deadline = Instant::now() + PATIENCE;
        while Self::now() != self && Instant::now() < deadline {
            thread::yield_now();
        }
        assert_eq!(Self::now(), self, "after {after}");
    }
}

fn say_back(client: &mut Stream<TcpConnection>) -> HandlerResult {
    let mut line = Vec::new();
    client.rfile.read_until(b'\n', &mut line)?;
    client.wfile.write_all(&line)?;
    Ok(())
}

fn ask(mut client: &TcpStream, number: usize) {
    writeln!(client, "{number}").unwrap();
    assert_eq!(read_to_end(client), format!("{number}\n"));
}

fn a_thousand_in_a_row(address: SocketAddr) {
    for number in 0..1000 {
        ask(&connect(address), number);
    }
}

fn two_hundred_at_once(address: SocketAddr) {
    let clients = (0..200).map(|_| connect(address)).collect::<Vec<_>>();
    // From the last to the first, so that none is done before all are there.
    for (number, client) in clients.iter().enumerate().rev() {
        ask(client, number);
    }
}

/// The first client comes first, for a server that serves one after another.
fn two_hundred_in_line(address: SocketAddr) {
    let clients = (0..200).map(|_| connect(address)).collect::<Vec<_>>();
    for (number, client) in clients.iter().enumerate() {
        ask(client, number);
    }
}

fn a_threaded_server() {
    let mut server = ThreadingTcpServer::bind(ADDRESS, stream_fn(say_back)).unwrap();
    serving(&mut server, |address| {
        a_thousand_in_a_row(address);
        two_hundred_at_once(address);
    });
    server.close();
    assert_eq!((server.counts().served, server.counts().errors), (1200, 0));
}

fn a_synchronous_server() {
    let mut server = TcpServer::bind(ADDRESS, stream_fn(say_back)).unwrap();
    serving(&mut server, |address| {
        a_thousand_in_a_row(address);
        two_hundred_in_line(address);
    });
    server.close();
    assert_eq!((server.counts().served, server.counts().errors), (1200, 0));
}

/// Each fails at another step.
fn failing_constructions() {
    let listener = TcpListener::bind(ADDRESS).unwrap();
    let taken = listener.local_addr().unwrap();
    let fail = |_: &Socket| Err(io::Error::other("no"));
    let before_bind = Tcp::options().before_bind(fail);
    let before_listen = Tcp::options().before_listen(fail);
    for _ in 0..256 {
        assert!(ThreadingTcpServer::bind(taken, stream_fn(say_back)).is_err());
        assert!(ThreadingTcpServer::bind("127.0.0.1:port", stream_fn(say_back)).is_err());
        assert!(before_bind.bind(ADDRESS).is_err());
        assert!(before_listen.bind(ADDRESS).is_err());
    }
}

/// A server that has served, and handles of it.
fn handles_that_live_on(held: Held) {
    let mut server = TcpServer::bind(ADDRESS, stream_fn(say_back)).unwrap();
    serving(&mut server, |address| ask(&connect(address), 7));
    let (stop, handle) = (server.shutdown_handle(), server.handle());
    drop(server);
    held.assert_same_now("the server was dropped and its handles were not");
    stop.request();
    assert_eq!(handle.counts().served, 1);
}

// One test, because it counts what the whole process holds.
#[test]
fn everything_taken_is_given_back() {
    let held = Held::now();
    a_threaded_server();
    held.assert_same_now("a threaded server");
    a_synchronous_server();
    held.assert_same_now("a synchronous server");
    failing_constructions();
    held.assert_same_now("failing constructions");
    handles_that_live_on(held);
}
