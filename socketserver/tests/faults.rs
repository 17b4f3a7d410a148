//! A TCP server with live clients whose transport fails in every way that the system knows, and whose threads cannot be
//! started: who is connected is answered all the same, and the books add up.

#![cfg(test)]
#![cfg(target_os = "linux")] // the errors are numbered as there

#[path = "support/errno.rs"]
mod errno;
mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::core::{Concurrency, ServeError, ServiceJob};
use socketserver::prelude::*;
use socketserver::transports::sort_accept_error;
use socketserver_core::testing::{Call, Faults, Faulty};
use support::{PATIENCE, connect, read_to_end};

use errno::{Errno, GO_ON, NOTHING, PAUSE, STOP};

/// A client that has a line sent back as often as it likes.
struct Client(TcpStream);

impl Client {
    fn new(address: SocketAddr) -> Self {
        Self(connect(address))
    }

    /// Whether the line came back; if not the connection is closed.
    fn is_answered(&self) -> bool {
        let mut line = String::new();
        let sent = (&self.0).write_all(b"hello\n");
        sent.is_ok()
            && BufReader::new(&self.0).read_line(&mut line).is_ok_and(|_| line == "hello\n")
    }
}

fn echo() -> impl Service<TcpConnection> + Send + Sync + 'static {
    stream_fn(|client: &mut Stream<TcpConnection>| {
        let mut line = String::new();
        while client.rfile.read_line(&mut line)? > 0 {
            client.wfile.write_all(line.as_bytes())?;
            line.clear();
        }
        Ok(())
    })
}

/// A server in a thread of its own, and all that there is to know of it.
struct Fixture<S> {
    address: SocketAddr,
    faults: Faults,
    handle: ServerHandle,
    stop: ShutdownHandle,
    /// The server, when it has stopped, and why.
    back: mpsc::Receiver<(S, Result<Ended, ServeError>)>,
}

type Threaded<C, S> = Server<Faulty<Tcp>, C, S>;

fn server<C, S>(concurrency: C, service: S) -> (Threaded<C, S>, Faults)
where
    S: Service<TcpConnection>,
    C: Concurrency<ServiceJob<TcpConnection, S>>,
{
    let transport = Faulty::new(Tcp::bind("127.0.0.1:0").unwrap(), sort_accept_error);
    let faults = transport.faults();
    (Server::new(transport, concurrency, service), faults)
}

fn start<C, S>((mut server, faults): (Threaded<C, S>, Faults)) -> Fixture<Threaded<C, S>>
where
    S: Service<TcpConnection> + Send + Sync + 'static,
    C: Concurrency<ServiceJob<TcpConnection, S>> + Send + 'static,
{
    let address = server.local_addr().unwrap();
    let (handle, stop) = (server.handle(), server.shutdown_handle());
    let (sender, back) = mpsc::channel();
    thread::spawn(move || {
        let ended = server.serve_forever();
        // The test may have failed meanwhile.
        let _ = sender.send((server, ended));
    });
    Fixture { address, faults, handle, stop, back }
}

impl<S> Fixture<S> {
    fn new_client_is_answered(&self) -> bool {
        Client::new(self.address).is_answered()
    }

    /// When it has stopped: the server and why.
    fn back(&self) -> (S, Result<Ended, ServeError>) {
        self.back.recv_timeout(PATIENCE).unwrap()
    }

    /// Stops it, and closes it by dropping. Then nothing is left, and each request has gone one way.
    fn end(self) {
        self.stop.request();
        let (server, ended) = self.back();
        assert_eq!(ended.unwrap(), Ended::Shutdown);
        drop(server);
        adds_up(&self.handle);
        assert!(TcpStream::connect(self.address).is_err(), "nobody listens");
    }
}

fn adds_up(handle: &ServerHandle) {
    assert!(handle.wait_until_at_most(0, PATIENCE));
    assert_eq!(handle.counts().in_progress(), 0, "{:?}", handle.counts());
    assert!(handle.connections().is_empty());
}

