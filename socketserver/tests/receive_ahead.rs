//! What becomes of packets that were received ahead when the server stops, goes on, is full, suspended, drained or closed:
//! each is served once, in its turn, or counted.

#![cfg(test)]

use std::net::UdpSocket;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socketserver::prelude::*;

/// Nothing takes this long: what waits longer is broken.
const PATIENCE: Duration = Duration::from_secs(30);

const AHEAD: usize = 8;

/// How many are held when one of `AHEAD` or more has been taken: fewer where a call receives one only.
const HELD: usize = if cfg!(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd"
)) {
    AHEAD - 1
} else {
    0
};

fn bind() -> Udp {
    Udp::options().receive_ahead(AHEAD).bind("127.0.0.1:0").unwrap()
}

/// Sends packets with the numbers up to `count` to the server.
fn send(server: &Udp, count: u8) -> UdpSocket {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.connect(server.local_addr().unwrap()).unwrap();
    for number in 0..count {
        client.send(&[number]).unwrap();
    }
    client
}

fn assert_answers(client: &UdpSocket, numbers: impl IntoIterator<Item = u8>) {
    for number in numbers {
        let mut answer = [0; 2];
        assert_eq!(client.recv(&mut answer).unwrap(), 1);
        assert_eq!(answer[0], number);
    }
}

fn assert_no_answer(client: &UdpSocket) {
    client.set_nonblocking(true).unwrap();
    assert!(client.recv(&mut [0; 2]).is_err());
    client.set_nonblocking(false).unwrap();
}

/// Answers with the packet, and calls `hook` with its number.
fn echo<R: DatagramRequest>(hook: impl Fn(u8, &ServerHandle)) -> impl Service<R> {
    datagram_fn(move |exchange: &mut DatagramExchange<'_, R>| {
        exchange.request.reply(exchange.packet())?;
        hook(exchange.packet()[0], exchange.server);
        Ok(())
    })
}

#[test]
fn a_stop_is_seen_between_two_packets_and_the_next_run_serves_the_rest() {
    let service = echo(|number, server| {
        if number % 5 == 2 {
            server.request_shutdown();
        }
    });
    let mut server = UdpServer::with_transport(bind(), service);
    let client = send(server.transport().unwrap(), 18);
    for (first, last) in [(0, 2), (3, 7), (8, 12), (13, 17)] {
        assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
        assert_answers(&client, first..=last);
        assert_eq!(server.counts().served, u64::from(last) + 1);
    }
    assert_no_answer(&client);
    server.close();
    assert_eq!((server.counts().served, server.counts().dismissed), (18, 0));
}

#[test]
fn handle_request_takes_exactly_one() {
    let config = ServerConfig::new().timeout(Duration::ZERO);
    let mut server = UdpServer::with_transport(bind(), echo(|_, _| {})).with_config(config);
    let client = send(server.transport().unwrap(), 12);
    for number in 0..12 {
        assert!(matches!(server.handle_request().unwrap(), Handled::Served));
        assert_answers(&client, [number]);
        assert_no_answer(&client);
    }
    assert!(matches!(server.handle_request().unwrap(), Handled::TimedOut));
}

#[test]
fn a_request_that_is_there_is_served_although_a_stop_was_ordered() {
    let mut server = UdpServer::with_transport(bind(), echo(|_, _| {}));
    let client = send(server.transport().unwrap(), 2);
    assert!(matches!(server.handle_request().unwrap(), Handled::Served));
    server.shutdown_handle().request();
    assert!(matches!(server.handle_request().unwrap(), Handled::Served));
    assert!(matches!(server.handle_request().unwrap(), Handled::ShutdownRequested));
    assert_answers(&client, 0..2);
}

#[test]
fn a_drain_serves_what_was_received_ahead_if_it_serves_the_backlog() {
    let mut server = UdpServer::with_transport(bind(), echo(|_, _| {}));
    let client = send(server.transport().unwrap(), 12);
    assert!(matches!(server.handle_request().unwrap(), Handled::Served));
    assert!(server.drain(Drain::new().backlog(Backlog::Serve)).is_clean());
    assert_answers(&client, 0..12);
    assert_eq!((server.counts().served, server.counts().dismissed), (12, 0));
}

