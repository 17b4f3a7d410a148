//! A stop in the middle of a load of real clients.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use proptest::prelude::*;
use socketserver::concurrency::Synchronous;
use socketserver::core::{Concurrency, ServiceJob};
use socketserver::prelude::*;
use socketserver::transports::Tcp;

use crate::load::{
    Fate, Fates, Load, PATIENCE, StopAt, Who, check_books, join, load, patient, pool, threads,
};

/// A reply that does not go in one piece.
const REPLY: usize = 100_000;

struct Fated {
    fates: Arc<Fates>,
    /// When `service_actions` stops the server.
    accepted: u64,
}

impl Service<TcpConnection> for Fated {
    fn finish_request(
        &self,
        request: &mut TcpConnection,
        _: &SocketAddr,
        server: &ServerHandle,
    ) -> HandlerResult {
        let fate = self.fates.begin();
        let mut name = [0];
        request.read_exact(&mut name)?;
        match fate {
            Fate::Fails => return Err("it failed".into()),
            Fate::Panics => resume_unwind(Box::new("it panicked")),
            Fate::Stops => drop(server.request_shutdown()),
            Fate::Detaches => request.mark_detached(),
            Fate::Served | Fate::Refused => {}
        }
        // A connection that was taken over ends with its last handle, which is here too.
        Ok(request.write_all(&vec![name[0]; REPLY])?)
    }

    fn verify_request(&self, _: &TcpConnection, _: &SocketAddr) -> bool {
        self.fates.verify()
    }

    fn handle_error(&self, _: &mut TcpConnection, _: &SocketAddr, _: HandlerError) {}

    fn service_actions(&self, server: &ServerHandle) {
        if server.counts().accepted >= self.accepted {
            server.request_shutdown();
        }
    }
}

/// What a client sees.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Seen {
    /// All of its reply.
    Reply,
    /// An end, and nothing before.
    End,
}

/// Whether this is how a connection ends that nobody serves.
fn is_end(error: &io::Error) -> bool {
    let kinds = [
        ErrorKind::BrokenPipe,
        ErrorKind::ConnectionAborted,
        ErrorKind::ConnectionRefused,
        ErrorKind::ConnectionReset,
    ];
    kinds.contains(&error.kind())
}

/// Sends its name, and wants that again many times, or an end.
fn client(name: u8, address: SocketAddr, come: &Sender<()>) -> Seen {
    let connected = TcpStream::connect(address);
    let _ = come.send(());
    let mut socket = match connected {
        Ok(socket) => socket,
        // The server was closed first, or just now.
        Err(error) => {
            assert!(is_end(&error), "{error}");
            return Seen::End;
        }
    };
    // Some systems do not set up a socket any more that was reset.
    if socket.set_read_timeout(Some(PATIENCE)).is_err() {
        return Seen::End;
    }
    let mut reply = Vec::new();
    let ended = socket.write_all(&[name]).and_then(|()| socket.read_to_end(&mut reply));
    match ended {
        Ok(_) => {}
        Err(error) => {
            assert!(is_end(&error), "{error}");
        }
    }
    if reply.is_empty() {
        return Seen::End;
    }
    assert!(reply.len() == REPLY && reply.iter().all(|byte| *byte == name), "half a reply");
    Seen::Reply
}

fn run<C>(load: &Load, concurrency: C)
where
    C: Concurrency<ServiceJob<TcpConnection, Fated>> + Send,
{
    let clients = load.fates.len();
    let accepted = if let StopAt::Accepted(count) = load.stop { count } else { clients as u64 };
    let fates = Arc::new(Fates::new(&load.fates));
    let service = Fated { fates: Arc::clone(&fates), accepted };
    let config = ServerConfig::new().poll_interval(PollInterval::Never);
    let transport = Tcp::bind("127.0.0.1:0").unwrap();
    let mut server = Server::new(transport, concurrency, service).with_config(config);
    let address = server.local_addr().unwrap();
    let (stop, handle) = (server.shutdown_handle(), server.handle());
    if matches!(load.stop, StopAt::Before) {
        stop.request();
    }
    thread::scope(|scope| {
        let (come, has_come) = mpsc::channel();
        let start = |name: usize| {
            let come = come.clone();
            scope.spawn(move || client(b'a' + u8::try_from(name).unwrap(), address, &come))
        };
        let (end, ended) = mpsc::channel();
        let serving = scope.spawn(move || {
            let result = server.serve_forever();
            drop(end);
            (server, result)
        });
        let early: Vec<_> = (0..clients).map(start).collect();
        if let StopAt::Come(count) = load.stop {
            (0..count).for_each(|_| has_come.recv_timeout(PATIENCE).unwrap());
            stop.shutdown_timeout(PATIENCE).unwrap();
        }
        let (mut server, result) = join(serving, &ended, &stop);
        assert_eq!(result.unwrap(), Ended::Shutdown);
        let then = handle.counts();
        let late: Vec<_> = (clients..clients + load.late).map(start).collect();
        server.close();
        let now = server.counts();
        check_books(then, now, &fates);
        assert!(late.into_iter().all(|client| client.join().unwrap() == Seen::End));
        // Those that failed count as served, but have seen an end.
        let replies = early.into_iter().filter_map(|client| match client.join().unwrap() {
            Seen::Reply => Some(()),
            Seen::End => None,
        });
        assert_eq!(replies.count() as u64, now.served + now.detached - now.errors);
    });
}

proptest! {
    #![proptest_config(patient(64))]

    /// It ends; nobody is let in afterwards; each request leaves by one door; and each client has all of its
    /// reply, or an end.
    #[test]
    fn a_stop_ends_any_load_of_clients(load in load(12)) {
        match load.who {
            Who::Loop => run(&load, Synchronous),
            Who::Threads => run(&load, threads()),
            Who::Pool { .. } => run(&load, pool(load.who).unwrap()),
        }
    }
}
