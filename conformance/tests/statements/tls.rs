//! Where a handshake goes: into the transport, where it holds everybody up, or into the handler. A byte from the
//! client stands for the handshake; `x` for one that fails.

use std::io::{self, BufRead, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use socketserver::core::{GetRequestError, Readiness, Wait, Waker};
use socketserver::prelude::*;

use crate::support::{PATIENCE, connect, handle, loopback, read_to_end};

fn shake_hands(mut connection: &TcpConnection) -> io::Result<()> {
    let mut byte = [0];
    connection.read_exact(&mut byte)?;
    if byte == *b"x" { Err(io::Error::other("bad handshake")) } else { Ok(()) }
}

/// A listener that shakes hands before it gives a connection out, and tells when it begins.
struct Shaking(Tcp, Sender<()>);

impl Transport for Shaking {
    type Request = TcpConnection;

    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.0.wait(wait)
    }

    fn waker(&self) -> Waker {
        self.0.waker()
    }

    fn get_request(&self) -> Result<(TcpConnection, SocketAddr), GetRequestError> {
        let (connection, address) = self.0.get_request()?;
        // Nobody may be listening any more.
        let _ = self.1.send(());
        shake_hands(&connection).map_err(GetRequestError::Failed)?;
        Ok((connection, address))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

fn greet(client: &mut Stream<TcpConnection>) -> HandlerResult {
    Ok(client.wfile.write_all(b"hello")?)
}

fn say(mut client: &TcpStream, text: &[u8]) {
    client.write_all(text).unwrap();
}

#[test]
fn a_handshake_in_the_transport_holds_up_all_clients_and_the_stop() {
    let (begin, has_begun) = mpsc::channel();
    let transport = Shaking(Tcp::bind(loopback()).unwrap(), begin);
    let mut server = Server::new(transport, ThreadPerRequest::new(), stream_fn(greet));
    let address = server.local_addr().unwrap();
    let (stop, handle) = (server.shutdown_handle(), server.handle());
    let serving = thread::spawn(move || {
        server.serve_forever().unwrap();
        server.close();
        server.counts()
    });
    let silent = connect(address);
    has_begun.recv_timeout(PATIENCE).unwrap();
    let other = connect(address);
    say(&other, b"!");
    let stopped = stop.shutdown_timeout(Duration::from_millis(50));
    assert_eq!(stopped, Err(ShutdownError::TimedOut));
    assert_eq!(handle.counts().accepted, 0, "nobody is served");
    say(&silent, b"!");
    let counts = serving.join().unwrap();
    assert_eq!((counts.accepted, counts.served), (1, 1));
    assert_eq!(read_to_end(&silent), "hello");
}

#[test]
fn a_handshake_in_the_handler_holds_up_nobody() {
    let (begin, has_begun) = mpsc::channel();
    let service = stream_fn(move |client: &mut Stream<TcpConnection>| {
        // Nobody may be listening any more.
        let _ = begin.send(());
        client.rfile.fill_buf()?;
        greet(client)
    });
    let running = ThreadingTcpServer::bind(loopback(), service).unwrap().spawn().unwrap();
    let silent = connect(*running.local_addr());
    has_begun.recv_timeout(PATIENCE).unwrap();
    let other = connect(*running.local_addr());
    say(&other, b"!");
    assert_eq!(read_to_end(&other), "hello");
    let stop = running.handle().shutdown_handle();
    assert_eq!(stop.shutdown_timeout(PATIENCE), Ok(StopOrder::Delivered));
    say(&silent, b"!");
    assert_eq!(read_to_end(&silent), "hello");
    assert_eq!(running.stop().unwrap().1.served, 2);
}

#[test]
fn a_handshake_that_fails_in_the_transport_is_counted_and_told() {
    let (begin, _begun) = mpsc::channel();
    let transport = Shaking(Tcp::bind(loopback()).unwrap(), begin);
    let mut server = Server::new(transport, Synchronous, stream_fn(greet));
    let (bad, good) =
        (connect(server.local_addr().unwrap()), connect(server.local_addr().unwrap()));
    say(&bad, b"x");
    say(&good, b"!");
    match handle(&mut server) {
        Handled::NothingAccepted(Some(error)) => assert_eq!(error.to_string(), "bad handshake"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(handle(&mut server), Handled::Served));
    let counts = server.counts();
    assert_eq!((counts.accept_failures, counts.accepted, counts.errors), (1, 1, 0));
    assert_eq!(read_to_end(&good), "hello");
}
