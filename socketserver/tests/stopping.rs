//! Stopping and closing over real sockets: who is still served, who waits, what is waited for.

#![cfg(test)]

mod support;

use std::io::{BufRead, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use socketserver::Server;
use socketserver::concurrency::ThreadPerRequest;
use socketserver::core::{Concurrency, Dispatched, Job, Listener, Rejected, ServeError, StopOrder};
use socketserver::prelude::*;
use socketserver::transports::Tcp;
use support::{PATIENCE, connect, read_to_end};

const ADDRESS: &str = "127.0.0.1:0";

/// Says a line back; at `stop` it stops the server, waits for that and says how it went.
fn obey(client: &mut Stream<TcpConnection>) -> HandlerResult {
    let mut line = String::new();
    client.rfile.read_line(&mut line)?;
    if line == "stop\n" {
        let stop = client.server.shutdown_handle().shutdown();
        write!(client.wfile, "{stop:?}")?;
    } else {
        client.wfile.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// A client that has sent a line.
fn client_saying(line: &str, address: SocketAddr) -> TcpStream {
    let mut client = connect(address);
    client.write_all(line.as_bytes()).unwrap();
    client
}

#[test]
fn another_thread_stops_a_server_that_sleeps() {
    let config = ServerConfig::new().poll_interval(PollInterval::Never);
    let mut server = TcpServer::bind(ADDRESS, stream_fn(obey)).unwrap().with_config(config);
    let address = server.local_addr().unwrap();
    let stop = server.shutdown_handle();
    thread::scope(|scope| {
        let serving = scope.spawn(|| server.serve_forever());
        // Answered, so the server serves; stopped before anything is checked, so that nobody waits for it
        // in vain.
        let answer = read_to_end(&client_saying("hello\n", address));
        let stopped = stop.shutdown();
        assert_eq!(serving.join().unwrap().unwrap(), Ended::Shutdown);
        assert_eq!((answer.as_str(), stopped), ("hello\n", Ok(StopOrder::Delivered)));
    });
    assert_eq!(stop.shutdown(), Ok(StopOrder::TooLate));
}

#[test]
fn a_synchronous_handler_stops_its_server_but_cannot_wait_for_that() {
    let mut server = TcpServer::bind(ADDRESS, stream_fn(obey)).unwrap();
    let client = client_saying("stop\n", server.local_addr().unwrap());
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(read_to_end(&client), "Err(FromServingThread)");
}

#[test]
fn a_threaded_handler_stops_its_server_and_waits_for_that() {
    let mut server = ThreadingTcpServer::bind(ADDRESS, stream_fn(obey)).unwrap();
    let client = client_saying("stop\n", server.local_addr().unwrap());
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(read_to_end(&client), "Ok(Delivered)");
}

#[test]
fn who_comes_after_the_stop_is_served_by_the_next_run() {
    let mut server = TcpServer::bind(ADDRESS, stream_fn(obey)).unwrap();
    let address = server.local_addr().unwrap();
    // All are there before the first is served: the stop of the first is a stop for the others.
    let clients = [
        client_saying("stop\n", address),
        client_saying("hello\n", address),
        client_saying("stop\n", address),
    ];
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(server.counts().accepted, 1);
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(server.counts().accepted, 3);
    let answers = clients.iter().map(read_to_end).collect::<Vec<_>>();
    assert_eq!(answers, ["Err(FromServingThread)", "hello\n", "Err(FromServingThread)"]);
}

#[test]
fn who_connects_between_two_runs_waits_for_the_second() {
    let mut server = TcpServer::bind(ADDRESS, stream_fn(obey)).unwrap();
    let address = server.local_addr().unwrap();
    let first = client_saying("stop\n", address);
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(read_to_end(&first), "Err(FromServingThread)");

    let waiting = ["one\n", "two\n"].map(|line| client_saying(line, address));
    let last = client_saying("stop\n", address);
    assert_eq!(server.counts().accepted, 1);
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(waiting.map(|client| read_to_end(&client)), ["one\n", "two\n"]);
    assert_eq!(read_to_end(&last), "Err(FromServingThread)");
}

#[test]
fn a_stop_before_the_first_run_ends_it_at_once() {
    let mut server = TcpServer::bind(ADDRESS, stream_fn(obey)).unwrap();
    let _waiting = client_saying("hello\n", server.local_addr().unwrap());
    assert_eq!(server.shutdown_handle().shutdown(), Ok(StopOrder::Kept));
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(server.counts().accepted, 0);
}

#[test]
fn a_closed_server_does_not_serve() {
    let mut server = TcpServer::bind(ADDRESS, stream_fn(obey)).unwrap();
    server.close();
    server.close();
    assert!(matches!(server.serve_forever(), Err(ServeError::Closed)));
    assert!(matches!(server.handle_request(), Err(ServeError::Closed)));
    assert_eq!(server.shutdown_handle().shutdown(), Ok(StopOrder::TooLate));
}

/// Where a handler says that it has begun, waits to be let go on, and then says `done`.
struct Gate {
    begun: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl Gate {
    fn new() -> (Self, Receiver<()>, Sender<()>) {
        let (begun, has_begun) = mpsc::channel();
        let (let_go_on, go_on) = mpsc::channel();
        (Self { begun, go_on: Mutex::new(go_on) }, has_begun, let_go_on)
    }

    fn pass(&self, client: &mut Stream<TcpConnection>) -> HandlerResult {
        self.begun.send(())?;
        self.go_on.lock().unwrap().recv_timeout(PATIENCE)?;
        client.wfile.write_all(b"done")?;
        Ok(())
    }
}

/// Threads that say when the server begins to wait for them.
struct Announced {
    threads: ThreadPerRequest,
    closing: Sender<()>,
}

impl<J: Job + Send + 'static> Concurrency<J> for Announced {
    fn process_request(
        &self,
        job: J,
        listener: &mut dyn Listener,
    ) -> Result<Dispatched, Rejected<J>> {
        self.threads.process_request(job, listener)
    }

    fn server_close(&self) {
        let _ = self.closing.send(());
        Concurrency::<J>::server_close(&self.threads);
    }
}

#[test]
fn closing_waits_for_the_worker_in_progress_and_does_not_cut_it() {
    let (gate, has_begun, let_go_on) = Gate::new();
    let (closing, has_begun_to_close) = mpsc::channel();
    let threads = Announced { threads: ThreadPerRequest::new(), closing };
    let service = stream_fn(move |client| gate.pass(client));
    let mut server = Server::new(Tcp::bind(ADDRESS).unwrap(), threads, service);
    let client = connect(server.local_addr().unwrap());
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    has_begun.recv_timeout(PATIENCE).unwrap();

    let let_go = AtomicBool::new(false);
    thread::scope(|scope| {
        let close = scope.spawn(|| {
            server.close();
            // Did it wait?
            assert!(let_go.load(Ordering::SeqCst));
            server.counts()
        });
        has_begun_to_close.recv_timeout(PATIENCE).unwrap();
        let_go.store(true, Ordering::SeqCst);
        let_go_on.send(()).unwrap();
        let counts = close.join().unwrap();
        assert_eq!((counts.served, counts.errors), (1, 0));
    });
    assert_eq!(read_to_end(&client), "done");
}

#[test]
fn closing_does_not_wait_for_daemon_threads_and_does_not_cut_them() {
    let (gate, has_begun, let_go_on) = Gate::new();
    let threads = ThreadPerRequest::new().daemon_threads(true);
    let service = stream_fn(move |client| gate.pass(client));
    let mut server = Server::new(Tcp::bind(ADDRESS).unwrap(), threads, service);
    let client = connect(server.local_addr().unwrap());
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    has_begun.recv_timeout(PATIENCE).unwrap();
    server.close();
    assert_eq!(server.counts().in_progress(), 1);
    drop(server);
    let_go_on.send(()).unwrap();
    assert_eq!(read_to_end(&client), "done");
}

#[test]
fn dropping_the_server_frees_the_port() {
    let mut server = ThreadingTcpServer::bind(ADDRESS, stream_fn(obey)).unwrap();
    let address = server.local_addr().unwrap();
    let client = client_saying("hello\n", address);
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    assert_eq!(read_to_end(&client), "hello\n");
    drop(client);
    // A handle that lives on does not keep the port.
    let stop = server.shutdown_handle();
    assert!(Tcp::bind(address).is_err());
    drop(server);
    let again = Tcp::bind(address).unwrap();
    assert_eq!(again.local_addr().unwrap(), address);
    assert_eq!(stop.request(), StopOrder::TooLate);
}
