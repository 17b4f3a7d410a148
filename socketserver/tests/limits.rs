//! The limit on requests in progress, and suspending: exact, at once, and from any thread.

#![cfg(test)]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use socketserver::Running;
use socketserver::prelude::*;
use support::{PATIENCE, connect, read_to_end};

/// Long enough to see that nothing happens.
const A_LOOK: Duration = Duration::from_millis(50);

/// Says hello, and stays until the client goes.
fn greeter() -> impl Service<TcpConnection> + Send + Sync + 'static {
    stream_fn(|client: &mut Stream<TcpConnection>| {
        client.wfile.write_all(b"hello")?;
        client.rfile.read_to_end(&mut Vec::new())?;
        Ok(())
    })
}

fn limited(most: usize) -> Running<std::net::SocketAddr> {
    let config = ServerConfig::new().max_connections(most).poll_interval(PollInterval::Never);
    let server = ThreadingTcpServer::bind("127.0.0.1:0", greeter()).unwrap();
    server.with_config(config).spawn().unwrap()
}

fn greeted(mut client: &TcpStream) {
    let mut hello = [0; 5];
    client.read_exact(&mut hello).unwrap();
    assert_eq!(&hello, b"hello");
}

fn not_greeted(mut client: &TcpStream) {
    client.set_read_timeout(Some(A_LOOK)).unwrap();
    let error = client.read(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    client.set_read_timeout(Some(PATIENCE)).unwrap();
}

#[test]
fn who_comes_at_the_limit_waits_until_somebody_goes() {
    let server = limited(2);
    let clients: Vec<_> = (0..4).map(|_| connect(*server.local_addr())).collect();
    clients[..2].iter().for_each(greeted);
    clients[2..].iter().for_each(not_greeted);
    assert_eq!(server.handle().live_requests(), 2);
    let mut clients = clients.into_iter();
    drop(clients.next());
    let clients: Vec<_> = clients.collect();
    greeted(&clients[1]);
    not_greeted(&clients[2]);
    // More may come from now on.
    server.handle().set_max_connections(Some(3));
    greeted(&clients[2]);
    assert_eq!(server.handle().max_connections(), Some(3));
    drop(clients);
    assert_eq!(server.stop().unwrap().1.served, 4);
}

#[test]
fn a_full_server_stops_at_once() {
    let server = limited(1);
    let (first, second) = (connect(*server.local_addr()), connect(*server.local_addr()));
    greeted(&first);
    not_greeted(&second);
    let (report, counts) = server.drain(Drain::new().deadline(A_LOOK)).unwrap();
    assert_eq!((report.forced, counts.accepted), (1, 1));
}

#[test]
fn a_suspended_server_keeps_its_port_and_its_connections() {
    let server = limited(10);
    let before = connect(*server.local_addr());
    greeted(&before);
    server.handle().suspend();
    assert!(server.handle().is_suspended());
    let after = connect(*server.local_addr());
    not_greeted(&after);
    server.handle().resume();
    greeted(&after);
    drop((before, after));
    assert_eq!(server.stop().unwrap().1.served, 2);
}

#[test]
fn a_suspended_server_can_be_stopped() {
    let server = limited(10);
    server.handle().suspend();
    let client = connect(*server.local_addr());
    not_greeted(&client);
    assert_eq!(server.stop().unwrap().1.accepted, 0);
}

/// Tells clients why they are turned away.
fn with_last_words() -> impl Service<TcpConnection> + Send + Sync + 'static {
    greeter().on_refusal(|client: &mut TcpConnection, _, refusal| {
        client.send(refusal.to_string().as_bytes()).unwrap();
    })
}

fn with_config(config: ServerConfig) -> Running<std::net::SocketAddr> {
    let server = ThreadingTcpServer::bind("127.0.0.1:0", with_last_words()).unwrap();
    server.with_config(config.poll_interval(PollInterval::Never)).spawn().unwrap()
}

#[test]
fn who_comes_at_the_limit_can_be_told_so() {
    let server = with_config(ServerConfig::new().max_connections(1).at_limit(AtLimit::Refuse));
    let inside = connect(*server.local_addr());
    greeted(&inside);
    for _ in 0..3 {
        let late = connect(*server.local_addr());
        assert_eq!(read_to_end(&late), "too many requests are in progress");
        assert_eq!(server.handle().live_requests(), 1);
    }
    drop(inside);
    assert!(server.handle().wait_until_at_most(0, PATIENCE));
    let next = connect(*server.local_addr());
    greeted(&next);
    // From now on others wait.
    server.handle().set_at_limit(AtLimit::Wait);
    let waiting = connect(*server.local_addr());
    not_greeted(&waiting);
    drop(next);
    greeted(&waiting);
    drop(waiting);
    let counts = server.stop().unwrap().1;
    assert_eq!((counts.served, counts.turned_away.limit, counts.in_progress()), (3, 3, 0));
}