#[test]
fn a_connection_that_came_to_nothing_holds_up_nobody() {
    let fixture = start(server(ThreadPerRequest::new(), echo()));
    let lasting = Client::new(fixture.address);
    assert!(lasting.is_answered());
    for errno in NOTHING.iter().chain(GO_ON).copied() {
        let before = fixture.handle.counts();
        fixture.faults.next(Call::GetRequest, move || errno.error());
        assert!(fixture.new_client_is_answered(), "{errno:?}");
        assert!(lasting.is_answered(), "{errno:?}");
        let after = fixture.handle.counts();
        let failed = u64::from(NOTHING.iter().all(|nothing| nothing.0 != errno.0));
        assert_eq!(after.accept_failures - before.accept_failures, failed, "{errno:?}");
        assert_eq!((after.exhausted, after.errors), (0, 0), "{errno:?}");
    }
    assert_eq!(fixture.faults.injected(), (NOTHING.len() + GO_ON.len()) as u64);
    drop(lasting);
    fixture.end();
}

#[test]
fn what_has_run_out_is_waited_for_and_clients_who_are_there_are_answered_meanwhile() {
    let fixture = start(server(ThreadPerRequest::new(), echo()));
    let lasting = Client::new(fixture.address);
    assert!(lasting.is_answered());
    // Who leaves ends a pause, so nobody does.
    let mut others = Vec::new();
    for (round, errno) in (1..).zip(PAUSE.iter().copied()) {
        for _ in 0..4 {
            fixture.faults.next(Call::GetRequest, move || errno.error());
        }
        let begun = Instant::now();
        let waiting = Client::new(fixture.address);
        assert!(fixture.faults.await_injected(round * 4 - 3));
        assert!(lasting.is_answered(), "{errno:?}");
        assert!(waiting.is_answered(), "{errno:?}");
        // 5, 10, 20 and 40: anew each time, for something was accepted in between.
        assert!(begun.elapsed() >= Duration::from_millis(75), "{errno:?} {:?}", begun.elapsed());
        assert_eq!(fixture.handle.counts().exhausted, round * 4, "{errno:?}");
        others.push(waiting);
    }
    assert_eq!(fixture.handle.counts().accept_failures, 0);
    drop((lasting, others));
    fixture.end();
}

#[test]
fn a_stop_does_not_wait_for_what_has_run_out() {
    let fixture = start(server(ThreadPerRequest::new(), echo()));
    // It would have to pause for a second more often than anybody waits.
    for _ in 0..200 {
        fixture.faults.next(Call::GetRequest, || PAUSE[0].error());
    }
    let client = Client::new(fixture.address);
    assert!(fixture.faults.await_injected(3));
    assert!(fixture.stop.shutdown_timeout(PATIENCE).is_ok());
    fixture.end();
    drop(client);
}

#[test]
fn a_broken_listener_ends_the_loop_with_its_error_and_nothing_else() {
    for errno in STOP {
        ends(*errno, Call::GetRequest);
    }
}

#[test]
fn a_wait_that_fails_ends_the_loop_with_its_error_and_nothing_else() {
    for errno in NOTHING.iter().chain(GO_ON).chain(PAUSE).chain(STOP) {
        ends(*errno, Call::Wait);
    }
}

