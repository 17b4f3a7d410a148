//! The usual TCP servers: a transport and a strategy each, open for any service.

use std::net::TcpStream;

#[cfg(unix)]
use socketserver_concurrency::Fork;
use socketserver_concurrency::{LeaderPool, Synchronous, ThreadPerRequest, ThreadPool};
use socketserver_core::{Server, ServiceJob};
use socketserver_transports::{Connection, Tcp};

/// A TCP server that serves one client after another: CPython's `TCPServer`.
///
/// Made with [`Server::bind`]. Nothing of the service has to be `Send`, unless the server is moved to
/// another thread: then it has to be `Send` and `Sync`.
///
/// ```
/// use socketserver::prelude::*;
/// use std::cell::Cell;
///
/// let served = Cell::new(0);
/// let mut server = TcpServer::bind("127.0.0.1:0", stream_fn(|_client| {
///     served.set(served.get() + 1);
///     Ok(())
/// }))?;
/// let client = std::net::TcpStream::connect(server.local_addr()?)?;
/// assert!(matches!(server.handle_request()?, Handled::Served));
/// drop(server);
/// assert_eq!(served.get(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type TcpServer<S> = Server<Tcp, Synchronous, S>;

/// A TCP server with a thread for each client: CPython's `ThreadingTCPServer`.
///
/// Made with [`Server::bind`]; closing it waits for the threads. For threads that are not waited for,
/// use [`Server::new`] with [`ThreadPerRequest::daemon_threads`].
///
/// ```
/// use socketserver::prelude::*;
///
/// let server = ThreadingTcpServer::bind("127.0.0.1:0", stream_fn(|_client| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type ThreadingTcpServer<S> = Server<Tcp, ThreadPerRequest, S>;

/// A TCP server with a pool of threads. CPython has none.
///
/// [`Server::bind`] makes one with the default pool. For one with settings, use [`Server::new`]:
///
/// ```
/// use socketserver::prelude::*;
///
/// let pool = ThreadPool::new(8).queue(32).when_full(WhenFull::Refuse);
/// let service = stream_fn(|_client| Ok(())).on_refusal(|client: &mut TcpConnection, _address, _why| {
///     // Says why, if it can; the client may be gone.
///     let _ = client.send(b"busy\n");
/// });
/// let server = PoolTcpServer::new(Tcp::bind("127.0.0.1:0")?, pool, service);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type PoolTcpServer<S> = Server<Tcp, ThreadPool<ServiceJob<TcpConnection, S>>, S>;

/// A TCP server whose connections need no thread while they wait for their clients. CPython has none.
///
/// It is for handlers that are asked for [one request after another](socketserver_handlers::KeepAliveHandler); others hold
/// a thread each, as with a pool. [`Server::bind`] makes one with the default pool. For one with settings, use
/// [`Server::new`]:
///
/// ```
/// use socketserver::prelude::*;
/// use std::io::{BufRead, Write};
///
/// struct Upper;
///
/// impl KeepAliveHandler<TcpConnection> for Upper {
///     fn handle_one_request(&mut self, client: &mut Stream<TcpConnection>) -> Result<Next, HandlerError> {
///         let mut line = String::new();
///         client.rfile.read_line(&mut line)?;
///         client.wfile.write_all(line.to_uppercase().as_bytes())?;
///         Ok(Next::Keep)
///     }
/// }
///
/// let service = StreamService::new(|| KeepAlive(Upper));
/// let server = LeaderTcpServer::new(Tcp::bind("127.0.0.1:0")?, LeaderPool::new(100), service);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type LeaderTcpServer<S> = Server<Tcp, LeaderPool<ServiceJob<TcpConnection, S>>, S>;

/// A TCP server with a child process for each client: CPython's `ForkingTCPServer`. Unix only.
///
/// Made with [`Server::bind`]. It refuses requests while the process has other threads, see
/// [`Fork`].
///
/// ```
/// use socketserver::prelude::*;
///
/// let server = ForkingTcpServer::bind("127.0.0.1:0", stream_fn(|_client| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(unix)]
pub type ForkingTcpServer<S> = Server<Tcp, Fork, S>;

/// What a TCP server accepts: the request of its hooks, the connection of its handlers.
pub type TcpConnection = Connection<TcpStream>;
