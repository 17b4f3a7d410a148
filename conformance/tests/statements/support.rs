//! Clients that never hang, addresses of their own, a service that writes down its hooks.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socketserver::core::{Concurrency, ServiceJob};
use socketserver::prelude::*;

/// Nothing takes this long: what waits longer is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Some port of a loopback address that no other test uses, where there are several: a port that was closed
/// is not taken by another test.
pub(crate) fn loopback() -> (Ipv4Addr, u16) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    if cfg!(any(target_os = "linux", windows)) {
        let [_, _, high, low] = process::id().to_be_bytes();
        let last = 1 + u8::try_from(NEXT.fetch_add(1, Ordering::Relaxed) % 250).unwrap();
        (Ipv4Addr::new(127, 1 + high % 250, low, last), 0)
    } else {
        (Ipv4Addr::LOCALHOST, 0)
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.set_write_timeout(Some(PATIENCE)).unwrap();
    client
}

/// All that the server still sends, up to a clean end.
pub(crate) fn read_to_end(mut client: &TcpStream) -> String {
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    text
}

/// A client that sends packets to this address and takes replies from it only.
pub(crate) fn packets_to(address: SocketAddr) -> UdpSocket {
    let client = UdpSocket::bind(loopback()).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.connect(address).unwrap();
    client
}

pub(crate) fn packet(client: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 1000];
    let length = client.recv(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

/// Handles a request that will come.
pub(crate) fn handle<T, C, S>(server: &mut Server<T, C, S>) -> Handled
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    server.set_config(server.config().timeout(PATIENCE));
    server.handle_request().unwrap()
}

/// The hooks that were called, by their short names in traces. Clones are the same list.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<&'static str>>>);

impl Calls {
    /// Those since the last time this was asked.
    pub(crate) fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(" ")
    }

    fn note(&self, hook: &'static str) {
        self.0.lock().unwrap().push(hook);
    }
}

/// A service around another one that writes down which hooks are called. It keeps quiet about errors.
pub(crate) struct Recorded<S>(pub(crate) S, pub(crate) Calls);

impl<R: Request, S: Service<R>> Service<R> for Recorded<S> {
    fn finish_request(
        &self,
        request: &mut R,
        client: &R::Addr,
        server: &ServerHandle,
    ) -> HandlerResult {
        self.1.note("FR");
        self.0.finish_request(request, client, server)
    }

    fn verify_request(&self, request: &R, client: &R::Addr) -> bool {
        self.1.note("VR");
        self.0.verify_request(request, client)
    }

    fn handle_error(&self, _: &mut R, _: &R::Addr, _: HandlerError) {
        self.1.note("HE");
    }

    fn shutdown_request(&self, request: R) {
        self.1.note("SR");
        request.say_goodbye();
        self.close_request(request);
    }

    fn close_request(&self, request: R) {
        self.1.note("CR");
        self.0.close_request(request);
    }
}
