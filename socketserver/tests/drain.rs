//! The staged stop over real sockets: who ends when, what is forced, what is stuck, and that the report says so.

#![cfg(test)]

mod support;

use std::io::{BufRead, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use socketserver::prelude::*;
use socketserver::{ConnectionInfo, ConnectionState, CutReason};
use support::{PATIENCE, connect, read_to_end};

const SHORT: Duration = Duration::from_millis(50);

/// Says what its handlers did.
#[derive(Clone)]
struct Log(Arc<Mutex<Sender<String>>>);

impl Log {
    fn new() -> (Self, Receiver<String>) {
        let (sender, receiver) = channel();
        (Self(Arc::new(Mutex::new(sender))), receiver)
    }

    fn say(&self, what: impl Into<String>) {
        self.0.lock().unwrap().send(what.into()).unwrap();
    }
}

/// Answers lines, and is idle between them. `wait` waits for a second line while it is busy.
fn polite(log: &Log) -> impl Service<TcpConnection> + Send + Sync + use<> {
    let (log, errors) = (log.clone(), log.clone());
    stream_fn(move |client: &mut Stream<TcpConnection>| {
        log.say("started");
        let mut line = String::new();
        while client.while_idle(|rfile| rfile.read_line(&mut line))? > 0 {
            if line == "wait\n" {
                log.say("busy");
                client.rfile.read_line(&mut line)?;
            }
            write!(client.wfile, "you said {line}")?;
            line.clear();
        }
        log.say("ended");
        Ok(())
    })
    .on_error(move |_, _, error| errors.say(format!("failed: {error}")))
}

/// Waits until so many connections are idle.
fn await_idle(server: &ServerHandle, count: usize) {
    let idle = |info: &ConnectionInfo| info.state == ConnectionState::Idle;
    while server.connections().into_iter().filter(idle).count() < count {
        thread::yield_now();
    }
}

fn says(log: &Receiver<String>, what: &str) {
    assert_eq!(log.recv_timeout(PATIENCE).unwrap(), what);
}

#[test]
fn idle_connections_end_at_once_and_busy_ones_finish() {
    let (log, said) = Log::new();
    let server = ThreadingTcpServer::bind("127.0.0.1:0", polite(&log)).unwrap().spawn().unwrap();
    let (idle, mut busy) = (connect(*server.local_addr()), connect(*server.local_addr()));
    busy.write_all(b"wait\n").unwrap();
    let mut heard: Vec<_> = (0..3).map(|_| said.recv_timeout(PATIENCE).unwrap()).collect();
    heard.sort();
    assert_eq!(heard, ["busy", "started", "started"]);
    await_idle(server.handle(), 1);

    let handle = server.handle().clone();
    let drain = thread::spawn(|| server.drain(Drain::new().deadline(PATIENCE)).unwrap());
    assert_eq!(read_to_end(&idle), "", "an end like any other");
    says(&said, "ended");
    assert!(handle.is_draining());
    // The busy one has all the time it needs.
    busy.write_all(b"that is all\n").unwrap();
    assert_eq!(read_to_end(&busy), "you said wait\nthat is all\n");
    says(&said, "ended");
    let (report, counts) = drain.join().unwrap();
    assert_eq!((report.idle_ended, report.finished, report.forced), (1, 1, 0));
    assert!(report.is_clean(), "{report}");
    assert_eq!((counts.served, counts.errors, counts.in_progress()), (2, 0, 0));
}

#[test]
fn what_is_stuck_in_a_read_is_forced_and_told_why() {
    let (log, said) = Log::new();
    let server = PoolTcpServer::bind("127.0.0.1:0", polite(&log)).unwrap().spawn().unwrap();
    let mut client = connect(*server.local_addr());
    client.write_all(b"wait\n").unwrap();
    says(&said, "started");
    says(&said, "busy");
    let (report, counts) = server.drain(Drain::new().deadline(SHORT).grace(PATIENCE)).unwrap();
    says(&said, "failed: the server drains and its deadline is over");
    assert_eq!((report.forced, report.finished, report.is_stuck()), (1, 0, false));
    assert!(report.time >= SHORT && !report.is_clean());
    assert_eq!((counts.served, counts.errors), (1, 1));
    // What it had not read yet may turn the end into a reset.
    let end = client.read_to_end(&mut Vec::new());
    assert!(matches!(end.map_err(|error| error.kind()), Ok(0) | Err(ErrorKind::ConnectionReset)));
}

#[test]
fn what_is_stuck_in_a_write_is_forced() {
    let (log, said) = Log::new();
    let errors = log.clone();
    let service = stream_fn(move |client: &mut Stream<TcpConnection>| {
        log.say("started");
        loop {
            client.wfile.write_all(&[0; 10_000])?;
        }
    })
    .on_error(move |_, _, error| {
        let reason = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let reason = reason.and_then(|reason| reason.downcast_ref::<CutReason>());
        errors.say(format!("{reason:?} {:?}", error.io_kind()));
    });
    let server = ThreadingTcpServer::bind("127.0.0.1:0", service).unwrap().spawn().unwrap();
    let _client = connect(*server.local_addr());
    says(&said, "started");
    let (report, _) = server.drain(Drain::new().deadline(SHORT).grace(PATIENCE)).unwrap();
    says(&said, "Some(Forced) Some(ConnectionAborted)");
    assert_eq!((report.forced, report.is_stuck()), (1, false));
}

#[test]
fn an_endless_computation_is_reported_and_not_waited_for() {
    let (log, said) = Log::new();
    let go_on = Arc::new(AtomicBool::new(true));
    let computing = Arc::clone(&go_on);
    let service = stream_fn(move |_: &mut Stream<TcpConnection>| {
        log.say("started");
        while computing.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        log.say("ended");
        Ok(())
    });
    let server = ThreadingTcpServer::bind("127.0.0.1:0", service).unwrap().spawn().unwrap();
    let client = connect(*server.local_addr());
    says(&said, "started");
    let (report, counts) = server.drain(Drain::new().deadline(SHORT).grace(SHORT)).unwrap();
    assert_eq!((report.forced, report.workers_left, report.stuck.len()), (1, 1, 1));
    let stuck = &report.stuck[0];
    assert_eq!(stuck.peer, client.local_addr().unwrap().to_string());
    assert_eq!(stuck.state, ConnectionState::Ending);
    assert!(stuck.age >= SHORT && report.to_string().contains("stuck: 1 from"), "{report}");
    assert_eq!(counts.in_progress(), 1);
    go_on.store(false, Ordering::Relaxed);
    says(&said, "ended");
}

#[test]
fn the_backlog_is_served_if_asked_for() {
    for (backlog, served) in [(Backlog::Leave, 0), (Backlog::Serve, 3)] {
        let (log, _said) = Log::new();
        let mut server = ThreadingTcpServer::bind("127.0.0.1:0", polite(&log)).unwrap();
        let address = server.local_addr().unwrap();
        let mut clients: Vec<_> = (0..3).map(|_| connect(address)).collect();
        for client in &mut clients {
            client.write_all(b"hello\n").unwrap();
        }
        let report = server.drain(Drain::new().deadline(PATIENCE).backlog(backlog));
        assert_eq!(server.counts().served, served);
        assert!(report.is_clean(), "{report}");
        if backlog == Backlog::Serve {
            // Idle or not when the drain came: what they had sent is answered.
            assert!(clients.iter().all(|client| read_to_end(client) == "you said hello\n"));
        }
        assert!(std::net::TcpStream::connect(address).is_err(), "the listener is closed");
    }
}

#[test]
fn connections_are_listed_and_ended_by_their_number() {
    let (log, said) = Log::new();
    let server = ThreadingTcpServer::bind("127.0.0.1:0", polite(&log)).unwrap().spawn().unwrap();
    let mut clients: Vec<_> = (0..3).map(|_| connect(*server.local_addr())).collect();
    for client in &mut clients {
        says(&said, "started");
        client.write_all(b"hello\n").unwrap();
        let mut answer = [0; 15];
        client.read_exact(&mut answer).unwrap();
    }
    // A handler that is idle again has counted what it sent.
    await_idle(server.handle(), 3);
    let list = server.handle().connections();
    let peers: Vec<_> = list.iter().map(|info| info.peer.clone()).collect();
    let expected: Vec<_> =
        clients.iter().map(|client| client.local_addr().unwrap().to_string()).collect();
    assert_eq!(peers, expected, "oldest first");
    assert!(list.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert!(
        list.iter().all(|info| (info.received, info.sent) == (6, 15) && info.quiet <= info.age)
    );

    assert!(server.handle().end_connection(list[1].id));
    assert_eq!(read_to_end(&clients[1]), "");
    says(&said, "failed: the connection was ended by the server");
    assert!(server.handle().wait_until_at_most(2, PATIENCE));
    assert!(!server.handle().end_connection(list[1].id), "it is gone");
    assert!(!server.handle().wait_until_at_most(1, SHORT));
    let left: Vec<_> = server.handle().connections().iter().map(|info| info.id).collect();
    assert_eq!(left, [list[0].id, list[2].id]);
    let (report, counts) = server.drain(Drain::new()).unwrap();
    assert_eq!((report.idle_ended, counts.errors), (2, 1));
}

/// Counts its requests.
struct Counting(u32);

impl KeepAliveHandler<TcpConnection> for Counting {
    fn handle_one_request(
        &mut self,
        stream: &mut Stream<TcpConnection>,
    ) -> Result<Next, HandlerError> {
        let mut line = String::new();
        stream.rfile.read_line(&mut line)?;
        self.0 += 1;
        write!(stream.wfile, "{} {line}", self.0)?;
        Ok(if line == "quit\n" { Next::Close } else { Next::Keep })
    }
}

#[test]
fn a_kept_connection_is_idle_between_its_requests() {
    let service = StreamService::new(|| KeepAlive(Counting(0))).wbufsize(1000);
    let server = ThreadingTcpServer::bind("127.0.0.1:0", service).unwrap().spawn().unwrap();
    let mut quits = connect(*server.local_addr());
    quits.write_all(b"a\nb\nquit\nlost\n").unwrap();
    let mut answers = String::new();
    // The line after the last request is not read, which some systems answer with a reset.
    let _ = (&quits).read_to_string(&mut answers);
    assert_eq!(answers, "1 a\n2 b\n3 quit\n");

    let mut stays = connect(*server.local_addr());
    stays.write_all(b"a\n").unwrap();
    let mut answer = [0; 4];
    stays.read_exact(&mut answer).unwrap();
    await_idle(server.handle(), 1);
    let (report, counts) = server.drain(Drain::new()).unwrap();
    assert_eq!(read_to_end(&stays), "");
    assert_eq!((report.idle_ended, report.finished, report.forced), (1, 0, 0));
    assert_eq!((counts.served, counts.errors), (2, 0));
}

#[test]
fn a_drain_of_nothing_is_over_at_once() {
    let (log, _said) = Log::new();
    let mut server = TcpServer::bind("127.0.0.1:0", polite(&log)).unwrap();
    for _ in 0..2 {
        let report = server.drain(Drain::new().deadline(PATIENCE));
        assert!(report.is_clean() && report.time < PATIENCE, "{report}");
    }
    assert!(matches!(server.serve_forever(), Err(ServeError::Closed)));
}
