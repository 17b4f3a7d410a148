//! Making a server, and the end of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use socketserver::core::{Concurrency, ServiceJob};
use socketserver::prelude::*;
use socketserver_core::testing::{Inline, RecordingService, ScriptedTransport};

use crate::support::loopback;

#[test]
fn a_server_without_sockets_keeps_what_it_was_made_of() {
    let transport = ScriptedTransport::new();
    let script = transport.script();
    let server = Server::new(transport, Inline, RecordingService::new());
    assert_eq!(server.local_addr().unwrap(), "script");
    assert_eq!((server.service().calls().hooks().as_str(), script.waits()), ("", 0));
}

/// Only there a process can read in /proc what its descriptors are like.
#[cfg(target_os = "linux")]
#[test]
fn no_listener_is_inherited_and_those_of_streams_do_not_block() {
    use std::os::fd::{AsRawFd, RawFd};
    use std::time::Duration;

    use socketserver::core::{Readiness, Wait};
    use socketserver::transports::{UnixDatagram, UnixStream};

    const NONBLOCK: u32 = 0o4_000;
    const CLOEXEC: u32 = 0o2_000_000;

    let flags = |descriptor: RawFd| {
        let told = std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).unwrap();
        let flags = told.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
        u32::from_str_radix(flags.trim(), 8).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let tcp = Tcp::bind(loopback()).unwrap();
    let udp = Udp::bind(loopback()).unwrap();
    let stream = UnixStream::bind(folder.path().join("stream")).unwrap();
    let datagram = UnixDatagram::bind(folder.path().join("datagram")).unwrap();
    let look = || Wait::for_request().timeout(Some(Duration::ZERO));
    // The first wait makes them what they have to be.
    assert_eq!(tcp.wait(look()).unwrap(), Readiness::TimedOut);
    assert_eq!(stream.wait(look()).unwrap(), Readiness::TimedOut);
    let listeners = [tcp.socket().as_raw_fd(), stream.socket().as_raw_fd()];
    for descriptor in listeners {
        assert_ne!(flags(descriptor) & NONBLOCK, 0);
    }
    for descriptor in
        listeners.into_iter().chain([udp.socket().as_raw_fd(), datagram.socket().as_raw_fd()])
    {
        assert_ne!(flags(descriptor) & CLOEXEC, 0);
    }
}

#[test]
fn a_panic_while_binding_frees_the_port_and_goes_on() {
    let address = Tcp::bind(loopback()).unwrap().local_addr().unwrap();
    let options = Tcp::options().before_listen(|_| std::panic::panic_any("not today"));
    let panicked = catch_unwind(AssertUnwindSafe(|| options.bind(address))).unwrap_err();
    assert_eq!(panicked.downcast_ref(), Some(&"not today"));
    Tcp::options().reuse_address(false).bind(address).unwrap();
}

#[test]
fn a_panic_goes_through_the_scope_of_a_server_which_is_closed() {
    let mut address = None;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let server = TcpServer::bind(loopback(), stream_fn(|_client| Ok(()))).unwrap();
        address = server.local_addr().ok();
        std::panic::panic_any("out of the scope");
    }))
    .unwrap_err();
    assert_eq!(panicked.downcast_ref(), Some(&"out of the scope"));
    Tcp::options().reuse_address(false).bind(address.unwrap()).unwrap();
}

fn close_twice<T, C, S>(mut server: Server<T, C, S>)
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    for _ in 0..2 {
        server.close();
        assert!(server.transport().is_none());
        assert!(matches!(server.handle_request(), Err(ServeError::Closed)));
        assert!(matches!(server.serve_forever(), Err(ServeError::Closed)));
    }
}

#[test]
fn every_server_can_be_closed_twice() {
    let stream = || stream_fn(|_: &mut Stream<TcpConnection>| Ok(()));
    close_twice(TcpServer::bind(loopback(), stream()).unwrap());
    close_twice(ThreadingTcpServer::bind(loopback(), stream()).unwrap());
    close_twice(PoolTcpServer::bind(loopback(), stream()).unwrap());
    let packet = || datagram_fn(|_| Ok(()));
    close_twice(UdpServer::bind(loopback(), packet()).unwrap());
    close_twice(ThreadingUdpServer::bind(loopback(), packet()).unwrap());
    #[cfg(unix)]
    {
        close_twice(ForkingTcpServer::bind(loopback(), stream()).unwrap());
        close_twice(ForkingUdpServer::bind(loopback(), packet()).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let stream = || stream_fn(|_client| Ok(()));
        close_twice(UnixStreamServer::bind(&path, stream()).unwrap());
        close_twice(ThreadingUnixStreamServer::bind(&path, stream()).unwrap());
        close_twice(ForkingUnixStreamServer::bind(&path, stream()).unwrap());
        let packet = || datagram_fn(|_| Ok(()));
        close_twice(UnixDatagramServer::bind(&path, packet()).unwrap());
        close_twice(ThreadingUnixDatagramServer::bind(&path, packet()).unwrap());
        close_twice(ForkingUnixDatagramServer::bind(&path, packet()).unwrap());
    }
}
