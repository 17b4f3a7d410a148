//! The servers that every position is tried with.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use socketserver::Running;
use socketserver::prelude::*;

use crate::PATIENCE;
use crate::obey::{Orders, service};

/// What is to be done with a server before it serves.
type Before<'a> = &'a dyn Fn(&ShutdownHandle);

/// A server of one kind.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// Requests run in the serving thread, one after another.
    pub(crate) in_loop: bool,
    start: fn(&Arc<Orders>, Before<'_>) -> Site,
}

pub(crate) const SUBJECTS: &[Subject] = &[
    Subject { name: "one after another", in_loop: true, start: synchronous },
    Subject { name: "a thread per request", in_loop: false, start: threads },
    Subject { name: "a pool", in_loop: false, start: pool },
    #[cfg(unix)]
    Subject { name: "a thread per request, Unix", in_loop: false, start: unix::threads },
];

/// A client.
pub(crate) trait Client: Read + Write + Send {}

impl<T: Read + Write + Send> Client for T {}

/// A server in the background, whatever it is made of.
pub(crate) trait Started: Send {
    fn handle(&self) -> &ServerHandle;
    fn stop(self: Box<Self>) -> (Ended, Counts);
    fn drain(self: Box<Self>, how: Drain) -> (DrainReport, Counts);
}

impl<A: Send> Started for Running<A> {
    fn handle(&self) -> &ServerHandle {
        self.handle()
    }

    fn stop(self: Box<Self>) -> (Ended, Counts) {
        (*self).stop().unwrap()
    }

    fn drain(self: Box<Self>, how: Drain) -> (DrainReport, Counts) {
        (*self).drain(how).unwrap()
    }
}

/// A server that serves, and all that is needed to talk to it.
pub(crate) struct Site {
    pub(crate) server: Box<dyn Started>,
    pub(crate) stop: ShutdownHandle,
    connect: Box<dyn Fn() -> Option<Box<dyn Client>>>,
}

impl Subject {
    pub(crate) fn start(&self, orders: &Arc<Orders>) -> Site {
        self.start_after(orders, &|_| {})
    }

    /// The same, but before it serves its handle is given to `before`.
    pub(crate) fn start_after(&self, orders: &Arc<Orders>, before: Before<'_>) -> Site {
        (self.start)(orders, before)
    }
}

impl Site {
    pub(crate) fn connect(&self) -> Box<dyn Client> {
        (self.connect)().expect("the server listens")
    }

    pub(crate) fn refuses(&self) -> bool {
        (self.connect)().is_none()
    }

    /// A client that has said a line and heard it.
    pub(crate) fn client_saying(&self, line: &str) -> Box<dyn Client> {
        let mut client = self.connect();
        writeln!(client, "{line}").unwrap();
        let mut answer = vec![0; line.len() + 1];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer, format!("{line}\n").as_bytes());
        client
    }
}

/// Makes a site of `server`; `connect` gives nothing when there is nobody who listens.
fn site<V, A>(
    server: V,
    stop: ShutdownHandle,
    (orders, before): (&Arc<Orders>, Before<'_>),
    connect: impl Fn(&A) -> Option<Box<dyn Client>> + 'static,
) -> Site
where
    V: Spawn<Addr = A>,
    A: Clone + Send + 'static,
{
    before(&stop);
    let _ = orders.stop.set(stop.clone());
    let server = server.spawn().unwrap();
    let address = server.local_addr().clone();
    Site { server: Box::new(server), stop, connect: Box::new(move || connect(&address)) }
}

fn tcp(address: &SocketAddr) -> Option<Box<dyn Client>> {
    let client = std::net::TcpStream::connect(address).ok()?;
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    Some(Box::new(client))
}

fn synchronous(orders: &Arc<Orders>, before: Before<'_>) -> Site {
    let server = TcpServer::bind("127.0.0.1:0", service(orders)).unwrap();
    let stop = server.shutdown_handle();
    site(server, stop, (orders, before), tcp)
}

fn threads(orders: &Arc<Orders>, before: Before<'_>) -> Site {
    let threads = ThreadPerRequest::new().stack_size(128 * 1024);
    let server = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), threads, service(orders));
    let stop = server.shutdown_handle();
    site(server, stop, (orders, before), tcp)
}

fn pool(orders: &Arc<Orders>, before: Before<'_>) -> Site {
    let pool = ThreadPool::new(4).queue(2000);
    let server = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), pool, service(orders));
    let stop = server.shutdown_handle();
    site(server, stop, (orders, before), tcp)
}

#[cfg(unix)]
mod unix {
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::PATIENCE;
    use super::{Arc, Before, Client, Orders, Site, service, site};
    use socketserver::ThreadingUnixStreamServer;

    pub(super) fn threads(orders: &Arc<Orders>, before: Before<'_>) -> Site {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("stop_positions-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let server = ThreadingUnixStreamServer::bind(path.clone(), service(orders)).unwrap();
        let stop = server.shutdown_handle();
        site(server, stop, (orders, before), move |_| {
            let client = UnixStream::connect(&path).ok()?;
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            Some(Box::new(client) as Box<dyn Client>)
        })
    }
}
