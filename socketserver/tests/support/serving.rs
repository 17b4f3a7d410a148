//! A server that serves in a thread while its clients do what they do.

use std::net::SocketAddr;
use std::thread;

use socketserver::core::{Concurrency, ServiceJob};
use socketserver::prelude::*;
use socketserver::{Server, transports::Tcp};

/// Runs `clients` while the server serves, then stops it.
pub(crate) fn serving<C, S, R>(
    server: &mut Server<Tcp, C, S>,
    clients: impl FnOnce(SocketAddr) -> R,
) -> R
where
    S: Service<TcpConnection> + Send + Sync,
    C: Concurrency<ServiceJob<TcpConnection, S>> + Send,
{
    let address = server.local_addr().unwrap();
    let stop = StopOnDrop(server.shutdown_handle());
    thread::scope(|scope| {
        let serving = scope.spawn(|| server.serve_forever());
        let result = clients(address);
        drop(stop);
        assert_eq!(serving.join().unwrap().unwrap(), Ended::Shutdown);
        result
    })
}

/// Also when a client fails: nobody could wait for the server's thread otherwise.
struct StopOnDrop(ShutdownHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.request();
    }
}
