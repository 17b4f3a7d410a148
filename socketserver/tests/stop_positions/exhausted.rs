//! Stops while the server is out of descriptors, and rests.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::thread;

use socketserver::core::{Concurrency, GetRequestError, Readiness, ServiceJob, Wait, Waker};
use socketserver::prelude::*;

use crate::{WATCHDOG, wait_for};

/// A listener that can be waited for and not accepted from.
struct Barren(Tcp);

impl Transport for Barren {
    type Request = TcpConnection;

    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.0.wait(wait)
    }

    fn waker(&self) -> Waker {
        self.0.waker()
    }

    fn get_request(&self) -> Result<(TcpConnection, SocketAddr), GetRequestError> {
        Err(GetRequestError::Exhausted(io::Error::other("no descriptors")))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

fn nothing() -> impl Service<TcpConnection> + Send + Sync + 'static {
    stream_fn(|_: &mut Stream<TcpConnection>| Ok(()))
}

fn rests_and_stops<C, S>(name: &'static str, strategy: C, service: S)
where
    C: Concurrency<ServiceJob<TcpConnection, S>> + Send + 'static,
    S: Service<TcpConnection> + Send + Sync + 'static,
{
    let config = ServerConfig::new().poll_interval(PollInterval::Never);
    let server = Server::new(Barren(Tcp::bind("127.0.0.1:0").unwrap()), strategy, service);
    let mut server = server.with_config(config);
    let (stop, handle) = (server.shutdown_handle(), server.handle());
    let _client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
    let (done, awaited) = channel();
    thread::spawn(move || {
        let ended = server.serve_forever().unwrap();
        // Nobody may wait for it any more.
        let _ = done.send((ended, server.counts()));
    });
    wait_for(|| handle.counts().exhausted >= 5);
    assert_eq!(stop.shutdown_timeout(WATCHDOG), Ok(StopOrder::Delivered), "{name}");
    let (ended, counts) = awaited.recv_timeout(WATCHDOG).expect(name);
    assert_eq!((ended, counts.accepted), (Ended::Shutdown, 0), "{name}");
}

#[test]
fn while_out_of_descriptors() {
    rests_and_stops("one after another", Synchronous, nothing());
    rests_and_stops("a thread per request", ThreadPerRequest::new(), nothing());
    rests_and_stops("a pool", ThreadPool::new(2), nothing());
}
