//! Packets over Unix sockets: senders without a name, cut and empty packets, full queues.

use std::io;
use std::os::unix::net;
use std::path::Path;
use std::time::{Duration, Instant};

use socketserver_core::DatagramRequest;
use socketserver_transports::UnixDatagram;

use crate::folder::Folder;
use crate::support::{LIMIT, assert_idle, take};

fn client(path: &Path) -> net::UnixDatagram {
    let client = net::UnixDatagram::bind(path).unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    client
}

#[test]
fn an_unnamed_sender_is_a_client_that_cannot_be_replied_to() {
    let folder = Folder::new();
    let path = folder.path().join("server");
    let server = UnixDatagram::bind(&path).unwrap();
    net::UnixDatagram::unbound().unwrap().send_to(b"hello", &path).unwrap();
    let (request, address) = take(&server);
    assert_eq!(request.packet(), b"hello");
    assert!(address.is_unnamed());
    let error = request.reply(b"who?").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    assert_eq!(error.to_string(), "the client has no address to reply to");
}

#[test]
fn packets_are_cut_and_say_so_and_may_be_empty() {
    let folder = Folder::new();
    let path = folder.path().join("server");
    let server = UnixDatagram::options().max_packet_size(10).bind(&path).unwrap();
    let client = net::UnixDatagram::unbound().unwrap();
    for (sent, kept, truncated) in
        [(10, 10, false), (11, 10, true), (9000, 10, true), (0, 0, false)]
    {
        client.send_to(&vec![b'x'; sent], &path).unwrap();
        let (request, _) = take(&server);
        assert_eq!(request.packet(), vec![b'x'; kept], "{sent} bytes");
        assert_eq!(request.is_truncated(), truncated, "{sent} bytes");
    }
}

#[test]
fn a_client_that_vanished_is_an_error_of_the_reply_only() {
    let folder = Folder::new();
    let path = folder.path().join("server");
    let server = UnixDatagram::bind(&path).unwrap();
    client(&folder.path().join("gone")).send_to(b"bye", &path).unwrap();
    let (request, _) = take(&server);
    request.reply(b"anybody?").unwrap_err();
    assert_idle(&server);
    let next = client(&folder.path().join("next"));
    next.send_to(b"hello", &path).unwrap();
    let (request, _) = take(&server);
    request.reply(b"here").unwrap();
    assert_eq!(next.recv(&mut [0; 10]).unwrap(), 4);
}

#[test]
fn a_reply_to_a_client_that_does_not_read_takes_no_longer_than_its_timeout() {
    let folder = Folder::new();
    let path = folder.path().join("server");
    let timeout = Duration::from_millis(50);
    let server = UnixDatagram::options().reply_timeout(timeout).bind(&path).unwrap();
    let client = client(&folder.path().join("client"));
    client.send_to(b"?", &path).unwrap();
    let (request, _) = take(&server);
    let mut sent = 0;
    let (error, took) = loop {
        let started = Instant::now();
        match request.reply(&[sent]) {
            Ok(()) => sent = sent.wrapping_add(1),
            Err(error) => break (error, started.elapsed()),
        }
    };
    assert!(took < LIMIT);
    if cfg!(target_os = "linux") {
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(took >= timeout);
    }
    // There is room again for one when one was read.
    client.recv(&mut [0]).unwrap();
    request.reply(b"!").unwrap();
}

#[test]
fn receiving_does_not_block_although_the_socket_does() {
    let folder = Folder::new();
    let server = UnixDatagram::bind(folder.path().join("server")).unwrap();
    assert_idle(&server);
    let taken = socketserver_core::Transport::get_request(&server);
    assert!(matches!(taken, Err(socketserver_core::GetRequestError::NotReady)));
}

/// The longest path that the system takes: with the NUL at its end it fills the address.
#[cfg(target_os = "linux")]
#[test]
fn a_sender_with_the_longest_path_is_replied_to() {
    let folder = Folder::new();
    let path = folder.path().join("server");
    let server = UnixDatagram::bind(&path).unwrap();
    let prefix = folder.path().join("");
    let name = "x".repeat(107 - prefix.as_os_str().len());
    let client = client(&prefix.join(name));
    client.send_to(b"hello", &path).unwrap();
    let (request, address) = take(&server);
    assert_eq!(address.as_pathname().unwrap().as_os_str().len(), 107);
    request.reply(b"hello yourself").unwrap();
    let mut buffer = [0; 100];
    assert_eq!(client.recv(&mut buffer).unwrap(), 14);
}

/// Linux lets a client leave the NUL out, and then tells of an address that is longer than addresses are.
#[cfg(target_os = "linux")]
#[test]
fn a_sender_with_a_path_that_is_too_long_is_one_without_a_name() {
    const SENDER: &str = "
import ctypes, os, socket, struct, sys
os.chdir(sys.argv[1])
client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
address = struct.pack('H', socket.AF_UNIX) + b'x' * 108
assert ctypes.CDLL(None).bind(client.fileno(), address, len(address)) == 0
client.sendto(b'hello', 'server')
";
    let folder = Folder::new();
    let server = UnixDatagram::bind(folder.path().join("server")).unwrap();
    let python =
        std::process::Command::new("python3").arg("-c").arg(SENDER).arg(folder.path()).status();
    if !python.is_ok_and(|status| status.success()) {
        println!("notice: python3 was not found, its client was left out");
        return;
    }
    let (request, address) = take(&server);
    assert_eq!(request.packet(), b"hello");
    assert!(address.is_unnamed());
    assert_eq!(request.reply(b"who?").unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
}
