//! Sequenced packets: messages keep their boundaries.

use std::io;
use std::path::Path;

use socketserver_core::{Request, StreamRequest};
use socketserver_transports::socket2::{Domain, SockAddr, Socket, Type};
use socketserver_transports::{Connection, SeqpacketSocket, UnixSeqpacket};

use crate::folder::Folder;
use crate::support::{LIMIT, take};

fn connect(path: &Path) -> Socket {
    let client = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    client.connect(&SockAddr::unix(path).unwrap()).unwrap();
    client
}

fn pair(folder: &Folder) -> (Connection<SeqpacketSocket>, Socket) {
    let path = folder.path().join("socket");
    let server = UnixSeqpacket::bind(&path).unwrap();
    let client = connect(&path);
    let (connection, _) = take(&server);
    connection.set_timeout(Some(LIMIT)).unwrap();
    (connection, client)
}

fn receive(mut socket: &Socket) -> Vec<u8> {
    let mut buffer = [0; 1000];
    let length = io::Read::read(&mut socket, &mut buffer).unwrap();
    buffer[..length].to_vec()
}

#[test]
fn each_receive_is_one_message_and_each_send_too() {
    let folder = Folder::new();
    let (connection, client) = pair(&folder);
    for message in [&b"one"[..], b"two and more", b"3"] {
        client.send(message).unwrap();
    }
    let mut buffer = [0; 100];
    for message in [&b"one"[..], b"two and more", b"3"] {
        let length = StreamRequest::recv(&connection, &mut buffer).unwrap();
        assert_eq!(&buffer[..length], message);
    }
    for message in [&b"four"[..], b"5"] {
        assert_eq!(StreamRequest::send(&connection, message).unwrap(), message.len());
    }
    assert_eq!(receive(&client), b"four");
    assert_eq!(receive(&client), b"5");
}

#[test]
fn a_message_longer_than_the_buffer_is_an_error_and_the_next_is_whole() {
    let folder = Folder::new();
    let (connection, client) = pair(&folder);
    client.send(b"a long message").unwrap();
    client.send(b"short").unwrap();
    let mut buffer = [0; 5];
    if cfg!(target_os = "linux") {
        let error = StreamRequest::recv(&connection, &mut buffer).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let length = StreamRequest::recv(&connection, &mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"short");
    }
}

#[test]
fn the_goodbye_is_an_end_and_a_client_that_leaves_is_one_too() {
    let folder = Folder::new();
    let (connection, client) = pair(&folder);
    connection.say_goodbye();
    assert_eq!(receive(&client), b"");
    drop(client);
    assert_eq!(StreamRequest::recv(&connection, &mut [0; 10]).unwrap(), 0);
}

#[test]
fn a_receive_that_takes_too_long_is_a_timeout() {
    let folder = Folder::new();
    let (connection, _client) = pair(&folder);
    connection.set_timeout(Some(std::time::Duration::from_millis(10))).unwrap();
    let error = StreamRequest::recv(&connection, &mut [0; 10]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[test]
fn it_knows_who_the_client_is() {
    let folder = Folder::new();
    let (connection, _client) = pair(&folder);
    let peer = connection.peer_credentials().unwrap();
    if cfg!(target_os = "linux") {
        assert_eq!(peer.pid(), Some(std::process::id()));
    }
}