/// The loop ends with this error. Who is connected is still answered; and as only one call has failed, the server can
/// serve again, and does who had to wait.
fn ends(errno: Errno, call: Call) {
    let mut fixture = start(server(ThreadPerRequest::new(), echo()));
    let lasting = Client::new(fixture.address);
    assert!(lasting.is_answered());
    fixture.faults.next(call, move || errno.error());
    let waiting = Client::new(fixture.address);
    // What was in a wait already ends it by accepting: then it is the next wait that fails.
    let (server, ended) = fixture.back();
    let error = match (call, ended) {
        (Call::GetRequest, Err(ServeError::GetRequest(error)))
        | (Call::Wait, Err(ServeError::Wait(error))) => error,
        (_, ended) => panic!("{errno:?}: {ended:?}"),
    };
    assert_eq!(error.raw_os_error(), errno.error().raw_os_error());
    assert!(lasting.is_answered(), "{errno:?}");
    let faults = fixture.faults.clone();
    fixture = start((server, faults));
    assert!(waiting.is_answered(), "{errno:?}");
    drop((lasting, waiting));
    fixture.end();
}

#[test]
fn an_address_that_cannot_be_told_is_an_error_and_no_more() {
    let (server, faults) = server(ThreadPerRequest::new(), echo());
    faults.next(Call::LocalAddr, || PAUSE[2].error());
    assert_eq!(server.local_addr().unwrap_err().raw_os_error(), PAUSE[2].error().raw_os_error());
    let fixture = start((server, faults));
    assert!(fixture.new_client_is_answered());
    fixture.end();
}

#[test]
fn every_client_is_served_whatever_fails_now_and_then() {
    for seed in 1..=3 {
        let fixture = start(server(ThreadPool::new(4), echo()));
        let some = |one_in, seed, list: &'static [Errno]| {
            let turn = Arc::new(Mutex::new(0));
            fixture.faults.sometimes(Call::GetRequest, one_in, seed, move || {
                let mut turn = turn.lock().unwrap();
                *turn += 1;
                list[*turn % list.len()].error()
            });
        };
        some(4, seed, GO_ON);
        some(6, seed + 100, NOTHING);
        some(12, seed + 200, PAUSE);
        let address = fixture.address;
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        assert!(Client::new(address).is_answered());
                    }
                });
            }
        });
        assert!(fixture.handle.wait_until_at_most(0, PATIENCE));
        let counts = fixture.handle.counts();
        assert_eq!((counts.accepted, counts.served), (100, 100), "{counts:?}");
        assert!(counts.accept_failures > 0 && counts.exhausted > 0, "{counts:?}");
        assert!(counts.accept_failures + counts.exhausted <= fixture.faults.injected());
        fixture.end();
    }
}

#[test]
#[cfg(target_pointer_width = "64")] // a stack that cannot exist needs a number that can
fn requests_whose_thread_cannot_be_started_are_closed_reported_and_counted() {
    const TOO_LARGE: usize = 1 << 47;
    let (reports, reported) = mpsc::channel();
    let service = |reports: mpsc::Sender<String>| {
        let reports = Mutex::new(reports);
        echo().on_error(move |_, _, error| {
            // Nobody may listen any more.
            let _ = reports.lock().unwrap().send(error.to_string());
        })
    };
    let threads = ThreadPerRequest::new().stack_size(TOO_LARGE);
    cannot_start(start(server(threads, service(reports.clone()))), &reported);
    let pool = ThreadPool::new(2).stack_size(TOO_LARGE);
    cannot_start(start(server(pool, service(reports))), &reported);
}

fn cannot_start<S>(fixture: Fixture<S>, reported: &mpsc::Receiver<String>) {
    let begun = Instant::now();
    for _ in 0..5 {
        let client = connect(fixture.address);
        assert_eq!(read_to_end(&client), "", "closed without a word");
        assert!(reported.recv_timeout(PATIENCE).is_ok());
    }
    // Between the first and the last: 5, 10, 20 and 40.
    assert!(begun.elapsed() >= Duration::from_millis(75), "{:?}", begun.elapsed());
    // The client sees the end a moment before that is counted.
    assert!(fixture.handle.wait_until_at_most(0, PATIENCE));
    let counts = fixture.handle.counts();
    assert_eq!((counts.accepted, counts.unserved, counts.errors), (5, 5, 5), "{counts:?}");
    fixture.end();
}
