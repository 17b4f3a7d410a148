//! Who is let in: real requests, asked about without a server.

use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};

use socketserver_core::{Admission, Permit, Refusal, Request};
use socketserver_transports::{AddressList, PerSource, Tcp, Udp};

use crate::loopback::loopback;
use crate::support::take;

/// What an admission says about a request.
fn ask<R: Request>(
    admission: &impl Admission<R>,
    (request, address): &(R, R::Addr),
) -> Result<Permit, Refusal> {
    admission.admit(request, address)
}

#[test]
fn a_connection_counts_for_its_address_until_its_permit_is_dropped() {
    let server = Tcp::bind((loopback(), 0)).unwrap();
    let address = server.socket().local_addr().unwrap().as_socket().unwrap();
    let _clients = [(); 3].map(|()| TcpStream::connect(address).unwrap());
    let requests = [(); 3].map(|()| take(&server));
    let limit = PerSource::new(2);
    let handle = limit.clone();
    let first = ask(&limit, &requests[0]).unwrap();
    let _second = ask(&limit, &requests[1]).unwrap();
    assert_eq!(ask(&limit, &requests[2]).unwrap_err(), Refusal::Source);
    let source = requests[0].1.ip();
    assert_eq!((handle.live(source), handle.live_sources()), (2, 1));
    drop(first);
    assert_eq!(handle.live(source), 1);
    handle.set_most(1);
    assert_eq!(ask(&limit, &requests[2]).unwrap_err(), Refusal::Source);
    handle.set_most(2);
    let _third = ask(&limit, &requests[2]).unwrap();
}

#[test]
fn a_packet_counts_too_and_a_list_knows_its_sender() {
    let server = Udp::bind((loopback(), 0)).unwrap();
    let client = UdpSocket::bind((loopback(), 0)).unwrap();
    client.send_to(b"!", server.socket().local_addr().unwrap().as_socket().unwrap()).unwrap();
    let request = take(&server);
    let limit = PerSource::new(1);
    let _permit = ask(&limit, &request).unwrap();
    assert_eq!(ask(&limit, &request).unwrap_err(), Refusal::Source);
    let list = AddressList::new();
    let _ = ask(&list, &request).unwrap();
    list.deny(request.1.ip());
    assert_eq!(ask(&list, &request).unwrap_err(), Refusal::Denied);
    assert!(list.remove_denied(request.1.ip()));
    let _ = ask(&list, &request).unwrap();
}

/// A request of any address, for addresses that no test has.
struct From;

impl Request for From {
    type Addr = SocketAddr;
}

fn from(address: &str) -> (From, SocketAddr) {
    (From, SocketAddr::new(address.parse().unwrap(), 1))
}

#[test]
fn a_source_is_a_prefix() {
    let limit = PerSource::new(1).ipv4_prefix(24).ipv6_prefix(48);
    let _permits = ["192.0.2.1", "192.0.3.1", "2001:db8:1::", "2001:db8:2::"]
        .map(|address| ask(&limit, &from(address)).unwrap());
    for taken in ["192.0.2.255", "::ffff:192.0.2.7", "2001:db8:1:ffff::", "2001:db8:2:1::1"] {
        assert_eq!(ask(&limit, &from(taken)).unwrap_err(), Refusal::Source, "{taken}");
    }
    assert_eq!(limit.live_sources(), 4);
    assert_eq!(limit.live(IpAddr::from([192, 0, 2, 200])), 1);
}

#[test]
fn a_source_is_by_default_an_ipv4_address_or_64_bits_of_ipv6() {
    let limit = PerSource::new(1);
    let _permits = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"]
        .map(|address| ask(&limit, &from(address)).unwrap());
    for taken in ["::ffff:192.0.2.1", "2001:db8::2"] {
        assert_eq!(ask(&limit, &from(taken)).unwrap_err(), Refusal::Source, "{taken}");
    }
}

#[cfg(unix)]
#[test]
fn a_unix_connection_counts_for_its_user() {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net;

    use socketserver_transports::{PerUser, UnixStream};

    let folder = crate::folder::Folder::new();
    let path = folder.path().join("socket");
    let server = UnixStream::bind(&path).unwrap();
    let _clients = [(); 2].map(|()| net::UnixStream::connect(&path).unwrap());
    let requests = [(); 2].map(|()| take(&server));
    // A file that this process made is its user's.
    let uid = std::fs::metadata(&path).unwrap().uid();
    let limit = PerUser::new(1);
    let permit = ask(&limit, &requests[0]).unwrap();
    assert_eq!((limit.live(uid), limit.live_users(), limit.most()), (1, 1, 1));
    assert_eq!(ask(&limit, &requests[1]).unwrap_err(), Refusal::Source);
    drop(permit);
    assert_eq!((limit.live(uid), limit.live_users()), (0, 0));
    limit.set_most(0);
    assert_eq!(ask(&limit, &requests[1]).unwrap_err(), Refusal::Source);
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[test]
fn a_connection_of_packets_counts_for_its_user() {
    use socketserver_transports::socket2::{Domain, SockAddr, Socket, Type};
    use socketserver_transports::{PerUser, UnixSeqpacket};

    let folder = crate::folder::Folder::new();
    let path = folder.path().join("socket");
    let server = UnixSeqpacket::bind(&path).unwrap();
    let client = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
    client.connect(&SockAddr::unix(&path).unwrap()).unwrap();
    let request = take(&server);
    let limit = PerUser::new(1);
    let _permit = ask(&limit, &request).unwrap();
    assert_eq!(ask(&limit, &request).unwrap_err(), Refusal::Source);
}
