//! The behaviours themselves. Each holds for every transport.

use std::fmt::Debug;
use std::net::UdpSocket;
#[cfg(unix)]
use std::os::fd::AsFd as AsSource;
#[cfg(windows)]
use std::os::windows::io::AsSocket as AsSource;
use std::thread;
use std::time::{Duration, Instant};

use socketserver_core::{Readiness, Transport, Wait};
use socketserver_transports::BindStep;

use crate::folder::Folder;
use crate::subject::{Addr, Client, LIMIT, Subject, assert_not_ready, take};

fn wait<T: Transport>(transport: &T, timeout: Duration) -> Readiness {
    transport.wait(Wait::for_request().timeout(Some(timeout))).unwrap()
}

pub(crate) fn a_request_arrives_with_its_clients_address<S: Subject>()
where
    Addr<S>: Debug + PartialEq,
{
    let folder = Folder::new();
    let server = S::bind(&folder);
    let mut clients: Vec<_> =
        (0..3).map(|_| S::connect(&server.local_addr().unwrap(), &folder)).collect();
    for client in &mut clients {
        client.send(b"ping");
        let (request, address) = take(&server);
        assert_eq!(address, client.address());
        assert_eq!(S::read(&request, 4), b"ping");
        S::reply(&request, b"pong");
        assert_eq!(client.receive(4), b"pong");
    }
}

pub(crate) fn a_request_is_served_after_its_transport_is_gone<S: Subject>() {
    let folder = Folder::new();
    let server = S::bind(&folder);
    let mut client = S::connect(&server.local_addr().unwrap(), &folder);
    client.send(b"ping");
    let (request, _) = take(&server);
    drop(server);
    thread::scope(|scope| {
        scope.spawn(move || {
            assert_eq!(S::read(&request, 4), b"ping");
            S::reply(&request, b"pong");
        });
    });
    assert_eq!(client.receive(4), b"pong");
}

pub(crate) fn a_wait_ends_when_its_time_is_over<S: Subject>() {
    let server = S::bind(&Folder::new());
    assert_eq!(wait(&server, Duration::ZERO), Readiness::TimedOut);
    let started = Instant::now();
    assert_eq!(wait(&server, Duration::from_millis(20)), Readiness::TimedOut);
    assert!(started.elapsed() >= Duration::from_millis(20));
}

pub(crate) fn a_wake_ends_the_wait_from_another_thread<S: Subject>() {
    let server = S::bind(&Folder::new());
    let waker = server.waker();
    thread::scope(|scope| {
        scope.spawn(move || {
            assert_eq!(wait(&server, LIMIT), Readiness::Woken);
            assert_eq!(wait(&server, Duration::ZERO), Readiness::TimedOut, "a wake is used up");
        });
        waker.wake();
    });
}

pub(crate) fn a_wake_before_the_wait_is_kept_and_many_are_one<S: Subject>() {
    let server = S::bind(&Folder::new());
    let waker = server.waker();
    for _ in 0..2 {
        waker.wake();
        waker.clone().wake();
        assert_eq!(wait(&server, LIMIT), Readiness::Woken);
        assert_eq!(wait(&server, Duration::ZERO), Readiness::TimedOut);
    }
}

pub(crate) fn a_request_goes_before_a_wake_and_the_wake_is_kept<S: Subject>() {
    let folder = Folder::new();
    let server = S::bind(&folder);
    let mut client = S::connect(&server.local_addr().unwrap(), &folder);
    client.send(b"ping");
    server.waker().wake();
    take(&server);
    assert_eq!(wait(&server, LIMIT), Readiness::Woken);
}