#[test]
fn a_full_server_that_refuses_stops_at_once() {
    let server = with_config(ServerConfig::new().max_connections(1).at_limit(AtLimit::Refuse));
    let inside = connect(*server.local_addr());
    greeted(&inside);
    let (report, counts) = server.drain(Drain::new().deadline(A_LOOK)).unwrap();
    assert_eq!((report.forced, counts.accepted), (1, 1));
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn who_comes_too_fast_waits_and_need_not_when_the_rate_is_changed() {
    let server = with_config(ServerConfig::new().accept_rate(AcceptRate::one_per(HOUR).burst(2)));
    let clients: Vec<_> = (0..3).map(|_| connect(*server.local_addr())).collect();
    clients[..2].iter().for_each(greeted);
    not_greeted(&clients[2]);
    assert_eq!(server.counts().accepted, 2);
    server.handle().set_accept_rate(None);
    greeted(&clients[2]);
    server.handle().set_accept_rate(Some(AcceptRate::one_per(HOUR)));
    let late: Vec<_> = (0..2).map(|_| connect(*server.local_addr())).collect();
    greeted(&late[0]);
    not_greeted(&late[1]);
    // Nor does that keep the server from stopping.
    drop((clients, late));
    server.stop().unwrap();
}

#[test]
fn who_comes_too_fast_can_be_told_so() {
    let rate = AcceptRate::one_per(HOUR);
    let server = with_config(ServerConfig::new().accept_rate(rate).at_limit(AtLimit::Refuse));
    let first = connect(*server.local_addr());
    greeted(&first);
    assert_eq!(read_to_end(&connect(*server.local_addr())), "requests come too fast");
    drop(first);
    assert_eq!(server.stop().unwrap().1.turned_away.rate, 1);
}

#[test]
fn a_rate_is_never_exceeded() {
    let rate = AcceptRate::per_second(100).burst(1);
    let started = std::time::Instant::now();
    let server = with_config(ServerConfig::new().accept_rate(rate));
    let clients: Vec<_> = (0..11).map(|_| connect(*server.local_addr())).collect();
    clients.iter().for_each(greeted);
    assert!(started.elapsed() >= Duration::from_millis(100), "{:?}", started.elapsed());
    drop(clients);
    assert_eq!(server.stop().unwrap().1.served, 11);
}

/// The limit changes at random while clients come and go; there are never more inside than it ever allowed.
#[test]
fn the_limit_is_exact_however_it_changes() {
    const MOST: usize = 8;
    const CLIENTS: usize = 4;
    const ROUNDS: usize = 300;
    let (inside, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, highest) = (Arc::clone(&inside), Arc::clone(&peak));
    let service = stream_fn(move |client: &mut Stream<TcpConnection>| {
        let count = now.fetch_add(1, Ordering::SeqCst) + 1;
        highest.fetch_max(count, Ordering::SeqCst);
        client.wfile.write_all(b"hello")?;
        client.rfile.read_to_end(&mut Vec::new())?;
        now.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    });
    let server = ThreadingTcpServer::bind("127.0.0.1:0", service).unwrap();
    let config = ServerConfig::new().max_connections(MOST);
    let server = server.with_config(config).spawn().unwrap();
    let address = *server.local_addr();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            thread::spawn(move || {
                for _ in 0..ROUNDS / 4 {
                    // Several at a time, so that the limit is met.
                    let held: Vec<_> = (0..4).map(|_| connect(address)).collect();
                    for client in held {
                        client.shutdown(std::net::Shutdown::Write).unwrap();
                        assert_eq!(read_to_end(&client), "hello");
                    }
                }
            })
        })
        .collect();
    let mut random = 1_u64;
    while clients.iter().any(|client| !client.is_finished()) {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let most = usize::try_from(random >> 33).unwrap() % MOST + 1;
        server.handle().set_max_connections(Some(most));
        thread::yield_now();
    }
    for client in clients {
        client.join().unwrap();
    }
    let (_, counts) = server.stop().unwrap();
    assert_eq!(counts.served, (CLIENTS * ROUNDS) as u64);
    assert!(peak.load(Ordering::SeqCst) <= MOST, "{} at once", peak.load(Ordering::SeqCst));
}

#[test]
fn who_waits_because_he_came_too_soon_is_turned_away_as_soon_as_that_is_what_happens() {
    let hour = Duration::from_secs(3600);
    let config = ServerConfig::new()
        .poll_interval(PollInterval::Never)
        .accept_rate(AcceptRate::one_per(hour));
    let server = ThreadingTcpServer::bind("127.0.0.1:0", greeter()).unwrap();
    let server = server.with_config(config).spawn().unwrap();
    let first = connect(*server.local_addr());
    greeted(&first);
    let second = connect(*server.local_addr());
    not_greeted(&second);
    server.handle().set_at_limit(AtLimit::Refuse);
    assert_eq!(read_to_end(&second), "");
    drop(first);
    assert_eq!(server.stop().unwrap().1.turned_away.rate, 1);
}
