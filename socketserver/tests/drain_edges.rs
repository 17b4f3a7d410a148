//! The staged stop at its edges: who came too late, who had sent half of it, and what is no connection.

#![cfg(test)]

mod support;

use std::io::{BufRead, Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use socketserver::core::{GetRequestError, Readiness, Transport, Wait, Waker};
use socketserver::prelude::*;
use socketserver::{ConnectionInfo, ConnectionState};
use support::{PATIENCE, connect, read_to_end};

const SHORT: Duration = Duration::from_millis(50);

/// Answers lines, is idle between them, and stops the server when told to.
fn polite() -> impl Service<TcpConnection> + Send + Sync + 'static {
    stream_fn(|client: &mut Stream<TcpConnection>| {
        let mut line = String::new();
        while client.while_idle(|rfile| rfile.read_line(&mut line))? > 0 {
            if line == "stop\n" {
                client.server.request_shutdown();
            }
            write!(client.wfile, "you said {line}")?;
            line.clear();
        }
        Ok(())
    })
}

/// Waits until there is a connection of which this can be said.
fn await_one(server: &ServerHandle, is_so: impl Fn(&ConnectionInfo) -> bool) {
    while !server.connections().iter().any(&is_so) {
        thread::yield_now();
    }
}

/// What `run` gives, unless it hangs.
fn in_time<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, awaited) = channel();
    thread::spawn(move || done.send(run()));
    awaited.recv_timeout(PATIENCE / 2).expect("it hangs")
}

#[test]
fn a_server_that_stopped_by_itself_can_still_be_drained() {
    let server = ThreadingTcpServer::bind("127.0.0.1:0", polite()).unwrap().spawn().unwrap();
    let address = *server.local_addr();
    let mut client = connect(address);
    client.write_all(b"stop\n").unwrap();
    let mut answer = [0; 14];
    client.read_exact(&mut answer).unwrap();
    await_one(server.handle(), |info| info.state == ConnectionState::Idle);
    // The loop has ended, and its thread closed the listener, before anybody says how to go on.
    while std::net::TcpStream::connect(address).is_ok() {
        thread::yield_now();
    }
    let (report, _) = in_time(|| server.drain(Drain::new())).unwrap();
    assert_eq!((report.idle_ended, report.forced), (1, 0), "{report}");
}

#[test]
fn who_has_sent_half_a_line_is_not_idle() {
    let server = ThreadingTcpServer::bind("127.0.0.1:0", polite()).unwrap().spawn().unwrap();
    let mut client = connect(*server.local_addr());
    client.write_all(b"hel").unwrap();
    await_one(server.handle(), |info| info.received == 3);
    assert_eq!(server.handle().connections()[0].state, ConnectionState::Busy);
    let handle = server.handle().clone();
    let drain = thread::spawn(|| server.drain(Drain::new().deadline(PATIENCE)).unwrap());
    while !handle.is_draining() {
        thread::yield_now();
    }
    client.write_all(b"lo\n").unwrap();
    assert_eq!(read_to_end(&client), "you said hello\n");
    let (report, counts) = drain.join().unwrap();
    assert_eq!((report.idle_ended, report.finished, report.forced), (0, 1, 0), "{report}");
    assert_eq!((counts.served, counts.errors), (1, 0));
}

#[test]
fn a_packet_that_is_stuck_is_no_finished_one() {
    for daemon in [false, true] {
        let (go_on, held) = channel::<()>();
        let (started, starts) = channel();
        let (held, started) = (Mutex::new(held), Mutex::new(started));
        let service = datagram_fn(move |_| {
            started.lock().unwrap().send(()).unwrap();
            let _ = held.lock().unwrap().recv();
            Ok(())
        });
        let strategy = ThreadPerRequest::new().daemon_threads(daemon);
        let udp = Udp::bind("127.0.0.1:0").unwrap();
        let server = Server::new(udp, strategy, service).spawn().unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.send_to(b"x", *server.local_addr()).unwrap();
        starts.recv_timeout(PATIENCE).unwrap();
        let (report, _) = server.drain(Drain::new().deadline(SHORT).grace(SHORT)).unwrap();
        assert_eq!((report.finished, report.requests_left), (0, 1), "{report}");
        assert!(report.is_stuck() && !report.is_clean(), "{report}");
        drop(go_on);
    }
}

