//! Tests 13 to 16, 26 and 27: stopping, closing, failing to begin, refusing, and what is kept of threads.

use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use socketserver::prelude::*;

use crate::driver::{LINE, PATIENCE, stream_echo};

const ADDRESS: &str = "127.0.0.1:0";

/// A `shutdown()` right after the start, so mostly before the loop: it must not be missed.
#[test]
fn test_shutdown() {
    let servers: Vec<_> = (0..20)
        .map(|_| {
            let every = PollInterval::Every(Duration::from_millis(10));
            let config = ServerConfig::new().poll_interval(every);
            let mut server = TcpServer::bind(ADDRESS, stream_echo()).unwrap().with_config(config);
            let stop = server.shutdown_handle();
            let (end, ended) = mpsc::channel();
            let thread = thread::spawn(move || {
                let result = server.serve_forever();
                server.close();
                let _ = end.send(());
                result
            });
            // It does not wait for a loop that has not begun; CPython's does.
            assert_ne!(stop.shutdown(), Ok(StopOrder::TooLate));
            (thread, ended)
        })
        .collect();
    for (thread, ended) in servers {
        ended.recv_timeout(PATIENCE).unwrap();
        assert_eq!(thread.join().unwrap().unwrap(), Ended::Shutdown);
    }
}

/// The threads of a server that has none can be waited for. CPython's handler class here is `lambda: None`, to
/// show that it is not looked at; here it must at least be one.
#[test]
fn test_close_immediately() {
    let mut server = ThreadingTcpServer::bind(ADDRESS, base_fn(|_| Ok(()))).unwrap();
    server.close();
    assert!(server.transport().is_none());
}

/// A constructor that fails leaves no socket open.
///
/// CPython asks for port -1, which fails when the socket is there already. Here such an address is turned down
/// before there is a socket, so that is done with an address that is taken.
#[test]
fn test_tcpserver_bind_leak() {
    let taken = TcpListener::bind(ADDRESS).unwrap();
    let address = taken.local_addr().unwrap();
    for _ in 0..1024 {
        assert!(TcpServer::bind("127.0.0.1:-1", stream_echo()).is_err());
        let error = TcpServer::bind(address, stream_echo()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");
    }
    #[cfg(unix)]
    {
        use std::os::fd::AsRawFd;

        // A new descriptor has the lowest number that is free.
        let next = TcpListener::bind(ADDRESS).unwrap();
        assert!(next.as_raw_fd() < 1024, "{}", next.as_raw_fd());
    }
}

/// The end of Python's `with` is the end of a scope here. A client in the backlog learns that nobody
/// listens any more, whoever has the port next.
#[test]
fn test_context_manager() {
    let mut waiting = {
        let server = TcpServer::bind(ADDRESS, stream_echo()).unwrap();
        TcpStream::connect(server.local_addr().unwrap()).unwrap()
    };
    waiting.set_read_timeout(Some(PATIENCE)).unwrap();
    match waiting.read(&mut [0]) {
        Ok(read) => assert_eq!(read, 0),
        Err(error) => {
            let kinds = [ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted];
            assert!(kinds.contains(&error.kind()), "{error}");
        }
    }
}

/// Says no to everybody, and counts the goodbyes.
#[derive(Default)]
struct Refuse(Arc<AtomicU32>);

impl Service<TcpConnection> for Refuse {
    fn finish_request(
        &self,
        _: &mut TcpConnection,
        _: &std::net::SocketAddr,
        _: &ServerHandle,
    ) -> HandlerResult {
        panic!("it was refused");
    }

    fn verify_request(&self, _: &TcpConnection, _: &std::net::SocketAddr) -> bool {
        false
    }

    fn shutdown_request(&self, request: TcpConnection) {
        self.0.fetch_add(1, Ordering::Relaxed);
        self.close_request(request);
    }
}

#[test]
fn test_shutdown_request_called_if_verify_request_false() {
    let service = Refuse::default();
    let goodbyes = Arc::clone(&service.0);
    let mut server = TcpServer::bind(ADDRESS, service).unwrap();
    let _client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
    assert!(matches!(server.handle_request().unwrap(), Handled::Refused));
    assert_eq!(goodbyes.load(Ordering::Relaxed), 1);
}

/// Threads that have ended are not kept until the server is closed.
#[test]
fn test_threads_reaped() {
    let mut server = ThreadingTcpServer::bind(ADDRESS, stream_echo()).unwrap();
    let address = server.local_addr().unwrap();
    let stop = server.shutdown_handle();
    thread::scope(|scope| {
        let serving = scope.spawn(|| server.serve_forever());
        for _ in 0..10 {
            let mut client = TcpStream::connect(address).unwrap();
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            std::io::Write::write_all(&mut client, LINE).unwrap();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).unwrap();
            assert_eq!(answer, LINE);
        }
        stop.shutdown().unwrap();
        serving.join().unwrap().unwrap();
    });
    // CPython is content with fewer than ten threads. A client sees its end a moment before the thread is
    // through; then none is left, though nobody has closed the server.
    let deadline = Instant::now() + PATIENCE;
    while server.concurrency().live_threads() > 0 {
        assert!(Instant::now() < deadline, "ended threads are kept");
        thread::yield_now();
    }
    assert_eq!(server.counts().served, 10);
}
