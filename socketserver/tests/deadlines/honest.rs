//! Who is not to be cut: clients that are fast, and those whose server was slow.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;

use socketserver::Deadline;
use socketserver::prelude::*;

use crate::service::{LONGER, Log, SHORT, handle, upper};
use crate::support::{PATIENCE, connect, read_to_end};

const HERE: &str = "127.0.0.1:0";

/// Time passes.
fn pass() {
    let (_sender, never) = channel::<()>();
    assert_eq!(never.recv_timeout(LONGER), Err(RecvTimeoutError::Timeout));
}

fn asks(client: &TcpStream) {
    let mut answer = [0; 6];
    (&*client).write_all(b"hello\n").unwrap();
    (&*client).read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HELLO\n");
}

#[test]
fn fast_clients_are_never_cut() {
    // Emulated machines that are busy otherwise are slow.
    let time = 20 * PATIENCE;
    let all = Deadlines::new().first_byte(time).idle(time).read(time).write(time).whole(time);
    let all = all.min_rate(1000, time);
    let (log, failures) = Log::new();
    let server = PoolTcpServer::bind(HERE, upper(&log)).unwrap();
    let server = server.with_config(ServerConfig::new().deadlines(all)).spawn().unwrap();
    let address = *server.local_addr();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            thread::spawn(move || {
                let client = connect(address);
                (0..100).for_each(|_| asks(&client));
                // More than any buffer holds, both ways at once.
                let line = "x".repeat(3_000_000) + "\n";
                let mut sender = client.try_clone().unwrap();
                let upper = line.to_uppercase();
                let sending = thread::spawn(move || {
                    sender.write_all(line.as_bytes()).unwrap();
                    sender.shutdown(Shutdown::Write).unwrap();
                });
                let same = read_to_end(&client) == upper;
                assert!(same);
                sending.join().unwrap();
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    assert_eq!(server.handle().cuts(), socketserver::Cuts::default());
    assert_eq!(server.stop().unwrap().1.errors, 0);
    failures.are_none();
}

/// A handler that begins to read when it is told to.
fn patient_reader(log: &Log) -> (impl Service<TcpConnection> + Send + Sync + use<>, Gate) {
    let (go, going) = channel();
    let going = Mutex::new(going);
    let service = handle(log, move |client: &mut Stream<TcpConnection>| {
        let _: Result<(), _> = going.lock().unwrap().recv_timeout(PATIENCE);
        let mut line = [0; 6];
        client.rfile.read_exact(&mut line)?;
        client.wfile.write_all(&line)?;
        Ok(())
    });
    (service, go)
}

type Gate = std::sync::mpsc::Sender<()>;

#[test]
fn what_a_client_has_sent_is_received_however_late_except_when_the_whole_is_over() {
    let short = Deadlines::new().first_byte(SHORT).idle(SHORT).read(SHORT).min_rate(1000, SHORT);
    for (deadlines, answer) in [(short, "hello\n"), (Deadlines::new().whole(SHORT), "")] {
        let (log, failures) = Log::new();
        let (service, go) = patient_reader(&log);
        let server = ThreadingTcpServer::bind(HERE, service).unwrap();
        let server = server.with_config(ServerConfig::new().deadlines(deadlines)).spawn().unwrap();
        let mut client = connect(*server.local_addr());
        client.write_all(b"hello\n").unwrap();
        while server.handle().connections().is_empty() {
            thread::yield_now();
        }
        pass();
        go.send(()).unwrap();
        let mut text = String::new();
        // What was not received may turn the end into a reset.
        let _ = client.read_to_string(&mut text);
        assert_eq!(text, answer);
        server.stop().unwrap();
        if answer.is_empty() {
            failures.is_over(Deadline::Whole);
        }
        failures.are_none();
    }
}

#[test]
fn who_waited_for_a_worker_is_served_if_he_has_sent_and_cut_at_once_if_not() {
    let deadlines = Deadlines::new().first_byte(SHORT).min_rate(1000, SHORT);
    let (log, failures) = Log::new();
    let (service, go) = patient_reader(&log);
    let pool = ThreadPool::new(1).queue(10);
    let server = PoolTcpServer::new(Tcp::bind(HERE).unwrap(), pool, service);
    let server = server.with_config(ServerConfig::new().deadlines(deadlines)).spawn().unwrap();
    // Connections are taken in their order.
    let [mut first, mut honest, silent, mut drip] = [(); 4].map(|()| connect(*server.local_addr()));
    first.write_all(b"hello\n").unwrap();
    honest.write_all(b"hello\n").unwrap();
    drip.write_all(b"hel").unwrap();
    while server.handle().connections().len() < 4 {
        thread::yield_now();
    }
    pass();
    (0..4).for_each(|_| go.send(()).unwrap());
    assert_eq!(read_to_end(&honest), "hello\n");
    failures.is_over(Deadline::FirstByte);
    failures.is_over(Deadline::Rate);
    assert_eq!(read_to_end(&silent), "");
    let (_, counts) = server.stop().unwrap();
    assert_eq!((counts.served, counts.errors), (4, 2));
}

#[test]
fn other_deadlines_of_the_server_are_for_connections_that_come_later() {
    let seen = Mutex::new(Vec::new());
    let service = stream_fn(|client: &mut Stream<TcpConnection>| {
        seen.lock().unwrap().push(client.deadlines());
        Ok(())
    });
    let mut server = TcpServer::bind(HERE, service).unwrap();
    let address = server.local_addr().unwrap();
    let all = [Deadlines::new(), Deadlines::new().idle(SHORT), Deadlines::new()];
    for deadlines in all {
        server.set_config(ServerConfig::new().deadlines(deadlines).timeout(PATIENCE));
        let client = connect(address);
        assert!(matches!(server.handle_request().unwrap(), Handled::Served));
        assert_eq!(read_to_end(&client), "");
    }
    assert_eq!(server.cuts(), socketserver::Cuts::default());
    drop(server);
    assert_eq!(seen.into_inner().unwrap(), all);
}
