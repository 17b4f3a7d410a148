//! The usual servers on Unix sockets. Dropping one removes its socket file.

use std::os::unix::net;

use socketserver_concurrency::{Fork, LeaderPool, Synchronous, ThreadPerRequest, ThreadPool};
use socketserver_core::{Server, ServiceJob};
use socketserver_transports::{Connection, Datagram, UnixDatagram, UnixStream};

/// A server on a Unix stream socket that serves one client after another: CPython's `UnixStreamServer`.
///
/// ```
/// use socketserver::prelude::*;
///
/// let path = std::env::temp_dir().join(format!("UnixStreamServer-{}", std::process::id()));
/// let server = UnixStreamServer::bind(path, stream_fn(|_client| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type UnixStreamServer<S> = Server<UnixStream, Synchronous, S>;

/// A server on a Unix stream socket with a thread for each client: CPython's `ThreadingUnixStreamServer`.
///
/// ```
/// use socketserver::prelude::*;
///
/// let path = std::env::temp_dir().join(format!("ThreadingUnixStreamServer-{}", std::process::id()));
/// let server = ThreadingUnixStreamServer::bind(path, stream_fn(|_client| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type ThreadingUnixStreamServer<S> = Server<UnixStream, ThreadPerRequest, S>;

/// A server on a Unix stream socket with a child process for each client: CPython's `ForkingUnixStreamServer`, new in 3.12.
///
/// It refuses requests while the process has other threads, see [`Fork`].
///
/// ```
/// use socketserver::prelude::*;
///
/// let path = std::env::temp_dir().join(format!("ForkingUnixStreamServer-{}", std::process::id()));
/// let server = ForkingUnixStreamServer::bind(path, stream_fn(|_client| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type ForkingUnixStreamServer<S> = Server<UnixStream, Fork, S>;

/// A server on a Unix stream socket with a pool of threads. CPython has none.
///
/// ```
/// use socketserver::prelude::*;
///
/// let path = std::env::temp_dir().join(format!("PoolUnixStreamServer-{}", std::process::id()));
/// let server = PoolUnixStreamServer::bind(path, stream_fn(|_client| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type PoolUnixStreamServer<S> = Server<UnixStream, ThreadPool<ServiceJob<UnixConnection, S>>, S>;

/// A server on a Unix stream socket whose connections need no thread while they wait for their clients. CPython has none.
///
/// ```
/// use socketserver::prelude::*;
///
/// let path = std::env::temp_dir().join(format!("LeaderUnixStreamServer-{}", std::process::id()));
/// let server = LeaderUnixStreamServer::bind(path, stream_fn(|_client| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type LeaderUnixStreamServer<S> =
    Server<UnixStream, LeaderPool<ServiceJob<UnixConnection, S>>, S>;

/// A server on a Unix datagram socket that serves one packet after another: CPython's `UnixDatagramServer`.
///
/// ```
/// use socketserver::prelude::*;
///
/// let path = std::env::temp_dir().join(format!("UnixDatagramServer-{}", std::process::id()));
/// let server = UnixDatagramServer::bind(path, datagram_fn(|_packet| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type UnixDatagramServer<S> = Server<UnixDatagram, Synchronous, S>;

/// A server on a Unix datagram socket with a thread for each packet: CPython's `ThreadingUnixDatagramServer`.
///
/// ```
/// use socketserver::prelude::*;
///
/// let path = std::env::temp_dir().join(format!("ThreadingUnixDatagramServer-{}", std::process::id()));
/// let server = ThreadingUnixDatagramServer::bind(path, datagram_fn(|_packet| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type ThreadingUnixDatagramServer<S> = Server<UnixDatagram, ThreadPerRequest, S>;

/// A server on a Unix datagram socket with a child process for each packet: CPython's `ForkingUnixDatagramServer`, new in 3.12.
///
/// It refuses requests while the process has other threads, see [`Fork`].
///
/// ```
/// use socketserver::prelude::*;
///
/// let path = std::env::temp_dir().join(format!("ForkingUnixDatagramServer-{}", std::process::id()));
/// let server = ForkingUnixDatagramServer::bind(path, datagram_fn(|_packet| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type ForkingUnixDatagramServer<S> = Server<UnixDatagram, Fork, S>;

/// A server on a Unix datagram socket with a pool of threads. CPython has none.
///
/// ```
/// use socketserver::prelude::*;
///
/// let path = std::env::temp_dir().join(format!("PoolUnixDatagramServer-{}", std::process::id()));
/// let server = PoolUnixDatagramServer::bind(path, datagram_fn(|_packet| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type PoolUnixDatagramServer<S> = Server<UnixDatagram, ThreadPool<ServiceJob<UnixPacket, S>>, S>;

/// What a server on a Unix stream socket accepts: the request of its hooks, the connection of its
/// handlers.
pub type UnixConnection = Connection<net::UnixStream>;

/// What a server on a Unix datagram socket receives: the request of its hooks and handlers.
pub type UnixPacket = Datagram<net::UnixDatagram>;
