//! Tests 17 to 20: which failures of a handler reach `handle_error`. Python tells by the class, `Exception`
//! or not; here a failure is an error, a panic or the wish to exit.

use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use socketserver::Server;
use socketserver::concurrency::ThreadPerRequest;
use socketserver::core::{Concurrency, ServiceJob};
use socketserver::prelude::*;
use socketserver::{HandlerError, transports::Tcp};

const HANDLED: &str = "Handler called\nError handled\n";
const NOT_HANDLED: &str = "Handler called\n";

/// Lets one client come to a server of this strategy whose handler fails with what `fail` makes. Gives what
/// was written down, and what `handle_request` said.
fn one_failure<C>(concurrency: C, fail: fn() -> HandlerError) -> (String, Handled)
where
    C: Concurrency<ServiceJob<TcpConnection, Writer>>,
{
    let book = Arc::new(Mutex::new(String::new()));
    let writer = Writer { book: Arc::clone(&book), fail };
    let mut server = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), concurrency, writer);
    let _client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
    let handled = server.handle_request().unwrap();
    // Waits for the worker.
    server.close();
    let written = book.lock().unwrap().clone();
    (written, handled)
}

/// CPython's handler writes into a file, for it may run in another process.
struct Writer {
    book: Arc<Mutex<String>>,
    fail: fn() -> HandlerError,
}

impl Service<TcpConnection> for Writer {
    fn finish_request(
        &self,
        _: &mut TcpConnection,
        _: &std::net::SocketAddr,
        _: &ServerHandle,
    ) -> HandlerResult {
        self.book.lock().unwrap().push_str("Handler called\n");
        Err((self.fail)())
    }

    fn handle_error(&self, _: &mut TcpConnection, _: &std::net::SocketAddr, _: HandlerError) {
        self.book.lock().unwrap().push_str("Error handled\n");
    }
}

/// Python's `ValueError`.
fn value_error() -> HandlerError {
    "a value error".into()
}

/// Python's `SystemExit(1)`.
fn system_exit() -> HandlerError {
    HandlerError::exit(1)
}

#[test]
fn test_sync_handled() {
    let (written, handled) = one_failure(Synchronous, value_error);
    assert_eq!(written, HANDLED);
    assert!(matches!(handled, Handled::Served));
}

/// What comes out of `handle_request` as an exception there is what it returns here.
#[test]
fn test_sync_not_handled() {
    let (written, handled) = one_failure(Synchronous, system_exit);
    assert_eq!(written, NOT_HANDLED);
    assert!(matches!(handled, Handled::Exited(exit) if exit.code() == 1));
}

#[test]
fn test_threading_handled() {
    let (written, handled) = one_failure(ThreadPerRequest::new(), value_error);
    assert_eq!(written, HANDLED);
    assert!(matches!(handled, Handled::Started));
}

/// In Python the `SystemExit` then meets the thread's hook for uncaught exceptions. Here it is a value that
/// ends with its request: it must not come out of the serving verb, nor unwind.
#[test]
fn test_threading_not_handled() {
    let (written, handled) = one_failure(ThreadPerRequest::new(), system_exit);
    assert_eq!(written, NOT_HANDLED);
    assert!(matches!(handled, Handled::Started));
}
