//! How servers and connections end.

use std::io::{BufRead, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use socketserver::ConnectionState;
use socketserver::prelude::*;

use crate::site::{Any, Client, Pool, Site, Talk, eventually};
use crate::support::PATIENCE;

const SHORT: Duration = Duration::from_millis(100);

fn end(mut client: Client) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = client.0.read_to_end(&mut rest);
    rest
}

/// So many clients that are parked: half of them have said something.
fn parked(site: &Site, count: usize) -> Vec<Client> {
    let mut clients = site.clients(count);
    for client in clients.iter_mut().step_by(2) {
        client.asks("hello\n");
    }
    site.await_state(ConnectionState::Idle, count);
    clients
}

#[test]
fn a_drain_ends_all_that_are_parked_at_once_and_lets_others_finish() {
    for await_first_byte in [false, true] {
        let site = Site::new(Pool::new(8).await_first_byte(await_first_byte));
        let clients = parked(&site, 1000);
        let mut blocked = [(); 3].map(|()| site.blocked());
        let Site { server, status, gate, log } = site;
        let drain = thread::spawn(|| server.drain(Drain::new().deadline(PATIENCE)).unwrap());
        for client in clients {
            assert_eq!(client.rest(), "");
        }
        for client in &mut blocked {
            client.say("too late, or not\n");
        }
        gate.open(3);
        for mut client in blocked {
            client.hears("BLOCK\n");
            assert_eq!(end(client), b"");
        }
        let (report, counts) = drain.join().unwrap();
        assert_eq!((report.idle_ended, report.finished, report.forced), (1000, 3, 0), "{report}");
        assert!(report.is_clean(), "{report}");
        assert_eq!((counts.served, counts.errors, counts.in_progress()), (1003, 0, 0));
        assert_eq!((status.workers(), status.in_progress()), (0, 0));
        assert!(log.try_iter().all(|line| !line.starts_with("failed")));
    }
}

#[test]
fn who_is_still_there_at_the_deadline_is_forced_or_stuck() {
    let site = Site::new(Pool::new(4));
    let idle = parked(&site, 10);
    // One waits for its client, two at the gate, where they do not hear of it.
    let mut half = site.client();
    half.say("more\n");
    site.await_state(ConnectionState::Busy, 1);
    let blocked = [(); 2].map(|()| site.blocked());
    let Site { server, status, gate, .. } = site;
    let handle = server.handle().clone();
    let (report, counts) = server.drain(Drain::new().deadline(SHORT).grace(3 * SHORT)).unwrap();
    assert_eq!((report.idle_ended, report.forced), (10, 3), "{report}");
    assert_eq!((report.stuck.len(), report.workers_left > 0), (2, true), "{report}");
    assert_eq!(counts.in_progress(), 2);
    gate.open(2);
    assert!(handle.wait_until_at_most(0, PATIENCE));
    eventually("its threads have ended", || status.workers() == 0);
    drop((idle, blocked, half));
}

#[test]
fn a_backlog_is_served_and_a_second_drain_finds_nothing() {
    let pool = Pool::new(2);
    let status = pool.status();
    let (log, _said) = std::sync::mpsc::channel();
    let service: Any = Box::new(StreamService::new(move || {
        KeepAlive(Talk { gate: Arc::default(), log: log.clone() })
    }));
    let mut server = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), pool, service);
    let address = server.local_addr().unwrap();
    let mut clients: Vec<_> = (0..20).map(|_| crate::support::connect(address)).collect();
    for client in &mut clients {
        client.write_all(b"a\nb\n").unwrap();
    }
    let report = server.drain(Drain::new().deadline(PATIENCE).backlog(Backlog::Serve));
    assert!(report.is_clean(), "{report}");
    for client in clients {
        // The request in progress is the last; a reset says that there was one more.
        let mut answer = Vec::new();
        let _ = (&client).read_to_end(&mut answer);
        assert!(answer == b"A\n" || answer == b"A\nB\n" || answer.is_empty(), "{answer:?}");
    }
    assert_eq!((server.counts().served, status.workers()), (20, 0));
    assert!(server.drain(Drain::new().deadline(PATIENCE)).is_clean());
}

