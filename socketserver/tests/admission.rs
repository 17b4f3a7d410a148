//! Who is let in, with real clients: by source, by list, by user; and what the others are told.

#![cfg(test)]

mod support;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};

use socketserver::Running;
use socketserver::prelude::*;
use socketserver::transports::Ipv6;
use socketserver::transports::ipnet::IpNet;
use support::{PATIENCE, connect, read_to_end};

/// Says hello and stays until the client goes; tells others why not.
fn greeter() -> impl Service<TcpConnection> + Send + Sync + 'static {
    stream_fn(|client: &mut Stream<TcpConnection>| {
        client.wfile.write_all(b"hello")?;
        client.rfile.read_to_end(&mut Vec::new())?;
        Ok(())
    })
    .on_refusal(|client: &mut TcpConnection, _, refusal| {
        client.send(format!("{refusal:?}").as_bytes()).unwrap();
    })
}

fn server() -> ThreadingTcpServer<impl Service<TcpConnection> + Send + Sync + 'static> {
    ThreadingTcpServer::bind("127.0.0.1:0", greeter()).unwrap()
}

/// A client with another address of this machine. Elsewhere the addresses beside 127.0.0.1 are not there.
#[cfg(target_os = "linux")]
fn connect_from(source: [u8; 4], to: SocketAddr) -> TcpStream {
    use socketserver::transports::socket2::{Domain, Socket, Type};

    let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    client.bind(&SocketAddr::from((source, 0)).into()).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.connect(&to.into()).unwrap();
    client.into()
}

fn greeted(mut client: &TcpStream) {
    let mut hello = [0; 5];
    client.read_exact(&mut hello).unwrap();
    assert_eq!(&hello, b"hello");
}

/// Waits until that many requests are in progress.
fn await_live(server: &Running<SocketAddr>, most: usize) {
    assert!(server.handle().wait_until_at_most(most, PATIENCE));
}

