//! A packet costs no allocation once the server is warm. In a binary of its own, with one test: the
//! allocations of other tests must not be counted.

use std::io;
use std::net::UdpSocket;
use std::time::Duration;

use socketserver_core::testing::Inline;
use socketserver_core::{
    DatagramRequest, Handled, HandlerResult, Request, Server, ServerConfig, ServerHandle, Service,
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

#[test]
fn a_packet_costs_no_allocation_in_steady_state() -> io::Result<()> {
    const PACKETS: usize = 100;
    let udp = Udp::bind("127.0.0.1:0").map_err(io::Error::other)?;
    let config = ServerConfig::new().timeout(Duration::from_secs(30));
    let mut server = Server::new(udp, Inline, Echo).with_config(config);
    let client = UdpSocket::bind("127.0.0.1:0")?;
    client.set_read_timeout(Some(Duration::from_secs(30)))?;
    client.connect(server.local_addr()?)?;
    let mut serve = |count| {
        for _ in 0..count {
            client.send(b"packet").unwrap();
            assert!(matches!(server.handle_request().unwrap(), Handled::Served));
            assert_eq!(client.recv(&mut [0; 100]).unwrap(), b"packet".len());
        }
    };
    // The first wait makes the pair of sockets that wakes it, the first packet a buffer.
    let warm_up = allocation_counter::measure(|| serve(2));
    assert!(warm_up.count_total > 0, "the allocations are counted");
    let steady = allocation_counter::measure(|| serve(PACKETS));
    assert_eq!(steady.count_total, 0);
    Ok(())
}
