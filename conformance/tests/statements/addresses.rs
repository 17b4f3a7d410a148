//! Addresses, what is set on sockets before they are bound, and who waits to be accepted.

use std::io;
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use socketserver::core::{GetRequestError, Readiness, Wait, Waker};
use socketserver::prelude::*;
use socketserver::transports::socket2::{Domain, Socket, Type};

use crate::support::{connect, handle, loopback, read_to_end};

#[cfg(unix)]
#[test]
fn the_address_of_a_listener_is_used_again_unless_forbidden() {
    assert!(Tcp::bind(loopback()).unwrap().socket().reuse_address().unwrap());
    let forbidden = Tcp::options().reuse_address(false).bind(loopback()).unwrap();
    assert!(!forbidden.socket().reuse_address().unwrap());
}

/// Elsewhere systems differ in what they let a second socket have.
#[cfg(target_os = "linux")]
#[test]
fn a_port_whose_last_connection_lingers_can_be_bound_again() {
    let mut server = TcpServer::bind(loopback(), stream_fn(|_client| Ok(()))).unwrap();
    let address = server.local_addr().unwrap();
    let client = connect(address);
    // The server ends the connection first, so it is the server's port that is kept.
    assert!(matches!(handle(&mut server), Handled::Served));
    assert_eq!(read_to_end(&client), "");
    drop((client, server));
    let error = Tcp::options().reuse_address(false).bind(address).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    Tcp::bind(address).unwrap();
}

/// Elsewhere systems differ in what they let a second socket have.
#[cfg(target_os = "linux")]
#[test]
fn with_reuse_address_packets_have_no_port_to_themselves() {
    let alone = Udp::bind(loopback()).unwrap();
    let error = Udp::bind(alone.local_addr().unwrap()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    let options = Udp::options().reuse_address(true);
    let first = options.bind(loopback()).unwrap();
    let second = options.bind(first.local_addr().unwrap()).unwrap();
    assert_eq!(first.local_addr().unwrap(), second.local_addr().unwrap());
}

#[test]
fn all_addresses_are_written_out_and_an_empty_name_is_an_error() {
    let all = Tcp::bind("0.0.0.0:0").unwrap().local_addr().unwrap();
    assert!(all.ip().is_unspecified() && all.port() != 0);
    assert!(Tcp::bind(("", 0)).is_err());
}

#[test]
fn addresses_of_ipv6_have_a_flow_and_a_scope() {
    let Ok(tcp) = Tcp::bind("[::1]:0") else {
        println!("notice: no IPv6 here, the test was left out");
        return;
    };
    let SocketAddr::V6(own) = tcp.local_addr().unwrap() else { panic!("not an address of IPv6") };
    assert_eq!((own.ip(), own.flowinfo(), own.scope_id()), (&Ipv6Addr::LOCALHOST, 0, 0));
    let client = connect(own.into());
    assert_eq!(tcp.wait(Wait::for_request()).unwrap(), Readiness::Request);
    assert_eq!(tcp.get_request().unwrap().1, client.local_addr().unwrap());
}

#[test]
fn whether_all_addresses_of_ipv6_take_ipv4_clients_is_left_to_the_system() {
    let Ok(tcp) = Tcp::bind("[::]:0") else {
        println!("notice: no IPv6 here, the test was left out");
        return;
    };
    let untouched = Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
    assert_eq!(tcp.socket().only_v6().unwrap(), untouched.only_v6().unwrap());
}

#[cfg(target_os = "linux")]
mod backlog {
    //! How many clients wait. On Linux a client of a Unix socket is told at once that nobody else can; in other
    //! systems, and over TCP, not in a way that can be relied on.

    use socketserver::transports::socket2::SockAddr;
    use socketserver::transports::{UnixOptions, UnixStream};

    use super::*;

    /// How many of 50 clients can wait to be accepted, and what the next is told.
    fn waiting(options: &UnixOptions<UnixStream>) -> (usize, Option<io::ErrorKind>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _server = options.bind(&path).unwrap();
        let mut clients = Vec::new();
        for _ in 0..50 {
            let client = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
            client.set_nonblocking(true).unwrap();
            if let Err(error) = client.connect(&SockAddr::unix(&path).unwrap()) {
                return (clients.len(), Some(error.kind()));
            }
            clients.push(client);
        }
        (clients.len(), None)
    }

    #[test]
    fn many_clients_can_wait_unless_fewer_are_asked_for() {
        assert_eq!(waiting(&UnixStream::options()), (50, None));
        // Linux counts one more.
        let five = waiting(&UnixStream::options().backlog(5));
        assert_eq!(five, (6, Some(io::ErrorKind::WouldBlock)));
    }
}

/// A listener that is ready when something else is.
struct Bell {
    tcp: Tcp,
    bell: Udp,
}

impl Transport for Bell {
    type Request = TcpConnection;

    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.bell.wait(wait)
    }

    fn waker(&self) -> Waker {
        self.bell.waker()
    }

    fn get_request(&self) -> Result<(TcpConnection, SocketAddr), GetRequestError> {
        self.tcp.get_request()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

#[test]
fn what_is_waited_for_is_the_transports_choice() {
    let transport =
        Bell { tcp: Tcp::bind(loopback()).unwrap(), bell: Udp::bind(loopback()).unwrap() };
    let bell = transport.bell.local_addr().unwrap();
    let mut server = Server::new(transport, Synchronous, stream_fn(|_client| Ok(())));
    let client = connect(server.local_addr().unwrap());
    server.set_config(ServerConfig::new().timeout(Duration::ZERO));
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
    UdpSocket::bind(loopback()).unwrap().send_to(b"!", bell).unwrap();
    assert!(matches!(handle(&mut server), Handled::Served));
    assert_eq!(read_to_end(&client), "");
}
