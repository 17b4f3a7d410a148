//! Taking and refusing requests.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, ThreadId};

use socketserver::core::{GetRequestError, Readiness, Wait, Waker};
use socketserver::prelude::*;

use crate::support::{Calls, Recorded, connect, handle, loopback, packet, packets_to, read_to_end};

#[test]
fn a_refused_packet_gets_no_reply() {
    let calls = Calls::default();
    let echo = base_fn(|context: &mut Context<'_, UdpPacket>| {
        Ok(context.request.reply(context.request.packet())?)
    });
    let service = echo.verify(|request: &UdpPacket, _| request.packet() == b"friend");
    let mut server = UdpServer::bind(loopback(), Recorded(service, calls.clone())).unwrap();
    let client = packets_to(server.local_addr().unwrap());
    for sent in [b"stranger", &b"friend"[..]] {
        client.send(sent).unwrap();
    }
    assert!(matches!(handle(&mut server), Handled::Refused));
    assert_eq!(calls.take(), "VR SR CR");
    assert!(matches!(handle(&mut server), Handled::Served));
    assert_eq!(packet(&client), b"friend", "the first reply");
}

/// Tells which threads take requests.
struct Watched(Tcp, Sender<ThreadId>);

impl Transport for Watched {
    type Request = TcpConnection;

    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.0.wait(wait)
    }

    fn waker(&self) -> Waker {
        self.0.waker()
    }

    fn get_request(&self) -> Result<(TcpConnection, SocketAddr), GetRequestError> {
        // Nobody may be listening any more.
        let _ = self.1.send(thread::current().id());
        self.0.get_request()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[test]
fn requests_are_taken_and_verified_in_the_serving_thread() {
    let (taken, takers) = mpsc::channel();
    let (verified, verifiers) = mpsc::channel();
    let (handled, handlers) = mpsc::channel();
    let service = stream_fn(move |_: &mut Stream<TcpConnection>| {
        handled.send(thread::current().id())?;
        Ok(())
    })
    .verify(move |_, _| verified.send(thread::current().id()).is_ok());
    let transport = Watched(Tcp::bind(loopback()).unwrap(), taken);
    let mut server = Server::new(transport, ThreadPerRequest::new(), service);
    let client = connect(server.local_addr().unwrap());
    assert!(matches!(handle(&mut server), Handled::Started));
    assert_eq!(read_to_end(&client), "");
    server.close();
    let here = thread::current().id();
    assert_eq!((takers.try_recv(), verifiers.try_recv()), (Ok(here), Ok(here)));
    assert_ne!(handlers.try_recv(), Ok(here));
}

/// Other systems do not give out a connection that is gone.
#[cfg(target_os = "linux")]
#[test]
fn a_client_that_resets_before_it_is_accepted_meets_a_handler() {
    use std::io::{ErrorKind, Read};
    use std::time::Duration;

    use socketserver::transports::socket2::SockRef;

    let (tell, told) = mpsc::channel();
    let service = stream_fn(|client: &mut Stream<TcpConnection>| {
        client.rfile.read_to_end(&mut Vec::new())?;
        Ok(())
    })
    .on_error(move |_, _, error| tell.send(error.io_kind()).unwrap());
    let mut server = TcpServer::bind(loopback(), service).unwrap();
    let client = connect(server.local_addr().unwrap());
    SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    assert!(matches!(handle(&mut server), Handled::Served));
    assert_eq!(told.try_recv(), Ok(Some(ErrorKind::ConnectionReset)));
}