#[test]
fn who_is_idle_makes_room_for_the_backlog() {
    let config = ServerConfig::new().max_connections(1);
    let server = ThreadingTcpServer::bind("127.0.0.1:0", polite()).unwrap();
    let server = server.with_config(config).spawn().unwrap();
    let mut idle = connect(*server.local_addr());
    idle.write_all(b"a\n").unwrap();
    idle.read_exact(&mut [0; 11]).unwrap();
    await_one(server.handle(), |info| info.state == ConnectionState::Idle);
    let waiting: Vec<_> = (0..3).map(|_| connect(*server.local_addr())).collect();
    for mut client in &waiting {
        client.write_all(b"b\n").unwrap();
    }
    let how = Drain::new().deadline(PATIENCE / 3).backlog(Backlog::Serve);
    let (report, counts) = server.drain(how).unwrap();
    assert!(report.time < PATIENCE / 6, "{report}");
    assert_eq!(counts.served, 4);
    if cfg!(target_os = "linux") {
        assert!(waiting.iter().all(|client| read_to_end(client) == "you said b\n"));
    }
    assert_eq!((report.idle_ended, report.forced, report.finished), (1, 0, 3), "{report}");
}

#[test]
fn a_suspended_server_is_not_waited_for() {
    let mut server = ThreadingTcpServer::bind("127.0.0.1:0", polite()).unwrap();
    let handle = server.handle();
    handle.suspend();
    let _client = connect(server.local_addr().unwrap());
    let how = Drain::new().deadline(PATIENCE / 3).backlog(Backlog::Serve);
    let report = server.drain(how);
    assert!(report.time < PATIENCE / 6, "{report}");
}

#[test]
fn who_was_taken_over_is_not_cut() {
    let (give, given) = channel();
    let (go_on, held) = channel::<()>();
    let held = Mutex::new(held);
    let service = stream_fn(move |client: &mut Stream<TcpConnection>| {
        give.send(client.detach()?)?;
        // It has other things to do yet.
        let _ = held.lock().map_err(|_| "poisoned")?.recv();
        Ok(())
    });
    let server = ThreadingTcpServer::bind("127.0.0.1:0", service).unwrap().spawn().unwrap();
    let client = connect(*server.local_addr());
    let taken = given.recv_timeout(PATIENCE).unwrap();
    let (report, _) = server.drain(Drain::new().deadline(SHORT).grace(SHORT)).unwrap();
    assert_eq!(report.workers_left, 1, "{report}");
    taken.connection().send(b"still here").unwrap();
    drop((go_on, taken));
    assert_eq!(read_to_end(&client), "still here");
}

/// A transport that is suspended in the moment it accepts, and says whether anybody was inside then.
struct Interrupted {
    tcp: Tcp,
    server: Arc<OnceLock<ServerHandle>>,
    was_empty: Arc<OnceLock<bool>>,
}

impl Transport for Interrupted {
    type Request = TcpConnection;

    fn wait(&self, wait: Wait<'_>) -> std::io::Result<Readiness> {
        self.tcp.wait(wait)
    }

    fn waker(&self) -> Waker {
        self.tcp.waker()
    }

    fn get_request(&self) -> Result<(TcpConnection, SocketAddr), GetRequestError> {
        let server = self.server.get().unwrap();
        server.suspend();
        let _ = self.was_empty.set(server.wait_until_at_most(0, Duration::ZERO));
        self.tcp.get_request()
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

#[test]
fn who_suspends_and_waits_is_not_surprised_by_one_more() {
    let tcp = Tcp::bind("127.0.0.1:0").unwrap();
    let (server, was_empty) = (Arc::default(), Arc::default());
    let (known, seen) = (Arc::clone(&server), Arc::clone(&was_empty));
    let mut server = Server::new(Interrupted { tcp, server, was_empty }, Synchronous, polite());
    known.set(server.handle()).unwrap();
    let client = connect(server.local_addr().unwrap());
    drop(client);
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!(seen.get(), Some(&false), "who is being accepted is inside");
    assert_eq!(server.handle().live_requests(), 0);
}

#[test]
fn a_panic_of_a_hook_does_not_end_the_drain() {
    let service = polite().verify(|_: &TcpConnection, _| panic!("verify"));
    let mut server = ThreadingTcpServer::bind("127.0.0.1:0", service).unwrap();
    let clients: Vec<_> = (0..2).map(|_| connect(server.local_addr().unwrap())).collect();
    let report = server.drain(Drain::new().backlog(Backlog::Serve));
    assert!(report.is_clean() && report.finished == 0, "{report}");
    assert!(report.refused == 2 && report.to_string().contains("2 refused"), "{report}");
    assert_eq!((server.counts().hook_panics, server.counts().accepted), (2, 2));
    assert!(clients.iter().all(|client| read_to_end(client).is_empty()));
}
