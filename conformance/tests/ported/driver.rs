//! CPython's `run_server`: a server of the class that echoes a line, three clients in turn, and what must
//! hold before and after.

use std::io::{BufRead, Write};
use std::thread;
use std::time::Duration;

use socketserver::Server;
use socketserver::core::{Concurrency, ServiceJob};
use socketserver::prelude::*;

/// Nothing takes this long: what waits longer is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const LINE: &[u8] = b"hello world\n";

/// Says a line back. An error of the handler ends a synchronous server, as CPython's `handle_error` here
/// raises again.
pub(crate) fn stream_echo<C: StreamRequest + 'static>() -> impl Service<C> + Send + Sync + 'static {
    stream_fn(|client: &mut Stream<C>| {
        let mut line = Vec::new();
        client.rfile.read_until(b'\n', &mut line)?;
        client.wfile.write_all(&line)?;
        Ok(())
    })
    .on_error(|_, client_address, error| panic!("{client_address:?}: {error}"))
}

/// The same for packets.
pub(crate) fn datagram_echo<R>() -> impl Service<R> + Send + Sync + 'static
where
    R: DatagramRequest + 'static,
{
    datagram_fn(|packet: &mut DatagramExchange<'_, R>| {
        let mut line = Vec::new();
        packet.rfile.read_until(b'\n', &mut line)?;
        packet.wfile.write_all(&line)?;
        Ok(())
    })
    .on_error(|_, client_address, error| panic!("{client_address:?}: {error}"))
}

/// Runs `server` in a thread of its own at CPython's poll interval, lets three clients talk to it, stops it and
/// closes it.
pub(crate) fn run_server<T, C, S>(
    mut server: Server<T, C, S>,
    client: impl Fn(&<T::Request as Request>::Addr),
) where
    T: Transport + Send,
    <T::Request as Request>::Addr: Send,
    S: Service<T::Request> + Send + Sync,
    C: Concurrency<ServiceJob<T::Request, S>> + Send,
{
    let address = server.local_addr().unwrap();
    let every = PollInterval::Every(Duration::from_millis(10));
    server.set_config(ServerConfig::new().poll_interval(every));
    let stop = StopOnDrop(server.shutdown_handle());
    thread::scope(|scope| {
        let serving = scope.spawn(|| server.serve_forever());
        for _ in 0..3 {
            client(&address);
        }
        stop.0.shutdown_timeout(PATIENCE).unwrap();
        assert_eq!(serving.join().unwrap().unwrap(), Ended::Shutdown);
    });
    server.close();
    // Python looks for a `fileno()` of -1; here the socket is not even there to be asked.
    assert!(server.transport().is_none());
    assert!(server.local_addr().is_err());
    let counts = server.counts();
    assert_eq!((counts.accepted, counts.served, counts.errors), (3, 3, 0));
}

/// Also when a client fails: nobody could wait for the server's thread otherwise.
struct StopOnDrop(ShutdownHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.request();
    }
}
