//! The end of a request: who still sees what of it.

use std::io::{ErrorKind, Write};
use std::sync::mpsc;

use socketserver::prelude::*;

use crate::support::{Calls, Recorded, connect, handle, loopback, packet, packets_to, read_to_end};

#[test]
fn a_packet_is_shut_down_and_closed_and_the_servers_socket_lives_on() {
    let calls = Calls::default();
    let echo = datagram_fn(|packet: &mut DatagramExchange<'_, UdpPacket>| {
        packet.wfile.write_all(packet.packet())?;
        Ok(())
    });
    let mut server = UdpServer::bind(loopback(), Recorded(echo, calls.clone())).unwrap();
    let client = packets_to(server.local_addr().unwrap());
    for sent in [b"one", b"two"] {
        client.send(sent).unwrap();
        assert!(matches!(handle(&mut server), Handled::Served));
        assert_eq!(calls.take(), "VR FR SR CR");
        assert_eq!(packet(&client), sent);
    }
}

#[test]
fn the_client_sees_the_end_although_somebody_holds_on_to_the_connection() {
    let (give, held) = mpsc::channel();
    let service = base_fn(move |context: &mut Context<'_, TcpConnection>| {
        give.send(context.request.clone())?;
        Ok(())
    });
    let mut server = TcpServer::bind(loopback(), service).unwrap();
    let mut client = connect(server.local_addr().unwrap());
    assert!(matches!(handle(&mut server), Handled::Served));
    assert_eq!(read_to_end(&client), "");
    let connection = held.try_recv().unwrap();
    client.write_all(b"late").unwrap();
    let mut buffer = [0; 10];
    assert_eq!(connection.recv(&mut buffer).unwrap(), 4);
    assert_eq!(connection.send(b"too late").unwrap_err().kind(), ErrorKind::BrokenPipe);
}
