//! Packets over UDP: cut ones, empty ones, replies from threads, clients that vanish.

use std::io;
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::thread;

use socketserver_core::{DatagramRequest, Transport};
use socketserver_transports::{BindStep, Ipv6, Tcp, Udp};

use crate::loopback::loopback;
use crate::support::{LIMIT, assert_idle, take, try_take};

fn client(server: &Udp) -> UdpSocket {
    let server = server.local_addr().unwrap();
    let local = if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
    let client = UdpSocket::bind(local).unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    client.connect(server).unwrap();
    client
}

fn received(client: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65536];
    let length = client.recv(&mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}

#[test]
fn a_packet_of_the_maximum_is_whole_and_a_longer_one_is_cut_and_says_so() {
    let server = Udp::options().max_packet_size(10).bind("127.0.0.1:0").unwrap();
    let client = client(&server);
    for (sent, kept, truncated) in
        [(9, 9, false), (10, 10, false), (11, 10, true), (5000, 10, true)]
    {
        client.send(&vec![b'x'; sent]).unwrap();
        let (request, _) = take(&server);
        assert_eq!(request.packet(), vec![b'x'; kept], "{sent} bytes");
        assert_eq!(request.is_truncated(), truncated, "{sent} bytes");
    }
}

#[test]
fn the_maximum_is_8192_bytes_unless_set() {
    let server = Udp::bind("127.0.0.1:0").unwrap();
    let client = client(&server);
    client.send(&[b'x'; 8193]).unwrap();
    let (request, _) = take(&server);
    assert_eq!((request.packet().len(), request.is_truncated()), (8192, true));
}

#[test]
fn the_largest_packet_arrives_whole_if_there_is_room() {
    let server = Udp::options().max_packet_size(usize::MAX).bind("127.0.0.1:0").unwrap();
    let client = client(&server);
    client.send(&vec![b'x'; 65507]).unwrap();
    let (request, _) = take(&server);
    assert_eq!((request.packet().len(), request.is_truncated()), (65507, false));
}

#[test]
fn what_is_left_in_a_used_buffer_is_not_seen() {
    let server = Udp::bind("127.0.0.1:0").unwrap();
    let client = client(&server);
    for packet in [&b"a long one"[..], b"short", b"", b"longer"] {
        client.send(packet).unwrap();
        assert_eq!(take(&server).0.packet(), packet);
    }
}

#[test]
fn an_empty_packet_is_a_request_and_an_empty_reply_arrives() {
    let server = Udp::bind("127.0.0.1:0").unwrap();
    let client = client(&server);
    client.send(b"").unwrap();
    let (request, _) = take(&server);
    assert_eq!(request.packet(), b"");
    assert!(!request.is_truncated());
    request.reply(b"").unwrap();
    assert_eq!(received(&client), b"");
}

#[test]
fn replies_from_threads_come_from_the_servers_address() {
    let server = Udp::bind("127.0.0.1:0").unwrap();
    // Connected, it takes packets of the server's address only.
    let client = client(&server);
    let requests: Vec<_> = (0..4)
        .map(|number| {
            client.send(&[number]).unwrap();
            take(&server).0
        })
        .collect();
    let workers = requests.into_iter().map(|request| {
        thread::spawn(move || request.reply(&[request.packet(), b"!"].concat()).unwrap())
    });
    workers.collect::<Vec<_>>().into_iter().for_each(|worker| worker.join().unwrap());
    let mut replies: Vec<_> = (0..4).map(|_| received(&client)).collect();
    replies.sort();
    assert_eq!(replies, [b"\x00!", b"\x01!", b"\x02!", b"\x03!"]);
}

#[test]
fn too_large_a_reply_is_an_error_and_nothing_is_sent() {
    let server = Udp::bind("127.0.0.1:0").unwrap();
    let client = client(&server);
    client.send(b"?").unwrap();
    let (request, _) = take(&server);
    request.reply(&vec![0; 70_000]).unwrap_err();
    request.reply(b"small").unwrap();
    assert_eq!(received(&client), b"small");
}

