//! A descriptor in reserve: who waits when there are none left is let go. In a binary of its own, with one test: it uses up
//! the descriptors of the process.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

#[path = "suite/folder.rs"]
mod folder;

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::net::Ipv4Addr;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socketserver_core::{GetRequestError, Transport, Wait};
use socketserver_transports::socket2::{Domain, SockAddr, Socket, Type};
use socketserver_transports::{Tcp, UnixSeqpacket, UnixStream};

use crate::folder::Folder;

/// So many descriptors the process may have.
const DESCRIPTORS: u64 = 300;

const PATIENCE: Duration = Duration::from_secs(30);
/// Long enough to see that nothing happens.
const A_LOOK: Duration = Duration::from_millis(50);

/// Takes all descriptors there are.
fn fill(files: &mut Vec<File>) {
    loop {
        match File::open("/dev/null") {
            Ok(file) => files.push(file),
            Err(error) => break assert!(is_out_of_descriptors(&error), "{error}"),
        }
    }
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::MFILE)
}

/// How clients reach a server.
struct To {
    kind: Type,
    address: SockAddr,
}

impl To {
    fn connect(&self) -> Socket {
        let client = Socket::new(self.address.domain(), self.kind, None).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.connect(&self.address).unwrap();
        client
    }
}

fn was_let_go(mut client: &Socket) {
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

fn still_waits(mut client: &Socket) {
    client.set_read_timeout(Some(A_LOOK)).unwrap();
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    client.set_read_timeout(Some(PATIENCE)).unwrap();
}

/// Tries to take a request; says how many clients were dismissed instead.
fn dismissed<T: Transport>(server: &T) -> usize {
    match server.get_request() {
        Err(GetRequestError::Dismissed { clients, error }) => {
            assert!(is_out_of_descriptors(&error), "{error}");
            clients
        }
        Err(GetRequestError::Exhausted(error)) => {
            assert!(is_out_of_descriptors(&error), "{error}");
            0
        }
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("there was a descriptor"),
    }
}

/// Makes what a wait needs.
fn prepare<T: Transport>(server: &T) {
    server.wait(Wait::for_request().timeout(Some(Duration::ZERO))).unwrap();
}

fn with_reserve<T: Transport>(server: &T, to: &To) {
    prepare(server);
    let (mut files, clients) = (Vec::new(), [(); 3].map(|()| to.connect()));
    fill(&mut files);
    assert_eq!(dismissed(server), 3);
    clients.iter().for_each(was_let_go);
    assert_eq!(dismissed(server), 0, "nobody is there");
    // The reserve was filled again, and there is nothing left.
    fill(&mut files);
    drop(files.pop());
    let client = to.connect();
    assert_eq!(dismissed(server), 1);
    was_let_go(&client);
    // When there are descriptors again, clients are served.
    files.clear();
    let mut client = to.connect();
    let (request, _) = server.get_request().unwrap();
    fill(&mut files);
    drop(request);
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

fn a_hundred_at_a_time<T: Transport>(server: &T, to: &To) {
    prepare(server);
    let (mut files, clients) = (Vec::new(), [(); 120].map(|()| to.connect()));
    fill(&mut files);
    assert_eq!((dismissed(server), dismissed(server), dismissed(server)), (100, 20, 0));
    clients.iter().for_each(was_let_go);
}

fn without_reserve<T: Transport>(server: &T, to: &To) {
    prepare(server);
    let (mut files, client) = (Vec::new(), to.connect());
    fill(&mut files);
    assert_eq!((dismissed(server), dismissed(server)), (0, 0));
    still_waits(&client);
    files.clear();
    assert!(server.get_request().is_ok());
}

/// There is none to be had for the reserve when the server is made, and later there is.
fn a_reserve_that_comes_late(tcp: impl Fn() -> Tcp) {
    let mut files = Vec::new();
    fill(&mut files);
    files.truncate(files.len() - 1);
    let server = tcp();
    files.truncate(files.len() - 2);
    prepare(&server);
    files.truncate(files.len() - 1);
    let address = server.socket().local_addr().unwrap();
    let client = To { kind: Type::STREAM, address }.connect();
    assert_eq!(dismissed(&server), 0);
    still_waits(&client);
    // The reserve comes first.
    files.truncate(files.len() - 1);
    assert_eq!(dismissed(&server), 1);
    was_let_go(&client);
}

fn tcp(reserve: bool) -> Tcp {
    Tcp::options().reserve_descriptor(reserve).bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

fn to_tcp(server: &Tcp) -> To {
    To { kind: Type::STREAM, address: server.socket().local_addr().unwrap() }
}

#[test]
fn clients_are_let_go_when_no_descriptor_is_left() {
    let most = Rlimit { current: Some(DESCRIPTORS), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, most).unwrap();

    let server = tcp(true);
    with_reserve(&server, &to_tcp(&server));
    a_hundred_at_a_time(&server, &to_tcp(&server));
    let server = tcp(false);
    without_reserve(&server, &to_tcp(&server));
    a_reserve_that_comes_late(|| tcp(true));
    let adopted = Tcp::options().reserve_descriptor(true);
    let server = adopted.adopt(std::net::TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    with_reserve(&server, &to_tcp(&server));

    let folder = Folder::new();
    let path = folder.path().join("stream");
    let to = To { kind: Type::STREAM, address: SockAddr::unix(&path).unwrap() };
    assert_eq!(to.address.domain(), Domain::UNIX);
    with_reserve(&UnixStream::options().reserve_descriptor(true).bind(&path).unwrap(), &to);
    without_reserve(&UnixStream::bind(&path).unwrap(), &to);
    let path = folder.path().join("seqpacket");
    let to = To { kind: Type::SEQPACKET, address: SockAddr::unix(&path).unwrap() };
    with_reserve(&UnixSeqpacket::options().reserve_descriptor(true).bind(&path).unwrap(), &to);
}