pub(crate) fn a_wait_for_a_wake_leaves_requests_alone<S: Subject>() {
    let folder = Folder::new();
    let server = S::bind(&folder);
    let mut client = S::connect(&server.local_addr().unwrap(), &folder);
    client.send(b"ping");
    assert_eq!(wait(&server, LIMIT), Readiness::Request);
    let look = Wait::for_wake().timeout(Some(Duration::ZERO));
    assert_eq!(server.wait(look).unwrap(), Readiness::TimedOut);
    server.waker().wake();
    assert_eq!(server.wait(Wait::for_wake().timeout(Some(LIMIT))).unwrap(), Readiness::Woken);
    take(&server);
}

pub(crate) fn a_source_that_is_readable_wakes<S: Subject>() {
    let server = S::bind(&Folder::new());
    let source = UdpSocket::bind("127.0.0.1:0").unwrap();
    source.connect(source.local_addr().unwrap()).unwrap();
    let quiet = UdpSocket::bind("127.0.0.1:0").unwrap();
    // As the strategy's source, as what the serving thread attends to, and as either with the other quiet.
    let watch = |timeout, first: Option<&UdpSocket>, second: Option<&UdpSocket>| {
        #[cfg(unix)]
        let [first, second] = [first, second].map(|socket| socket.map(AsSource::as_fd));
        #[cfg(windows)]
        let [first, second] = [first, second].map(|socket| socket.map(AsSource::as_socket));
        let wait = Wait::for_request().timeout(Some(timeout)).source(first).interrupt(second);
        server.wait(wait).unwrap()
    };
    let ways = [
        (Some(&source), None),
        (None, Some(&source)),
        (Some(&source), Some(&quiet)),
        (Some(&quiet), Some(&source)),
    ];
    for (first, second) in ways {
        assert_eq!(watch(Duration::ZERO, first, second), Readiness::TimedOut);
    }
    source.send(b"!").unwrap();
    for (first, second) in ways {
        assert_eq!(watch(LIMIT, first, second), Readiness::Woken);
    }
}

pub(crate) fn taking_a_request_never_blocks<S: Subject>() {
    let folder = Folder::new();
    let server = S::bind(&folder);
    assert_not_ready(&server);
    let mut client = S::connect(&server.local_addr().unwrap(), &folder);
    client.send(b"ping");
    take(&server);
    assert_not_ready(&server);
}

pub(crate) fn the_timeout_is_the_one_that_was_set<S: Subject>() {
    let timeout = Duration::from_millis(1234);
    assert_eq!(S::bind(&Folder::new()).timeout(), None);
    assert_eq!(S::bind_with_timeout(&Folder::new(), timeout).timeout(), Some(timeout));
}

pub(crate) fn an_adopted_socket_serves<S: Subject>() {
    let folder = Folder::new();
    let server = S::adopt(&folder);
    let mut client = S::connect(&server.local_addr().unwrap(), &folder);
    client.send(b"ping");
    let (request, _) = take(&server);
    assert_eq!(S::read(&request, 4), b"ping");
    S::reply(&request, b"pong");
    assert_eq!(client.receive(4), b"pong");
    assert_not_ready(&server);
}

pub(crate) fn a_socket_of_another_type_is_not_adopted<S: Subject>() {
    let error = S::adopt_wrong_type().unwrap_err();
    assert_eq!(error.step(), BindStep::Adopt);
}

pub(crate) fn a_taken_address_is_an_error_and_closing_frees_it<S: Subject>()
where
    Addr<S>: Debug + PartialEq,
{
    let folder = Folder::new();
    let server = S::bind(&folder);
    let address = server.local_addr().unwrap();
    let error = S::bind_again(&address).unwrap_err();
    assert_eq!(error.step(), BindStep::Bind);
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    drop(server);
    assert_eq!(S::bind_again(&address).unwrap().local_addr().unwrap(), address);
}

pub(crate) fn a_waker_may_outlive_its_transport<S: Subject>() {
    let server = S::bind(&Folder::new());
    let waker = server.waker();
    assert_eq!(wait(&server, Duration::ZERO), Readiness::TimedOut);
    drop(server);
    waker.wake();
}