#[test]
fn a_client_that_vanished_does_not_disturb_the_next_one() {
    let server = Udp::bind((loopback(), 0)).unwrap();
    let gone = UdpSocket::bind((loopback(), 0)).unwrap();
    gone.send_to(b"bye", server.local_addr().unwrap()).unwrap();
    let (request, _) = take(&server);
    drop(gone);
    let _ = request.reply(b"anybody?");
    let next = client(&server);
    next.send(b"hello").unwrap();
    loop {
        // Some systems report the lost reply here, once.
        if let Ok((request, _)) = try_take(&server) {
            assert_eq!(request.packet(), b"hello");
            break;
        }
    }
    assert_idle(&server);
}

/// Linux reports a lost reply to a connected socket only; other systems to all, in the same way.
#[cfg(target_os = "linux")]
#[test]
fn a_report_that_a_reply_was_lost_is_no_reason_to_stop_or_to_pause() {
    use socketserver_core::GetRequestError;

    let gone = UdpSocket::bind((loopback(), 0)).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(gone.local_addr().unwrap()).unwrap();
    gone.send_to(b"bye", socket.local_addr().unwrap()).unwrap();
    let server = Udp::from(socket);
    let (request, _) = take(&server);
    drop(gone);
    request.reply(b"anybody?").unwrap();
    match try_take(&server) {
        Err(GetRequestError::Failed(error)) => {
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(server.get_request(), Err(GetRequestError::NotReady)));
}

#[test]
fn a_dual_stack_socket_serves_both_families() {
    let options = Udp::options().ipv6(Ipv6::DualStack);
    let Ok(server) = options.bind((Ipv6Addr::UNSPECIFIED, 0)) else {
        // No IPv6 on this machine.
        assert!(UdpSocket::bind("[::1]:0").is_err());
        return;
    };
    let port = server.local_addr().unwrap().port();
    for local in ["127.0.0.1", "::1"] {
        let client = UdpSocket::bind((local, 0)).unwrap();
        client.set_read_timeout(Some(LIMIT)).unwrap();
        client.connect((local, port)).unwrap();
        client.send(b"ping").unwrap();
        let (request, address) = take(&server);
        assert_eq!(address.ip().to_canonical(), client.local_addr().unwrap().ip());
        request.reply(b"pong").unwrap();
        assert_eq!(received(&client), b"pong");
    }
}

#[test]
fn a_taken_port_is_an_error_that_names_it() {
    let first = Udp::bind("127.0.0.1:0").unwrap();
    let address = first.local_addr().unwrap();
    let error = Udp::bind(address).unwrap_err();
    assert_eq!((error.step(), error.kind()), (BindStep::Bind, io::ErrorKind::AddrInUse));
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn a_name_is_resolved_and_each_of_its_addresses_tried() {
    let blocker = UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken = blocker.local_addr().unwrap();
    let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let server = Udp::bind(&[taken, free][..]).unwrap();
    assert_ne!(server.local_addr().unwrap(), taken);
    Udp::bind("localhost:0").unwrap();
}

#[test]
fn what_is_not_a_udp_socket_is_not_adopted() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = Udp::options().adopt(listener).unwrap_err();
    assert_eq!(error.step(), BindStep::Adopt);
    assert!(error.to_string().ends_with("it is not a datagram socket"), "{error}");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let error = Tcp::options().adopt(socket).unwrap_err();
    assert!(error.to_string().ends_with("it is not a stream socket"), "{error}");
}

#[test]
fn the_hook_sees_the_socket_before_it_is_bound() {
    let options = Udp::options().before_bind(|socket| {
        assert_eq!(socket.local_addr()?.as_socket().map(|address| address.port()), Some(0));
        Err(io::Error::other("no"))
    });
    let error = options.bind("127.0.0.1:0").unwrap_err();
    assert_eq!(error.step(), BindStep::BeforeBind);
}
