//! Adopting a socket that was made elsewhere: a listener serves, anything else is an error.

#![cfg(test)]

use std::io::{ErrorKind, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use socketserver_core::{Readiness, StreamRequest, Transport, Wait};
use socketserver_transports::socket2::Socket;
use socketserver_transports::{BindError, BindStep, Tcp};

const ADDRESS: &str = "127.0.0.1:0";
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for a request, as the loop does.
fn wait(tcp: &Tcp, timeout: Option<Duration>) -> Readiness {
    tcp.wait(Wait::for_request().timeout(timeout)).unwrap()
}

/// Checks that the transport takes a client and hears it; gives the connection.
fn assert_serves(tcp: &Tcp) -> impl StreamRequest + std::ops::Deref<Target = TcpStream> {
    let mut client = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    assert_eq!(wait(tcp, Some(PATIENCE)), Readiness::Request);
    let (connection, address) = tcp.get_request().unwrap();
    assert_eq!(address, client.local_addr().unwrap());
    connection.set_timeout(Some(PATIENCE)).unwrap();
    client.write_all(b"x").unwrap();
    assert_eq!(connection.recv(&mut [0; 8]).unwrap(), 1);
    connection
}

/// Checks that adopting fails for this reason; gives the error.
fn assert_refused(socket: impl Into<Socket>, reason: &str) -> BindError {
    let error = Tcp::options().adopt(socket).unwrap_err();
    assert_eq!(error.step(), BindStep::Adopt);
    let text = error.to_string();
    assert!(text.ends_with(&format!("adopt the socket: {reason}")), "{text}");
    error
}

#[test]
fn a_listener_becomes_a_transport() {
    let listener = TcpListener::bind(ADDRESS).unwrap();
    let address = listener.local_addr().unwrap();
    let tcp = Tcp::from(listener);
    assert_eq!(tcp.local_addr().unwrap(), address);
    assert_serves(&tcp);
}

#[cfg(unix)]
#[test]
fn a_descriptor_becomes_a_transport() {
    let descriptor = std::os::fd::OwnedFd::from(TcpListener::bind(ADDRESS).unwrap());
    assert_serves(&Tcp::from(descriptor));
}

#[cfg(windows)]
#[test]
fn a_socket_handle_becomes_a_transport() {
    let handle = std::os::windows::io::OwnedSocket::from(TcpListener::bind(ADDRESS).unwrap());
    assert_serves(&Tcp::from(handle));
}

#[test]
fn a_checked_listener_serves_with_the_options_for_connections() {
    let options = Tcp::options().nodelay(true).timeout(PATIENCE);
    let tcp = options.adopt(TcpListener::bind(ADDRESS).unwrap()).unwrap();
    assert!(assert_serves(&tcp).nodelay().unwrap());
    assert_eq!(tcp.timeout(), Some(PATIENCE));
}

#[test]
fn clients_that_wait_already_are_served() {
    let listener = TcpListener::bind(ADDRESS).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let tcp = Tcp::options().adopt(listener).unwrap();
    assert_eq!(wait(&tcp, Some(PATIENCE)), Readiness::Request);
    assert_eq!(tcp.get_request().unwrap().1, client.local_addr().unwrap());
}

#[test]
fn a_datagram_socket_is_refused() {
    let socket = UdpSocket::bind(ADDRESS).unwrap();
    let address = socket.local_addr().unwrap();
    let error = assert_refused(socket, "it is not a stream socket");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().starts_with(&format!("cannot listen on {address}: ")));
}

// Only these systems tell whether a socket listens.
#[cfg(not(any(windows, target_vendor = "apple")))]
#[test]
fn a_socket_that_does_not_listen_is_refused() {
    use socketserver_transports::socket2::{Domain, Type};

    assert_refused(Socket::new(Domain::IPV4, Type::STREAM, None).unwrap(), "it does not listen");
    let listener = TcpListener::bind(ADDRESS).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert_refused(client, "it does not listen");
}

#[cfg(unix)]
#[test]
fn a_listener_of_another_family_is_refused() {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    let (one, _other) = UnixStream::pair().unwrap();
    assert_refused(OwnedFd::from(one), "it has no IP address");
}

#[cfg(unix)]
#[test]
fn a_file_is_refused() {
    let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    let error = Tcp::options().adopt(std::os::fd::OwnedFd::from(file)).unwrap_err();
    assert_eq!(error.step(), BindStep::Adopt);
    // The rest is the system's: that it is no socket.
    let text = error.to_string();
    assert!(text.starts_with("cannot listen on an adopted socket: adopt the socket: "), "{text}");
    assert!(text.to_lowercase().contains("socket operation on non-socket"), "{text}");
}
