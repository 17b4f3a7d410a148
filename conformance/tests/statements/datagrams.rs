//! Packets: what a handler without files sends.

use socketserver::prelude::*;

use crate::support::{handle, loopback, packet, packets_to};

#[test]
fn a_base_handler_sends_nothing_by_itself() {
    let service = base_fn(|context: &mut Context<'_, UdpPacket>| {
        if context.request.packet() == b"speak" {
            context.request.reply(b"at last")?;
        }
        Ok(())
    });
    let mut server = UdpServer::bind(loopback(), service).unwrap();
    let client = packets_to(server.local_addr().unwrap());
    for sent in [&b"hush"[..], b"speak"] {
        client.send(sent).unwrap();
        assert!(matches!(handle(&mut server), Handled::Served));
    }
    assert_eq!(packet(&client), b"at last", "the first that was sent");
}