#[test]
fn closing_waits_for_clients_and_daemons_go_on() {
    for daemon in [false, true] {
        let site = Site::new(Pool::new(3).daemon_threads(daemon));
        let mut clients = parked(&site, 4);
        let Site { server, status, .. } = site;
        let stopping = thread::spawn(|| server.stop().unwrap());
        if daemon {
            let (_, counts) = stopping.join().unwrap();
            assert_eq!(counts.in_progress(), 4);
            for client in &mut clients {
                client.asks("the server is gone\n");
            }
            drop(clients);
            eventually("the threads have ended", || status.workers() == 0);
        } else {
            for _ in 0..20 {
                for client in &mut clients {
                    client.asks("it waits\n");
                }
            }
            assert!(!stopping.is_finished());
            drop(clients);
            let (_, counts) = stopping.join().unwrap();
            assert_eq!((counts.served, counts.in_progress(), status.workers()), (4, 0, 0));
        }
    }
}

#[test]
fn parked_connections_outlive_a_shutdown() {
    let pool = Pool::new(3);
    let (log, _said) = std::sync::mpsc::channel();
    let service: Any = Box::new(StreamService::new(move || {
        KeepAlive(Talk { gate: Arc::default(), log: log.clone() })
    }));
    let mut server = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), pool, service);
    let address = server.local_addr().unwrap();
    let mut clients = Vec::new();
    for round in 0..3 {
        let stop = server.shutdown_handle();
        thread::scope(|scope| {
            let serving = scope.spawn(|| server.serve_forever().unwrap());
            clients.push(Client(std::io::BufReader::new(crate::support::connect(address))));
            for client in &mut clients {
                client.asks(&format!("round {round}\n"));
            }
            stop.shutdown().unwrap();
            serving.join().unwrap();
        });
        // Nobody accepts now, and those are served all the same.
        for client in &mut clients {
            client.asks("meanwhile\n");
        }
    }
    drop(clients);
    server.close();
    assert_eq!(server.counts().served, 3);
}

#[test]
fn the_live_view_tells_who_is_parked_and_ends_whom_it_is_told() {
    let config = ServerConfig::new().stuck_after(SHORT / 2);
    let site = Site::with(Pool::new(4), config);
    let mut parked = parked(&site, 2);
    let peer = parked[1].socket().local_addr().unwrap().to_string();
    let blocked = site.blocked();
    let list = site.server.handle().connections();
    let state = |peer: &str| list.iter().find(|it| it.peer == peer).map(|it| it.state);
    assert_eq!(state(&peer), Some(ConnectionState::Idle));
    let other = blocked.socket().local_addr().unwrap().to_string();
    assert_eq!(state(&other), Some(ConnectionState::Busy));
    let id = |peer: &str| list.iter().find(|it| it.peer == peer).unwrap().id;
    assert!(site.server.handle().end_connection(id(&peer)));
    assert_eq!(end(parked.remove(1)), b"");
    assert!(site.server.handle().wait_until_at_most(2, PATIENCE));
    assert!(site.server.handle().end_connection(id(&other)));
    assert_eq!(end(blocked), b"");
    site.gate.open(1);
    assert!(site.server.handle().wait_until_at_most(1, PATIENCE));
    parked[0].asks("still here\n");
    drop(parked);
    assert_eq!(site.server.handle().cuts().ended, 2);
    let counts = site.stop();
    // The blocked one failed when it wanted to answer, the parked one when it was woken.
    assert_eq!((counts.served, counts.errors), (3, 2));
}

#[test]
fn only_who_blocks_is_stuck() {
    let stuck = Arc::new(AtomicU64::new(0));
    let (log, _said) = std::sync::mpsc::channel();
    let gate = Arc::<crate::site::Gate>::default();
    let own = Arc::clone(&gate);
    let service: Any = Box::new(StreamService::new(move || {
        KeepAlive(Talk { gate: Arc::clone(&own), log: log.clone() })
    }));
    let told = Arc::clone(&stuck);
    let server = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), Pool::new(3), service)
        .with_config(ServerConfig::new().stuck_after(SHORT))
        .with_observer(move |event: &Event<'_>| {
            if let Event::Stuck(..) = event {
                told.fetch_add(1, Ordering::Relaxed);
            }
        });
    let server = server.spawn().unwrap();
    let client = || Client(std::io::BufReader::new(crate::support::connect(*server.local_addr())));
    let mut parked = client();
    parked.asks("hello\n");
    let mut blocked = client();
    blocked.say("block\n");
    eventually("it is stuck", || stuck.load(Ordering::Relaxed) > 0);
    gate.open(1);
    blocked.hears("BLOCK\n");
    drop((parked, blocked));
    server.stop().unwrap();
    assert_eq!(stuck.load(Ordering::Relaxed), 1);
}

