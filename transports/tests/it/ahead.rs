//! Packets that are received ahead: in their order, each once, and none where somebody else may want them.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use socketserver_core::{DatagramRequest, GetRequestError, Readiness, Transport, Wait};
use socketserver_transports::{Udp, UdpOptions};

use crate::support::{LIMIT, assert_idle, take};

/// Where a call can receive several packets, and what is sent is there at once.
const SEVERAL: bool = cfg!(any(target_os = "linux", target_os = "android"));

fn bind(options: &UdpOptions) -> Udp {
    options.bind("127.0.0.1:0").unwrap()
}

fn client_of(server: &Udp) -> UdpSocket {
    let server = server.local_addr().unwrap();
    let client = UdpSocket::bind((server.ip(), 0)).unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    client.connect(server).unwrap();
    client
}

fn look(server: &Udp, wait: Wait<'_>) -> Readiness {
    server.wait(wait.timeout(Some(Duration::ZERO))).unwrap()
}

#[test]
fn packets_keep_their_order_their_lengths_and_their_senders() {
    for ahead in [0, 1, 2, 3, 16, 32, usize::MAX] {
        let server = bind(&Udp::options().max_packet_size(10).receive_ahead(ahead));
        let clients = [client_of(&server), client_of(&server)];
        let sent: Vec<_> =
            (0..70).map(|number| vec![b'a' + number % 20; number as usize % 13]).collect();
        for round in 0..3 {
            for (packet, client) in sent.iter().zip(clients.iter().cycle()) {
                client.send(packet).unwrap();
            }
            for (number, (packet, client)) in sent.iter().zip(clients.iter().cycle()).enumerate() {
                let (request, address) = take(&server);
                let context = format!("{ahead} ahead, round {round}, packet {number}");
                let kept = packet.len().min(10);
                assert_eq!(request.packet(), &packet[..kept], "{context}");
                assert_eq!(request.is_truncated(), packet.len() > 10, "{context}");
                assert_eq!(address, client.local_addr().unwrap(), "{context}");
                request.reply(&[u8::try_from(number).unwrap()]).unwrap();
                let mut reply = [0; 2];
                assert_eq!(client.recv(&mut reply).unwrap(), 1, "{context}");
                assert_eq!(usize::from(reply[0]), number, "{context}");
            }
            assert_idle(&server);
        }
    }
}

#[test]
fn servers_of_both_families_in_one_thread_get_whole_addresses() {
    let options = Udp::options().receive_ahead(8);
    let ipv4 = bind(&options);
    let Ok(ipv6) = options.bind("[::1]:0") else { return };
    let clients = [client_of(&ipv4), client_of(&ipv6)];
    for _ in 0..3 {
        for (server, client) in [&ipv4, &ipv6].into_iter().zip(&clients) {
            for _ in 0..3 {
                client.send(b"?").unwrap();
            }
            for _ in 0..3 {
                assert_eq!(take(server).1, client.local_addr().unwrap());
            }
        }
    }
}

#[test]
fn a_wait_for_a_wake_leaves_what_is_there_alone_and_a_wake_is_kept() {
    let server = bind(&Udp::options().receive_ahead(8));
    let client = client_of(&server);
    for packet in [b"1", b"2", b"3"] {
        client.send(packet).unwrap();
    }
    assert_eq!(take(&server).0.packet(), b"1");
    server.waker().wake();
    assert_eq!(look(&server, Wait::for_request()), Readiness::Request);
    assert_eq!(look(&server, Wait::for_wake()), Readiness::Woken);
    assert_eq!(look(&server, Wait::for_wake()), Readiness::TimedOut);
    assert_eq!(take(&server).0.packet(), b"2");
    assert_eq!(take(&server).0.packet(), b"3");
    assert_idle(&server);
}

#[test]
fn as_many_are_received_as_was_said_and_all_are_known() {
    if !SEVERAL {
        return;
    }
    for (said, held) in [(0, 1), (1, 1), (4, 4), (100, 32)] {
        let server = bind(&Udp::options().receive_ahead(said));
        let client = client_of(&server);
        for _ in 0..40 {
            client.send(b"?").unwrap();
        }
        assert_eq!(server.received_ahead(), 0);
        assert_eq!(look(&server, Wait::for_request()), Readiness::Request);
        assert_eq!(server.received_ahead(), 0);
        for left in (0..held).rev() {
            server.get_request().unwrap();
            assert_eq!(server.received_ahead(), left, "{said}");
        }
    }
}

#[test]
fn it_can_be_tried_whether_there_is_a_packet() {
    let server = bind(&Udp::options());
    let client = client_of(&server);
    assert!(server.can_be_tried());
    assert!(matches!(server.get_request(), Err(GetRequestError::NotReady)));
    client.send(b"1").unwrap();
    assert_eq!(server.wait(Wait::for_request()).unwrap(), Readiness::Request);
    assert_eq!(server.get_request().unwrap().0.packet(), b"1");
}

#[test]
fn a_child_takes_over_nothing_and_receives_nothing_ahead() {
    let mut server = bind(&Udp::options().receive_ahead(8));
    let client = client_of(&server);
    for packet in [b"1", b"2", b"3"] {
        client.send(packet).unwrap();
    }
    assert_eq!(take(&server).0.packet(), b"1");
    let ahead = server.received_ahead();
    // As if this were one: what was received is for the parent to serve.
    server.after_fork();
    assert_eq!(server.received_ahead(), 0);
    for _ in ahead..2 {
        take(&server);
    }
    client.send(b"4").unwrap();
    client.send(b"5").unwrap();
    let readiness = server.wait(Wait::for_request().timeout(Some(LIMIT))).unwrap();
    assert_eq!((readiness, server.received_ahead()), (Readiness::Request, 0));
    assert_eq!(take(&server).0.packet(), b"4");
    assert_eq!(take(&server).0.packet(), b"5");
}

#[test]
fn what_is_there_does_not_keep_the_address_when_the_transport_is_gone() {
    let server = bind(&Udp::options().receive_ahead(8));
    let address: SocketAddr = server.local_addr().unwrap();
    let client = client_of(&server);
    for _ in 0..3 {
        client.send(b"?").unwrap();
    }
    drop(take(&server));
    drop(server);
    Udp::bind(address).unwrap();
}
