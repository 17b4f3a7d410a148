//! A packet costs no allocation once the server is warm. In a binary of its own, with one test: the
//! allocations of other tests must not be counted.
#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

#[cfg(unix)]
#[path = "suite/folder.rs"]
mod folder;

use std::net::UdpSocket;
use std::time::Duration;

use socketserver_core::testing::Inline;
use socketserver_core::{
    DatagramRequest, Handled, HandlerResult, Request, Server, ServerConfig, ServerHandle, Service,
    Transport,
};
use socketserver_transports::Udp;

struct Echo;

impl<R: DatagramRequest> Service<R> for Echo {
    fn finish_request(
        &self,
        request: &mut R,
        _: &<R as Request>::Addr,
        _: &ServerHandle,
    ) -> HandlerResult {
        request.reply(request.packet())?;
        Ok(())
    }
}

/// What a client does for one packet: sends it, and receives the reply.
trait Exchange {
    fn send(&self);
    fn receive(&self);
}

/// With so many packets on their way at a time.
fn assert_no_allocation<T: Transport<Request: DatagramRequest>>(
    flight: usize,
    server: T,
    client: &dyn Exchange,
) {
    const PACKETS: usize = 100;
    let config = ServerConfig::new().timeout(Duration::from_secs(30));
    let mut server = Server::new(server, Inline, Echo).with_config(config);
    let mut serve = |count| {
        for _ in 0..count {
            (0..flight).for_each(|_| client.send());
            for _ in 0..flight {
                assert!(matches!(server.handle_request().unwrap(), Handled::Served));
            }
            (0..flight).for_each(|_| client.receive());
        }
    };
    // The first wait makes the pair of sockets that wakes it, the first packet a buffer.
    let warm_up = allocation_counter::measure(|| serve(2));
    assert!(warm_up.count_total > 0, "the allocations are counted");
    let steady = allocation_counter::measure(|| serve(PACKETS));
    assert_eq!(steady.count_total, 0);
}

impl Exchange for UdpSocket {
    fn send(&self) {
        UdpSocket::send(self, b"packet").unwrap();
    }

    fn receive(&self) {
        assert_eq!(self.recv(&mut [0; 100]).unwrap(), b"packet".len());
    }
}

#[test]
fn a_packet_costs_no_allocation_in_steady_state() {
    for (ahead, flight) in [(0, 1), (1, 1), (1, 8), (8, 1), (8, 8), (32, 50)] {
        let server = Udp::options().receive_ahead(ahead).bind("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        client.connect(server.local_addr().unwrap()).unwrap();
        assert_no_allocation(flight, server, &client);
    }

    #[cfg(unix)]
    unix::a_unix_packet_costs_none_either();
}

#[cfg(unix)]
mod unix {
    //! Unix datagrams.

    use std::os::unix::net::UnixDatagram;

    use super::{Duration, Exchange, assert_no_allocation};
    use crate::folder::Folder;

    impl Exchange for UnixDatagram {
        fn send(&self) {
            UnixDatagram::send(self, b"packet").unwrap();
        }

        fn receive(&self) {
            assert_eq!(self.recv(&mut [0; 100]).unwrap(), b"packet".len());
        }
    }

    pub(super) fn a_unix_packet_costs_none_either() {
        assert_none(false);
        if cfg!(any(target_os = "linux", target_os = "android")) {
            assert_none(true);
        }
    }

    fn assert_none(pass_credentials: bool) {
        let folder = Folder::new();
        let path = folder.path().join("server");
        let options =
            socketserver_transports::UnixDatagram::options().pass_credentials(pass_credentials);
        let server = options.bind(&path).unwrap();
        let client = UnixDatagram::bind(folder.path().join("client")).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        client.connect(&path).unwrap();
        assert_no_allocation(1, server, &client);
    }
}
