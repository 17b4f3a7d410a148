//! Waiting for a request and for a wake: what ends a wait, what is kept, what never blocks.

#![cfg(test)]

use std::io::{ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use socketserver_core::{GetRequestError, Readiness, StreamRequest, Transport, Wait};
use socketserver_transports::{Connection, Tcp};

const PATIENCE: Duration = Duration::from_secs(30);
/// Waits for a request, as the loop does.
fn wait(tcp: &Tcp, timeout: Option<Duration>) -> Readiness {
    tcp.wait(Wait::for_request().timeout(timeout)).unwrap()
}

/// A wait that only looks.
const LOOK: Option<Duration> = Some(Duration::ZERO);

fn listen() -> Tcp {
    Tcp::bind("127.0.0.1:0").unwrap()
}

/// A client whose connection can be taken now.
fn connect(tcp: &Tcp) -> TcpStream {
    let client = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    assert_eq!(wait(tcp, Some(PATIENCE)), Readiness::Request);
    client
}

fn accept(tcp: &Tcp) -> Connection<TcpStream> {
    let (connection, _) = tcp.get_request().unwrap();
    connection.set_timeout(Some(PATIENCE)).unwrap();
    connection
}

#[test]
fn a_waker_ends_a_wait_without_limit_in_another_thread() {
    let tcp = listen();
    let waker = tcp.waker();
    for _ in 0..100 {
        thread::scope(|scope| {
            let waiting = scope.spawn(|| wait(&tcp, None));
            waker.wake();
            assert_eq!(waiting.join().unwrap(), Readiness::Woken);
        });
    }
}

#[test]
fn a_client_ends_a_wait_without_limit_in_another_thread() {
    let tcp = listen();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(&tcp, None));
        let _client = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
        assert_eq!(waiting.join().unwrap(), Readiness::Request);
    });
}

#[test]
fn a_wake_before_the_first_wait_is_kept_for_it() {
    let tcp = listen();
    tcp.waker().wake();
    assert_eq!(wait(&tcp, None), Readiness::Woken);
    assert_eq!(wait(&tcp, LOOK), Readiness::TimedOut);
}

#[test]
fn a_wake_between_two_waits_is_kept_for_the_second() {
    let tcp = listen();
    assert_eq!(wait(&tcp, LOOK), Readiness::TimedOut);
    tcp.waker().wake();
    assert_eq!(wait(&tcp, None), Readiness::Woken);
    assert_eq!(wait(&tcp, LOOK), Readiness::TimedOut);
}

#[test]
fn any_number_of_wakes_before_a_wait_ends_that_one() {
    for wakes in [2, 63, 64, 65, 1000] {
        let tcp = listen();
        let waker = tcp.waker();
        assert_eq!(wait(&tcp, LOOK), Readiness::TimedOut);
        for _ in 0..wakes {
            waker.wake();
        }
        assert_eq!(wait(&tcp, None), Readiness::Woken, "{wakes}");
        assert_eq!(wait(&tcp, LOOK), Readiness::TimedOut, "{wakes}");
    }
}

#[test]
fn more_wakes_than_anything_could_hold_do_not_block() {
    let tcp = listen();
    let waker = tcp.waker();
    assert_eq!(wait(&tcp, LOOK), Readiness::TimedOut);
    for _ in 0..20_000 {
        waker.wake();
    }
    assert_eq!(wait(&tcp, None), Readiness::Woken);
}

#[test]
fn a_request_comes_before_a_wake_which_is_kept() {
    let tcp = listen();
    let _client = connect(&tcp);
    tcp.waker().wake();
    assert_eq!(wait(&tcp, None), Readiness::Request);
    accept(&tcp);
    assert_eq!(wait(&tcp, None), Readiness::Woken);
    assert_eq!(wait(&tcp, LOOK), Readiness::TimedOut);
}

#[test]
fn a_request_is_announced_until_it_is_taken() {
    let tcp = listen();
    let _client = connect(&tcp);
    assert_eq!(wait(&tcp, LOOK), Readiness::Request);
    assert_eq!(wait(&tcp, LOOK), Readiness::Request);
    accept(&tcp);
    assert_eq!(wait(&tcp, LOOK), Readiness::TimedOut);
}

#[test]
fn a_wait_with_a_limit_never_ends_early() {
    let tcp = listen();
    for micros in [1, 100, 999, 1000, 1001, 5500, 20_000] {
        let limit = Duration::from_micros(micros);
        let begin = Instant::now();
        assert_eq!(wait(&tcp, Some(limit)), Readiness::TimedOut);
        assert!(begin.elapsed() >= limit, "{limit:?}");
    }
}

#[test]
fn a_limit_beyond_all_time_is_none() {
    let tcp = listen();
    tcp.waker().wake();
    assert_eq!(wait(&tcp, Some(Duration::MAX)), Readiness::Woken);
    tcp.waker().wake();
    assert_eq!(wait(&tcp, Some(Duration::from_secs(u64::from(u32::MAX)))), Readiness::Woken);
}

#[test]
fn a_waker_that_outlives_its_transport_does_nothing() {
    let tcp = listen();
    let before_any_wait = tcp.waker();
    drop(tcp);
    before_any_wait.wake();
    let tcp = listen();
    let waker = tcp.waker();
    wait(&tcp, LOOK);
    drop(tcp);
    waker.wake();
    waker.clone().wake();
}

#[test]
fn taking_a_request_that_was_never_there_does_not_block() {
    let tcp = listen();
    assert!(matches!(tcp.get_request(), Err(GetRequestError::NotReady)));
}

#[test]
fn taking_a_request_that_somebody_else_took_does_not_block() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other_taker = listener.try_clone().unwrap();
    let tcp = Tcp::from(listener);
    let _first = connect(&tcp);
    other_taker.accept().unwrap();
    assert!(matches!(tcp.get_request(), Err(GetRequestError::NotReady)));
    let _second = connect(&tcp);
    accept(&tcp);
}

#[test]
fn a_connection_waits_for_its_client() {
    let tcp = listen();
    let mut client = connect(&tcp);
    let connection = accept(&tcp);
    thread::scope(|scope| {
        let receiving = scope.spawn(|| connection.recv(&mut [0; 8]));
        client.write_all(b"text").unwrap();
        assert_eq!(receiving.join().unwrap().unwrap(), 4);
    });
}

#[test]
fn a_connection_gives_up_when_its_timeout_has_passed() {
    let tcp = listen();
    let _client = connect(&tcp);
    let connection = accept(&tcp);
    let timeout = Duration::from_millis(50);
    connection.set_timeout(Some(timeout)).unwrap();
    let begin = Instant::now();
    let error = connection.recv(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    // The clock of socket timeouts is coarse.
    assert!(begin.elapsed() >= timeout / 2);
}

#[test]
fn a_zero_timeout_for_a_connection_is_an_error() {
    let tcp = listen();
    let _client = connect(&tcp);
    let error = accept(&tcp).set_timeout(Some(Duration::ZERO)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
