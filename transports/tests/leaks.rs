//! No descriptor and no file is left behind, however a transport ends. In a binary of its own, with one
//! test: the descriptors of other tests must not be counted.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

#[path = "suite/folder.rs"]
mod folder;
#[path = "suite/loopback.rs"]
mod loopback;

use std::fs;
use std::io;
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net;
use std::path::Path;
use std::time::Duration;

use socketserver_core::{Transport, Wait};
use socketserver_transports::socket2::{Domain, SockAddr, Socket, Type};
use socketserver_transports::{
    StaleSocket, Tcp, Udp, UnixDatagram, UnixName, UnixSeqpacket, UnixStream,
};

use crate::folder::Folder;
use crate::loopback::loopback;

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Waits for a request, takes it, and drops the transport before the request.
fn one<T: Transport>(server: T) {
    server.wait(Wait::for_request().timeout(Some(Duration::from_secs(30)))).unwrap();
    let request = server.get_request();
    assert!(request.is_ok());
    let waker = server.waker();
    drop(server);
    waker.wake();
}

fn everything(folder: &Path) {
    let tcp = Tcp::bind((loopback(), 0)).unwrap();
    let _client = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    Tcp::bind(tcp.local_addr().unwrap()).unwrap_err();
    one(tcp);

    let udp = Udp::bind((loopback(), 0)).unwrap();
    let client = UdpSocket::bind((loopback(), 0)).unwrap();
    client.send_to(b"!", udp.local_addr().unwrap()).unwrap();
    Udp::bind(udp.local_addr().unwrap()).unwrap_err();
    one(udp);

    let path = folder.join("stream");
    let stream = UnixStream::bind(&path).unwrap();
    let _client = net::UnixStream::connect(&path).unwrap();
    UnixStream::bind(&path).unwrap_err();
    UnixStream::options().stale(StaleSocket::Replace).bind(&path).unwrap_err();
    one(stream);
    let refusing = UnixStream::options().before_listen(|_| Err(io::Error::other("no")));
    refusing.bind(&path).unwrap_err();
    drop(refusing.bind_only(&path).unwrap());
    drop(net::UnixListener::bind(&path).unwrap());
    drop(UnixStream::options().stale(StaleSocket::Replace).bind(&path).unwrap());

    let path = folder.join("datagram");
    let datagram = UnixDatagram::bind(&path).unwrap();
    net::UnixDatagram::unbound().unwrap().send_to(b"!", &path).unwrap();
    UnixDatagram::bind(&path).unwrap_err();
    one(datagram);

    let path = folder.join("seqpacket");
    let seqpacket = UnixSeqpacket::bind(&path).unwrap();
    let client = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
    client.connect(&SockAddr::unix(&path).unwrap()).unwrap();
    one(seqpacket);

    drop(UnixStream::bind(UnixName::autobind()).unwrap());
    UnixStream::bind(folder.join("x".repeat(200))).unwrap_err();
    UnixStream::options().adopt(UdpSocket::bind((loopback(), 0)).unwrap()).unwrap_err();
}

#[test]
fn nothing_is_left_behind() {
    let folder = Folder::new();
    everything(folder.path());
    let before = descriptors();
    for _ in 0..50 {
        everything(folder.path());
    }
    assert_eq!(descriptors(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