#[test]
fn the_limit_counts_parked_ones() {
    let config = ServerConfig::new().max_connections(5);
    let site = Site::with(Pool::new(3), config);
    let mut clients = parked(&site, 5);
    let mut waits = site.client();
    waits.say("hello\n");
    clients[0].asks("meanwhile\n");
    assert_eq!(site.server.handle().live_requests(), 5);
    drop(clients.pop());
    waits.hears("HELLO\n");
    site.server.handle().set_max_connections(Some(7));
    let mut more = site.clients(2);
    for client in &mut more {
        client.asks("hello\n");
    }
    assert_eq!(site.server.handle().live_requests(), 7);
    drop((clients, waits, more));
    assert_eq!(site.stop().served, 8);
}

/// Fails where it is told to.
struct Fails {
    what: Arc<AtomicU64>,
    talk: Talk,
}

impl KeepAliveHandler<TcpConnection> for Fails {
    fn setup(&mut self, _: &mut Stream<TcpConnection>) -> HandlerResult {
        match self.what.load(Ordering::Relaxed) {
            1 => Err("setup failed".into()),
            2 => panic!("setup panicked"),
            3 => Err(HandlerError::exit(3)),
            _ => Ok(()),
        }
    }

    fn handle_one_request(
        &mut self,
        stream: &mut Stream<TcpConnection>,
    ) -> Result<Next, HandlerError> {
        self.talk.handle_one_request(stream)
    }

    fn finish(&mut self, _: &mut Stream<TcpConnection>) -> HandlerResult {
        match self.what.load(Ordering::Relaxed) {
            4 => Err("finish failed".into()),
            5 => panic!("finish panicked"),
            _ => Ok(()),
        }
    }
}

impl Drop for Fails {
    fn drop(&mut self) {
        assert_ne!(self.what.load(Ordering::Relaxed), 6, "the drop panics");
    }
}

#[test]
fn a_failure_costs_one_connection_and_is_told_once() {
    let what = Arc::new(AtomicU64::new(0));
    let own = Arc::clone(&what);
    let site = Site::of(Pool::new(3), ServerConfig::new(), |gate, log| {
        let fails = move || {
            let talk = Talk { gate: Arc::clone(&gate), log: log.clone() };
            KeepAlive(Fails { what: Arc::clone(&own), talk })
        };
        Box::new(StreamService::new(fails))
    });
    let mut other = site.client();
    other.asks("hello\n");
    let (mut errors, mut served) = (0, 0);
    for number in [1, 2, 3, 4, 5, 6] {
        // Without having been parked, and after that.
        for first in ["", "first\n"] {
            what.store(if first.is_empty() { number } else { 0 }, Ordering::Relaxed);
            let mut client = site.client();
            if !first.is_empty() {
                client.asks(first);
                what.store(number, Ordering::Relaxed);
            }
            let _ = client.socket().write_all(b"quit\n");
            end(client);
            assert!(site.server.handle().wait_until_at_most(1, PATIENCE));
            what.store(0, Ordering::Relaxed);
            served += 1;
            let fails = number > 3 || first.is_empty();
            errors += u64::from(fails && number != 3);
            assert_eq!(site.server.counts().errors, errors, "{number} {first:?}");
        }
    }
    for word in ["fail\n", "panic\n", "exit\n"] {
        let mut client = site.client();
        client.say(word);
        assert_eq!(end(client), b"");
        served += 1;
        errors += u64::from(word != "exit\n");
    }
    other.asks("all is well\n");
    drop(other);
    assert!(site.server.handle().wait_until_at_most(0, PATIENCE));
    assert_eq!(site.failures().len() as u64, errors);
    let counts = site.stop();
    assert_eq!((counts.served, counts.errors, counts.hook_panics), (served + 1, errors, 0));
}

#[test]
fn plain_handlers_are_served_as_a_whole() {
    let site = Site::of(Pool::new(4), ServerConfig::new(), |_, _| {
        Box::new(stream_fn(|client: &mut Stream<TcpConnection>| {
            client.wfile.write_all(b"WELCOME\n")?;
            let mut line = String::new();
            while client.rfile.read_line(&mut line)? > 0 {
                client.wfile.write_all(line.to_uppercase().as_bytes())?;
                line.clear();
            }
            Ok(())
        }))
    });
    let mut clients = site.clients(10);
    for client in clients.iter_mut().take(4) {
        client.hears("WELCOME\n");
        client.asks("hello\n");
    }
    for mut client in clients {
        client.say("bye\n");
        client.socket().shutdown(std::net::Shutdown::Write).unwrap();
        let rest = String::from_utf8(end(client)).unwrap();
        assert!(rest.ends_with("BYE\n"), "{rest}");
    }
    assert_eq!(site.stop().served, 10);
}