#[cfg(target_os = "linux")]
#[test]
fn each_source_has_its_own_limit() {
    let limit = PerSource::new(2);
    let handle = limit.clone();
    let server = server().with_admission(limit).spawn().unwrap();
    let to = *server.local_addr();
    let from_2 = [(); 2].map(|()| connect_from([127, 0, 0, 2], to));
    from_2.iter().for_each(greeted);
    let refused = connect_from([127, 0, 0, 2], to);
    assert_eq!(read_to_end(&refused), "Source");
    let from_3 = connect_from([127, 0, 0, 3], to);
    greeted(&from_3);
    assert_eq!(handle.live_sources(), 2);
    assert_eq!(handle.live(IpAddr::from([127, 0, 0, 2])), 2);
    // A place is free again when a request has left.
    let [one, other] = from_2;
    drop(one);
    await_live(&server, 2);
    let next = connect_from([127, 0, 0, 2], to);
    greeted(&next);
    handle.set_most(1);
    assert_eq!(read_to_end(&connect_from([127, 0, 0, 3], to)), "Source");
    drop((other, next, from_3));
    let counts = server.stop().unwrap().1;
    assert_eq!((counts.served, counts.turned_away.source), (4, 2));
    assert_eq!((counts.in_progress(), handle.live_sources()), (0, 0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_network_can_be_a_source() {
    let limit = PerSource::new(1).ipv4_prefix(24);
    let server = server().with_admission(limit).spawn().unwrap();
    let to = *server.local_addr();
    let inside = [[127, 0, 1, 1], [127, 0, 2, 1]].map(|source| connect_from(source, to));
    inside.iter().for_each(greeted);
    assert_eq!(read_to_end(&connect_from([127, 0, 1, 200], to)), "Source");
    drop(inside);
    server.stop().unwrap();
}

#[test]
fn a_list_can_be_changed_while_the_server_runs_and_who_is_inside_stays() {
    let list = AddressList::new();
    let server = server().with_admission(list.clone()).spawn().unwrap();
    let to = *server.local_addr();
    let mut before = connect(to);
    greeted(&before);
    list.deny("127.0.0.0/8".parse::<IpNet>().unwrap());
    assert_eq!(read_to_end(&connect(to)), "Denied");
    list.replace(&"allow 127.0.0.1\ndeny 10.0.0.0/8".parse().unwrap());
    greeted(&connect(to));
    list.replace(&"allow 10.0.0.0/8".parse().unwrap());
    assert_eq!(read_to_end(&connect(to)), "Denied");
    before.write_all(b"still here").unwrap();
    drop(before);
    let counts = server.stop().unwrap().1;
    assert_eq!((counts.served, counts.turned_away.denied, counts.errors), (2, 2, 0));
}

#[test]
fn admissions_are_asked_in_order_and_what_one_gave_comes_back() {
    let (limit, list) = (PerSource::new(1), AddressList::new());
    let server = server().with_admission(limit.clone()).with_admission(list.clone());
    let server = server.spawn().unwrap();
    let to = *server.local_addr();
    list.deny(IpAddr::from(Ipv4Addr::LOCALHOST));
    for _ in 0..3 {
        assert_eq!(read_to_end(&connect(to)), "Denied", "not the one before's place");
        await_live(&server, 0);
    }
    assert!(list.remove_denied(IpAddr::from(Ipv4Addr::LOCALHOST)));
    let inside = connect(to);
    greeted(&inside);
    list.deny(IpAddr::from(Ipv4Addr::LOCALHOST));
    assert_eq!(read_to_end(&connect(to)), "Source", "the limit comes first");
    drop(inside);
    server.stop().unwrap();
}

#[test]
fn who_waited_for_a_place_finds_what_the_one_before_held_given_back() {
    const CLIENTS: u64 = 200;
    let service =
        stream_fn(|client: &mut Stream<TcpConnection>| Ok(client.wfile.write_all(b"hello")?));
    let limit = PerSource::new(1);
    let server = ThreadingTcpServer::bind("127.0.0.1:0", service)
        .unwrap()
        .with_config(ServerConfig::new().max_connections(1))
        .with_admission(limit.clone())
        .spawn()
        .unwrap();
    let clients: Vec<_> = (0..CLIENTS).map(|_| connect(*server.local_addr())).collect();
    clients.iter().for_each(greeted);
    let counts = server.stop().unwrap().1;
    assert_eq!((counts.served, counts.turned_away.total()), (CLIENTS, 0));
    assert_eq!(limit.live_sources(), 0);
}

#[test]
fn an_ipv4_client_of_a_dual_stack_listener_is_one() {
    let options = Tcp::options().ipv6(Ipv6::DualStack);
    let Ok(transport) = options.bind("[::]:0") else {
        return println!("notice: no IPv6 here, so that was left out");
    };
    let (limit, list) = (PerSource::new(1).ipv6_prefix(0), AddressList::new());
    let server = ThreadingTcpServer::with_transport(transport, greeter())
        .with_admission(list.clone())
        .with_admission(limit.clone())
        .spawn()
        .unwrap();
    let to = SocketAddr::from(([127, 0, 0, 1], server.local_addr().port()));
    let inside = connect(to);
    greeted(&inside);
    assert_eq!(limit.live(IpAddr::from([127, 0, 0, 1])), 1);
    assert_eq!(read_to_end(&connect(to)), "Source");
    list.deny("127.0.0.0/8".parse::<IpNet>().unwrap());
    assert_eq!(read_to_end(&connect(to)), "Denied");
    drop(inside);
    server.stop().unwrap();
}

#[test]
fn a_connection_that_was_taken_over_no_longer_counts() {
    let (sender, taken) = std::sync::mpsc::channel();
    let service = stream_fn(move |client: &mut Stream<TcpConnection>| {
        client.wfile.write_all(b"hello")?;
        sender.send(client.detach()?).unwrap();
        Ok(())
    });
    let limit = PerSource::new(1);
    let server = ThreadingTcpServer::bind("127.0.0.1:0", service).unwrap();
    let server = server.with_admission(limit.clone()).spawn().unwrap();
    let clients = [(); 2].map(|()| {
        let client = connect(*server.local_addr());
        greeted(&client);
        await_live(&server, 0);
        client
    });
    assert_eq!(limit.live_sources(), 0);
    drop((clients, taken));
    assert_eq!(server.stop().unwrap().1.detached, 2);
}

#[test]
fn packets_of_those_who_are_denied_are_dropped_or_answered() {
    let list = AddressList::new();
    let service = datagram_fn(|exchange: &mut DatagramExchange<'_, UdpPacket>| {
        let packet = exchange.packet().to_vec();
        Ok(exchange.request.reply(&packet)?)
    });
    let service = service.on_refusal(|packet: &mut UdpPacket, _, refusal| {
        if packet.packet() == b"why?" {
            packet.reply(format!("{refusal:?}").as_bytes()).unwrap();
        }
    });
    let server = ThreadingUdpServer::bind("127.0.0.1:0", service).unwrap();
    let server = server.with_admission(list.clone()).spawn().unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.connect(*server.local_addr()).unwrap();
    let ask = |packet: &[u8]| {
        client.send(packet).unwrap();
        let mut answer = [0; 100];
        let length = client.recv(&mut answer).unwrap();
        answer[..length].to_vec()
    };
    assert_eq!(ask(b"one"), b"one");
    list.deny(IpAddr::from(Ipv4Addr::LOCALHOST));
    client.send(b"two").unwrap();
    assert_eq!(ask(b"why?"), b"Denied", "and nothing for the one before");
    assert!(list.remove_denied(IpAddr::from(Ipv4Addr::LOCALHOST)));
    assert_eq!(ask(b"three"), b"three");
    let counts = server.stop().unwrap().1;
    assert_eq!((counts.served, counts.turned_away.denied), (2, 2));
}

#[cfg(unix)]
#[test]
fn each_user_has_a_limit_on_unix_sockets() {
    use socketserver::transports::{UnixName, UnixStream};
    use std::os::unix::net;

    let folder = std::env::temp_dir().join(format!("ss-per-user-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("socket");
    let service = stream_fn(|client: &mut Stream<UnixConnection>| {
        client.wfile.write_all(b"hello")?;
        client.rfile.read_to_end(&mut Vec::new())?;
        Ok(())
    });
    let service = service.on_refusal(|client: &mut UnixConnection, _, refusal| {
        client.send(format!("{refusal:?}").as_bytes()).unwrap();
    });
    let limit = PerUser::new(1);
    let transport = UnixStream::bind(UnixName::from(&*path)).unwrap();
    let server = ThreadingUnixStreamServer::with_transport(transport, service)
        .with_admission(limit.clone())
        .spawn()
        .unwrap();
    let connect = || {
        let client = net::UnixStream::connect(&path).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client
    };
    let said = |mut client: &net::UnixStream| {
        let mut word = [0; 5];
        client.read_exact(&mut word).unwrap();
        word
    };
    let inside = connect();
    assert_eq!(&said(&inside), b"hello");
    let mut refused = String::new();
    connect().read_to_string(&mut refused).unwrap();
    assert_eq!((&*refused, limit.live_users()), ("Source", 1));
    drop(inside);
    assert!(server.handle().wait_until_at_most(0, PATIENCE));
    assert_eq!(&said(&connect()), b"hello");
    let counts = server.stop().unwrap().1;
    assert_eq!((counts.served, counts.turned_away.source, limit.live_users()), (2, 1, 0));
    std::fs::remove_dir_all(&folder).unwrap();
}
