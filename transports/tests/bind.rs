//! Binding: from an address to a listener, with each option and hook on the way.

#![cfg(test)]

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socketserver_core::{Readiness, Transport, Wait};
use socketserver_transports::socket2::{SockRef, Socket};
use socketserver_transports::{BindStep, Ipv6, Tcp};

const ADDRESS: &str = "127.0.0.1:0";
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for a request, as the loop does.
fn wait(tcp: &Tcp, timeout: Option<Duration>) -> Readiness {
    tcp.wait(Wait::for_request().timeout(timeout)).unwrap()
}

/// Says so if the machine has no IPv6.
fn has_ipv6() -> bool {
    let has = TcpListener::bind("[::1]:0").is_ok();
    if !has {
        println!("notice: no IPv6 here, the test was left out");
    }
    has
}

/// Takes the connection of a client that has connected, and says where it came from.
fn accept(tcp: &Tcp) -> SocketAddr {
    assert_eq!(wait(tcp, Some(PATIENCE)), Readiness::Request);
    tcp.get_request().unwrap().1
}

#[test]
fn port_0_becomes_a_real_port() {
    let tcp = Tcp::bind(ADDRESS).unwrap();
    let address = tcp.local_addr().unwrap();
    assert_eq!(address.ip(), Ipv4Addr::LOCALHOST);
    assert_ne!(address.port(), 0);
    let client = TcpStream::connect(address).unwrap();
    assert_eq!(accept(&tcp), client.local_addr().unwrap());
}

#[test]
fn an_address_can_be_given_in_every_form() {
    let options = Tcp::options();
    let socket_address: SocketAddr = ADDRESS.parse().unwrap();
    let all = [
        options.bind(ADDRESS),
        options.bind(ADDRESS.to_owned()),
        options.bind(("127.0.0.1", 0)),
        options.bind((Ipv4Addr::LOCALHOST, 0)),
        options.bind(socket_address),
        options.bind(&[socket_address][..]),
    ];
    for tcp in all {
        assert_eq!(tcp.unwrap().local_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
    }
}

#[test]
fn the_family_is_that_of_the_address() {
    assert!(Tcp::bind(ADDRESS).unwrap().local_addr().unwrap().is_ipv4());
    if !has_ipv6() {
        return;
    }
    let tcp = Tcp::bind("[::1]:0").unwrap();
    let address = tcp.local_addr().unwrap();
    assert_eq!(address.ip(), Ipv6Addr::LOCALHOST);
    let client = TcpStream::connect(address).unwrap();
    assert_eq!(accept(&tcp), client.local_addr().unwrap());
}

#[test]
fn a_name_is_resolved() {
    let tcp = Tcp::bind("localhost:0").unwrap();
    assert!(tcp.local_addr().unwrap().ip().is_loopback());
}

#[test]
fn ipv6_only_takes_no_ipv4_client() {
    if !has_ipv6() {
        return;
    }
    let tcp = Tcp::options().ipv6(Ipv6::Only).bind("[::]:0").unwrap();
    assert!(tcp.socket().only_v6().unwrap());
    // The port is free for IPv4 then, or was taken already: nothing is tried there.
    let port = tcp.local_addr().unwrap().port();
    let client = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).unwrap();
    assert_eq!(accept(&tcp), client.local_addr().unwrap());
}

#[test]
fn dual_stack_takes_ipv4_clients_with_mapped_addresses() {
    if !has_ipv6() {
        return;
    }
    let tcp = Tcp::options().ipv6(Ipv6::DualStack).bind("[::]:0").unwrap();
    assert!(!tcp.socket().only_v6().unwrap());
    let port = tcp.local_addr().unwrap().port();
    let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let address = accept(&tcp);
    assert_eq!(address.ip(), IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped()));
    assert_eq!(address.port(), client.local_addr().unwrap().port());
}

#[test]
fn the_ipv6_option_has_no_effect_on_ipv4() {
    for ipv6 in [Ipv6::Only, Ipv6::DualStack, Ipv6::SystemDefault] {
        assert!(Tcp::options().ipv6(ipv6).bind(ADDRESS).is_ok());
    }
}

