//! Every deadline with every kind of connection and several strategies.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::core::{Concurrency, Cuts, ServiceJob};
use socketserver::prelude::*;
use socketserver::{Deadline, transports::socket2::Socket};

use crate::service::{Log, SHORT, upper};
use crate::support::PATIENCE;

/// A bad client, until it is cut off; what it waits on ends when that has been told.
type Client = fn(&Socket, &Receiver<()>);

const NONE: Deadlines = Deadlines::new();
const A_MOMENT: Duration = Duration::from_millis(1);

/// What each bad client is cut by, although all others are patient.
fn cases() -> [(Deadline, Deadlines, Client); 7] {
    let patient = NONE
        .first_byte(PATIENCE)
        .idle(PATIENCE)
        .read(PATIENCE)
        .write(PATIENCE)
        .min_rate(1, PATIENCE)
        .whole(2 * PATIENCE);
    let steep = patient.min_rate(u64::MAX, SHORT);
    [
        (Deadline::FirstByte, patient.first_byte(SHORT), silent),
        (Deadline::Idle, patient.idle(SHORT), asks_once),
        (Deadline::Read, patient.read(SHORT), sends_half_a_line),
        (Deadline::Write, patient.write(SHORT), never_reads),
        (Deadline::Rate, steep, drips),
        (Deadline::Rate, steep, reads_slowly),
        (Deadline::Whole, patient.whole(SHORT), drips),
    ]
}

fn silent(client: &Socket, _: &Receiver<()>) {
    is_gone(client);
}

fn asks_once(mut client: &Socket, _: &Receiver<()>) {
    client.write_all(b"hello\n").unwrap();
    let mut answer = [0; 6];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HELLO\n");
    is_gone(client);
}

fn sends_half_a_line(mut client: &Socket, _: &Receiver<()>) {
    client.write_all(b"hel").unwrap();
    is_gone(client);
}

fn never_reads(mut client: &Socket, told: &Receiver<()>) {
    client.write_all(b"flood\n").unwrap();
    let _ = told.recv_timeout(PATIENCE);
}

fn reads_slowly(mut client: &Socket, told: &Receiver<()>) {
    client.write_all(b"flood\n").unwrap();
    while matches!(client.read(&mut [0; 4096]), Ok(1..)) {
        let _ = told.recv_timeout(A_MOMENT);
    }
}

fn drips(mut client: &Socket, _: &Receiver<()>) {
    client.set_read_timeout(Some(A_MOMENT)).unwrap();
    let waits = |error: ErrorKind| matches!(error, ErrorKind::WouldBlock | ErrorKind::TimedOut);
    while client.write(b"a").is_ok() {
        if client.read(&mut [0]).map_or_else(|error| !waits(error.kind()), |bytes| bytes == 0) {
            break;
        }
    }
}

/// The end, or a reset if the server had not read all.
fn is_gone(mut client: &Socket) {
    let end = client.read(&mut [0]).map_err(|error| error.kind());
    assert!(matches!(end, Ok(0) | Err(ErrorKind::ConnectionReset)), "{end:?}");
}

/// Serves each bad client with its deadlines. It is cut, by the right one, not too early, and counted; and the server
/// goes on.
fn every<T, C, S>(make: impl Fn(&Log) -> Server<T, C, S>, connect: impl Fn(&AddrOf<T>) -> Socket)
where
    Server<T, C, S>: Spawn<Addr = AddrOf<T>>,
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    for (deadline, deadlines, client) in cases() {
        let (log, failures) = Log::new();
        let server = make(&log).with_config(ServerConfig::new().deadlines(deadlines));
        let server = server.spawn().unwrap();
        let begun = Instant::now();
        let bad = connect(server.local_addr());
        bad.set_read_timeout(Some(PATIENCE)).unwrap();
        let (tell, told) = channel();
        let bad = thread::spawn(move || client(&bad, &told));
        failures.is_over(deadline);
        assert!(begun.elapsed() >= SHORT, "{deadline}");
        drop(tell);
        bad.join().unwrap();
        assert_eq!(by(server.handle().cuts(), deadline), 1, "{deadline}");
        assert_eq!(server.handle().cuts().deadlines(), 1, "{deadline}");
        assert!(server.handle().wait_until_at_most(0, PATIENCE));
        let (_, counts) = server.stop().unwrap();
        assert_eq!((counts.accepted, counts.served, counts.errors), (1, 1, 1));
        failures.are_none();
    }
}

type AddrOf<T> = <<T as Transport>::Request as Request>::Addr;

fn by(cuts: Cuts, deadline: Deadline) -> u64 {
    match deadline {
        Deadline::FirstByte => cuts.first_byte,
        Deadline::Idle => cuts.idle,
        Deadline::Read => cuts.read,
        Deadline::Write => cuts.write,
        Deadline::Rate => cuts.rate,
        Deadline::Whole => cuts.whole,
        other => panic!("{other}"),
    }
}

fn tcp(address: &std::net::SocketAddr) -> Socket {
    TcpStream::connect(address).unwrap().into()
}

const HERE: &str = "127.0.0.1:0";

#[test]
fn with_a_thread_for_each_client() {
    every(|log| ThreadingTcpServer::bind(HERE, upper(log)).unwrap(), tcp);
}

#[test]
fn with_a_pool() {
    every(|log| PoolTcpServer::bind(HERE, upper(log)).unwrap(), tcp);
}

#[test]
fn one_client_after_another() {
    every(|log| TcpServer::bind(HERE, upper(log)).unwrap(), tcp);
}

#[cfg(unix)]
mod unix {
    //! Sockets with names.

    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use socketserver::transports::socket2::{Domain, SockAddr, Socket, Type};
    use socketserver::transports::{UnixAddr, UnixStream};

    use super::every;
    use crate::service::upper;

    /// A name that nobody else uses; the server removes its file.
    fn name() -> PathBuf {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        std::env::temp_dir().join(format!("deadlines-{}-{number}", std::process::id()))
    }

    fn connect(kind: Type, address: &UnixAddr) -> Socket {
        let client = Socket::new(Domain::UNIX, kind, None).unwrap();
        client.connect(&SockAddr::unix(address.as_pathname().unwrap()).unwrap()).unwrap();
        client
    }

    #[test]
    fn on_a_unix_stream() {
        use socketserver::prelude::ThreadingUnixStreamServer;
        let make = |log: &_| {
            let transport = UnixStream::bind(name()).unwrap();
            ThreadingUnixStreamServer::with_transport(transport, upper(log))
        };
        every(make, |address| connect(Type::STREAM, address));
    }

    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    #[test]
    fn with_whole_messages() {
        use socketserver::prelude::{Server, ThreadPerRequest};
        use socketserver::transports::UnixSeqpacket;
        let make = |log: &_| {
            let transport = UnixSeqpacket::bind(name()).unwrap();
            Server::new(transport, ThreadPerRequest::new(), upper(log))
        };
        every(make, |address| connect(Type::SEQPACKET, address));
    }
}