#[test]
fn what_was_received_ahead_is_counted_when_it_is_left() {
    for drain in [false, true] {
        let mut server = UdpServer::with_transport(bind(), echo(|_, _| {}));
        let client = send(server.transport().unwrap(), 12);
        assert!(matches!(server.handle_request().unwrap(), Handled::Served));
        let handle = server.handle();
        if drain {
            assert!(server.drain(Drain::new()).is_clean());
        } else {
            server.close();
            server.close();
        }
        assert_answers(&client, [0]);
        assert_no_answer(&client);
        let counts = handle.counts();
        assert_eq!((counts.accepted, counts.served), (1, 1));
        assert_eq!(counts.dismissed, HELD as u64);
    }
}

#[test]
fn a_suspended_server_serves_nothing_that_it_received_ahead_until_it_goes_on() {
    let (suspended, is_suspended) = channel();
    let suspended = Mutex::new(suspended);
    let service = echo(move |number, server| {
        if number == 2 {
            server.suspend();
            suspended.lock().unwrap().send(()).unwrap();
        }
    });
    let server = UdpServer::with_transport(bind(), service);
    let client = send(server.transport().unwrap(), 12);
    let server = server.spawn().unwrap();
    is_suspended.recv_timeout(PATIENCE).unwrap();
    assert_answers(&client, 0..3);
    client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    client.recv(&mut [0; 2]).unwrap_err();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    server.handle().resume();
    assert_answers(&client, 3..12);
    assert_eq!(server.stop().unwrap().1.served, 12);
}

#[test]
fn the_limit_holds_for_what_was_received_ahead() {
    let (started, starts) = channel();
    let (go, gone) = channel::<()>();
    let (started, gone) = (Mutex::new(started), Arc::new(Mutex::new(gone)));
    let service = echo(move |number, _| {
        started.lock().unwrap().send(number).unwrap();
        gone.lock().unwrap().recv().unwrap();
    });
    let config = ServerConfig::new().max_connections(2).poll_interval(PollInterval::Never);
    let server = ThreadingUdpServer::with_transport(bind(), service).with_config(config);
    let _client = send(server.transport().unwrap(), 12);
    let server = server.spawn().unwrap();
    for served in 0..12 {
        starts.recv_timeout(PATIENCE).unwrap();
        if served > 0 {
            assert!(server.handle().live_requests() <= 2);
            go.send(()).unwrap();
        }
    }
    go.send(()).unwrap();
    assert_eq!(server.stop().unwrap().1.served, 12);
}

#[test]
fn the_rate_holds_for_what_was_received_ahead() {
    let rate = AcceptRate::one_per(Duration::from_secs(3600)).burst(3);
    let config = ServerConfig::new().accept_rate(rate).at_limit(AtLimit::Refuse);
    let config = config.timeout(Duration::ZERO);
    let mut server = UdpServer::with_transport(bind(), echo(|_, _| {})).with_config(config);
    let client = send(server.transport().unwrap(), 12);
    for number in 0..12 {
        let handled = server.handle_request().unwrap();
        let as_it_should = if number < 3 {
            matches!(handled, Handled::Served)
        } else {
            matches!(handled, Handled::Refused)
        };
        assert!(as_it_should, "{number}: {handled:?}");
    }
    assert_answers(&client, 0..3);
    assert_no_answer(&client);
    assert_eq!((server.counts().served, server.counts().turned_away.total()), (3, 9));
}

#[test]
fn every_strategy_with_threads_answers_each_packet_once() {
    let pool = || ThreadPool::new(2);
    let mut server = Server::new(bind(), pool(), echo(|_, _| {}));
    let client = send(server.transport().unwrap(), 100);
    let stop = server.shutdown_handle();
    let mut answers: Vec<_> = std::thread::scope(|scope| {
        let serving = scope.spawn(|| server.serve_forever());
        let answer = |_| {
            let mut answer = [0; 2];
            assert_eq!(client.recv(&mut answer).unwrap(), 1);
            answer[0]
        };
        let answers = (0..100).map(answer).collect();
        stop.request();
        assert_eq!(serving.join().unwrap().unwrap(), Ended::Shutdown);
        answers
    });
    answers.sort_unstable();
    assert!(answers.into_iter().eq(0..100));
    assert_no_answer(&client);
}