#[test]
fn without_reuse_port_a_port_has_one_listener() {
    let first = Tcp::bind(ADDRESS).unwrap();
    let error = Tcp::bind(first.local_addr().unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[cfg(unix)]
#[test]
fn with_reuse_port_listeners_share_a_port() {
    let options = Tcp::options().reuse_port(true);
    let first = options.bind(ADDRESS).unwrap();
    let second = options.bind(first.local_addr().unwrap()).unwrap();
    assert_eq!(first.local_addr().unwrap(), second.local_addr().unwrap());
    // Who did not ask for it does not get it.
    let error = Tcp::bind(first.local_addr().unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[cfg(windows)]
#[test]
fn reuse_port_is_unsupported() {
    let error = Tcp::options().reuse_port(true).bind(ADDRESS).unwrap_err();
    assert_eq!(error.step(), BindStep::Option("reuse_port"));
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn the_hooks_are_called_in_order_with_the_socket() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let calls = Arc::clone(&calls);
        move |socket: &Socket| {
            // Before the bind there is no port; some systems say so with an error.
            let address = socket.local_addr().ok().and_then(|address| address.as_socket());
            calls.lock().unwrap().push((name, address.map_or(0, |address| address.port())));
            Ok(())
        }
    };
    let options = Tcp::options().before_bind(note("bind")).before_listen(note("listen"));
    let port = options.bind(ADDRESS).unwrap().local_addr().unwrap().port();
    assert_eq!(*calls.lock().unwrap(), [("bind", 0), ("listen", port)]);
}

#[test]
fn what_a_hook_sets_stays_set() {
    let options = Tcp::options().before_bind(|socket| socket.set_recv_buffer_size(64 * 1024));
    let tcp = options.bind(ADDRESS).unwrap();
    assert!(tcp.socket().recv_buffer_size().unwrap() >= 64 * 1024);
}

#[test]
fn the_error_of_a_hook_names_its_step() {
    let fail = |_: &Socket| Err(io::Error::other("not today"));
    let before_bind = Tcp::options().before_bind(fail).bind(ADDRESS).unwrap_err();
    assert_eq!(before_bind.step(), BindStep::BeforeBind);
    assert!(before_bind.to_string().ends_with("before the bind of 127.0.0.1:0: not today"));
    let before_listen = Tcp::options().before_listen(fail).bind(ADDRESS).unwrap_err();
    assert_eq!(before_listen.step(), BindStep::BeforeListen);
    assert!(before_listen.to_string().ends_with("before the listen on 127.0.0.1:0: not today"));
    let bound = Tcp::options().before_listen(fail).bind_only(ADDRESS).unwrap();
    assert_eq!(bound.activate().unwrap_err().step(), BindStep::BeforeListen);
}

#[test]
fn what_is_only_bound_refuses_clients_until_it_is_activated() {
    let bound = Tcp::options().bind_only(ADDRESS).unwrap();
    let address = bound.local_addr().unwrap();
    assert_ne!(address.port(), 0);
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let tcp = bound.activate().unwrap();
    assert_eq!(tcp.local_addr().unwrap(), address);
    let client = TcpStream::connect(address).unwrap();
    assert_eq!(accept(&tcp), client.local_addr().unwrap());
}

#[test]
fn options_for_connections_are_set_on_each() {
    let options = Tcp::options().nodelay(true).keepalive(Duration::from_secs(60));
    for (options, set) in [(Tcp::options(), false), (options, true)] {
        let tcp = options.bind(ADDRESS).unwrap();
        for _ in 0..2 {
            let _client = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
            assert_eq!(wait(&tcp, Some(PATIENCE)), Readiness::Request);
            let (connection, _) = tcp.get_request().unwrap();
            assert_eq!(connection.nodelay().unwrap(), set);
            let socket = SockRef::from(&*connection);
            assert_eq!(socket.keepalive().unwrap(), set);
        }
    }
}

#[test]
fn the_timeout_is_the_transports_own() {
    let timeout = Duration::from_secs(7);
    assert_eq!(Tcp::bind(ADDRESS).unwrap().timeout(), None);
    assert_eq!(Tcp::options().timeout(timeout).bind(ADDRESS).unwrap().timeout(), Some(timeout));
}
