//! Clients that misbehave: each costs one request and at most one report, and the next is served.

#![cfg(test)]

#[path = "support/serving.rs"]
mod serving;
mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serving::serving;
use socketserver::core::{Counts, StreamRequest};
use socketserver::prelude::*;
use socketserver::transports::socket2::SockRef;
use support::{connect, read_to_end};

const ADDRESS: &str = "127.0.0.1:0";

/// Says that it is ready, reads a line of text and says it back.
fn say_back<C: StreamRequest>(client: &mut Stream<C>) -> HandlerResult {
    client.wfile.write_all(b"ready\n")?;
    let mut line = String::new();
    client.rfile.read_line(&mut line)?;
    client.wfile.write_all(line.as_bytes())?;
    Ok(())
}

/// A client that a handler has begun to serve.
fn connect_ready(address: SocketAddr) -> TcpStream {
    let client = connect(address);
    let mut line = String::new();
    // One byte at a time, so that nothing of the rest gets lost.
    BufReader::with_capacity(1, &client).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    client
}

/// Has one client misbehave and another one behave, with a server of either kind; checks that the
/// first one costs one request and this many reports.
fn assert_cost(reports: u64, misbehave: impl Fn(TcpStream)) {
    let told = AtomicU64::new(0);
    let both = |address| {
        misbehave(connect_ready(address));
        let mut client = connect_ready(address);
        client.write_all(b"behave\n").unwrap();
        assert_eq!(read_to_end(&client), "behave\n");
    };
    let check = |counts: Counts| {
        assert_eq!((counts.accepted, counts.served, counts.errors), (2, 2, reports));
        assert_eq!(told.swap(0, Ordering::Relaxed), reports);
    };

    let mut server = TcpServer::bind(
        ADDRESS,
        stream_fn(say_back).on_error(|_: &mut TcpConnection, _, _| {
            told.fetch_add(1, Ordering::Relaxed);
        }),
    )
    .unwrap();
    serving(&mut server, both);
    check(server.counts());

    // A thread may outlive the test, as far as the compiler knows; it may not borrow from here.
    let (tell, threads_told) = std::sync::mpsc::channel();
    let mut server = ThreadingTcpServer::bind(
        ADDRESS,
        stream_fn(say_back).on_error(move |_: &mut TcpConnection, _, error| {
            let _ = tell.send(error.to_string());
        }),
    )
    .unwrap();
    serving(&mut server, both);
    server.close();
    let counts = server.counts();
    drop(server);
    told.store(threads_told.iter().count() as u64, Ordering::Relaxed);
    check(counts);
}

#[test]
fn a_client_that_resets_costs_one_report() {
    assert_cost(1, |client| {
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
    });
}

#[test]
fn a_client_that_sends_nothing_and_closes_costs_no_report() {
    assert_cost(0, drop);
}

#[test]
fn a_client_that_half_closes_is_answered() {
    assert_cost(0, |client| {
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_end(&client), "");
    });
    assert_cost(0, |mut client| {
        client.write_all(b"no end of line").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_end(&client), "no end of line");
    });
}

#[test]
fn a_client_that_sends_no_text_costs_one_report() {
    assert_cost(1, |mut client| {
        client.write_all(b"\xff\xfe\n").unwrap();
        assert_eq!(read_to_end(&client), "");
    });
}

#[test]
fn a_reset_is_reported_as_a_disconnect() {
    let (tell, told) = std::sync::mpsc::channel();
    let service = stream_fn(say_back).on_error(|_: &mut TcpConnection, _, error| {
        tell.send(error.is_disconnect()).unwrap();
    });
    let mut server = TcpServer::bind(ADDRESS, service).unwrap();
    let address = server.local_addr().unwrap();
    // One thread is enough: the client is served by a call.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let client = connect_ready(address);
            SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        });
        assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    });
    assert_eq!(told.try_recv(), Ok(true));
}

// Only Linux lets a client that has seen the end go on seeing it after the reset that the unread input
// brings about; elsewhere the reset may win.
#[cfg(target_os = "linux")]
#[test]
fn unread_input_does_not_spoil_the_reply_and_the_end() {
    let both = |address| {
        for _ in 0..20 {
            let mut client = connect_ready(address);
            let mut input = b"first line\n".to_vec();
            input.resize(10_000, b'x');
            client.write_all(&input).unwrap();
            assert_eq!(read_to_end(&client), "first line\n");
        }
    };
    let mut server = TcpServer::bind(ADDRESS, stream_fn(say_back).rbufsize(0)).unwrap();
    serving(&mut server, both);
    assert_eq!(server.counts().errors, 0);
    let mut server = ThreadingTcpServer::bind(ADDRESS, stream_fn(say_back).rbufsize(0)).unwrap();
    serving(&mut server, both);
    server.close();
    assert_eq!(server.counts().errors, 0);
}

#[test]
fn a_refused_client_sees_the_end_and_meets_no_handler() {
    let refused = |address| {
        for _ in 0..3 {
            assert_eq!(read_to_end(&connect(address)), "");
        }
    };
    let check = |counts: Counts| {
        assert_eq!((counts.accepted, counts.refused, counts.served), (3, 3, 0));
        assert_eq!(counts.errors, 0);
    };
    let service = || stream_fn(say_back).verify(|_: &TcpConnection, _| false);
    let mut server = TcpServer::bind(ADDRESS, service()).unwrap();
    serving(&mut server, refused);
    check(server.counts());
    let mut server = ThreadingTcpServer::bind(ADDRESS, service()).unwrap();
    serving(&mut server, refused);
    server.close();
    check(server.counts());
}
