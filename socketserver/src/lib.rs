//! Network servers in plain blocking code: CPython's `socketserver`, for Rust.
//!
//! Choose where requests come from, how they run side by side, and write what happens to one:
//!
//! ```no_run
//! use socketserver::prelude::*;
//! use std::io::{BufRead, Write};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let service = stream_fn(|client| {
//!         let mut line = Vec::new();
//!         client.rfile.read_until(b'\n', &mut line)?;
//!         line.make_ascii_uppercase();
//!         client.wfile.write_all(&line)?;
//!         Ok(())
//!     });
//!     let mut server = ThreadingTcpServer::bind("127.0.0.1:9999", service)?;
//!     eprintln!("listening on {}", server.local_addr()?);
//!     server.serve_forever()?;
//!     Ok(())
//! }
//! ```
//!
//! # The three choices
//!
//! - **Where requests come from**, module [`transports`]: [`Tcp`](transports::Tcp),
//!   [`Udp`](transports::Udp); on Unix also stream, datagram and sequenced-packet sockets with names.
//! - **How they run side by side**, module [`concurrency`]:
//!   [`Synchronous`](concurrency::Synchronous), one after another;
//!   [`ThreadPerRequest`](concurrency::ThreadPerRequest); [`ThreadPool`](concurrency::ThreadPool), as many as
//!   there are workers; [`LeaderPool`](concurrency::LeaderPool), for many connections that wait for their next request; on Unix `Fork`, a child process each, and `PreFork`, worker processes. [A table](concurrency#which-one) helps to choose.
//! - **What happens to one**, module [`handlers`]: a closure ([`stream_fn`](handlers::stream_fn),
//!   [`datagram_fn`](handlers::datagram_fn), [`base_fn`](handlers::base_fn)) or a type
//!   ([`StreamRequestHandler`](handlers::StreamRequestHandler),
//!   [`DatagramRequestHandler`](handlers::DatagramRequestHandler),
//!   [`BaseRequestHandler`](handlers::BaseRequestHandler)), made anew for each request.
//!
//! [`Server`] is the product of the three. [`TcpServer`], [`ThreadingTcpServer`], [`PoolTcpServer`], [`UdpServer`]
//! and so on are the usual products, with CPython's names where it has them; any other is made with
//! [`Server::builder`], or [`Server::new`]:
//!
//! ```
//! use socketserver::prelude::*;
//!
//! let server = Server::builder()
//!     .transport(Tcp::options().nodelay(true).bind("127.0.0.1:0")?)
//!     .concurrency(ThreadPerRequest::new().name("echo").daemon_threads(true))
//!     .service(stream_fn(|client: &mut Stream<TcpConnection>| {
//!         std::io::copy(&mut client.rfile, &mut client.wfile)?;
//!         Ok(())
//!     }))
//!     .poll_interval(PollInterval::Never)
//!     .build();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What does not fit together does not compile; the module [`combinations`] shows what the compiler says then.
//!
//! # Stopping
//!
//! A [`ShutdownHandle`] stops the server from any thread, at once. Then [`Server::close`], or
//! dropping the server, closes the listener and waits for the workers. Workers wait for their clients: a
//! server that must end although a client is connected uses
//! [daemon threads](concurrency::ThreadPerRequest::daemon_threads).
//!
//! A stop with a deadline that says what it did is [`Server::drain`]; with the feature `signals` that is what `SIGTERM` and Ctrl-C
//! do.
//!
//! A server in a test, or in a program that does something else, is one that is [spawned](Spawn); by
//! hand that is:
//!
//! ```
//! use socketserver::prelude::*;
//!
//! let mut server = ThreadingTcpServer::bind("127.0.0.1:0", stream_fn(|_client| Ok(())))?;
//! let stop = server.shutdown_handle();
//! let thread = std::thread::spawn(move || server.serve_forever());
//! stop.shutdown()?;
//! thread.join().unwrap()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Hooks
//!
//! A hook of the server is replaced by a closure ([`ServiceExt`]) or, for full control, by a type of your own
//! that implements [`Service`]:
//!
//! ```
//! use socketserver::prelude::*;
//!
//! let service = stream_fn(|_client| Ok(()))
//!     .verify(|_: &TcpConnection, client_address| client_address.ip().to_canonical().is_loopback())
//!     .on_error(|_connection, client_address, error| {
//!         if !error.is_disconnect() {
//!             error.report(client_address);
//!         }
//!     });
//! let server = TcpServer::bind("127.0.0.1:0", service)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//!
//! How many requests may be in progress, how fast they may come, how many from each address, and who is let in at all; what
//! happens to the others, and what they are told. All of it can be changed while the server runs.
//!
//! ```
//! use socketserver::prelude::*;
//!
//! let service = stream_fn(|_client| Ok(())).on_refusal(|client: &mut TcpConnection, _address, why| {
//!     // The client may be gone.
//!     let _ = client.send(format!("sorry: {why}\n").as_bytes());
//! });
//! let limits = ServerConfig::new()
//!     .max_connections(1000)
//!     .accept_rate(AcceptRate::per_second(200))
//!     .at_limit(AtLimit::Refuse);
//! let neighbours: AddressList = "deny 192.0.2.0/24".parse()?;
//! let transport = Tcp::options().reserve_descriptor(true).bind("127.0.0.1:0")?;
//! let server = ThreadingTcpServer::with_transport(transport, service)
//!     .with_config(limits)
//!     .with_admission(neighbours.clone())
//!     .with_admission(PerSource::new(20));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When the compiler asks for types
//!
//! A closure that does more with its client than read and write has to name it:
//!
//! ```
//! use socketserver::prelude::*;
//! use std::io::Write;
//!
//! let service = stream_fn(|client: &mut Stream<TcpConnection>| {
//!     writeln!(client.wfile, "you are {}", client.client_address.ip())?;
//!     Ok(())
//! });
//! let server = TcpServer::bind("127.0.0.1:0", service)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `rayon`: `concurrency::RayonPool`, a pool for handlers that compute.
//! - `signals`: `signals`, `SIGTERM` and `SIGINT` drain a server.
//! - `tracing`: `observe::TracingObserver`, a span for each connection.
//! - `metrics`: `observe::MetricsObserver`, counters and gauges under stable names.
//!
//! # Platforms
//!
//! Linux, macOS, FreeBSD and Windows; differences are told under *Platform notes* where there are any.

#[doc(inline)]
pub use socketserver_concurrency as concurrency;
#[doc(inline)]
pub use socketserver_core as core;
#[doc(inline)]
pub use socketserver_handlers as handlers;
#[doc(inline)]
pub use socketserver_transports as transports;

#[doc(no_inline)]
pub use socketserver_core::{
    AcceptRate, Admission, AtLimit, Backlog, ConnectionId, ConnectionInfo, ConnectionState, Counts,
    CutReason, Cuts, Deadline, Deadlines, Drain, DrainReport, Ended, Exit, Handled, HandlerError,
    HandlerResult, OnDrain, Permit, PollInterval, Refusal, ServeError, Server, ServerConfig,
    ServerHandle, Service, ServiceExt, ShutdownError, ShutdownHandle, StopOrder, TurnedAway,
};

/// The programs of the README, so that they compile.
#[cfg(all(doctest, feature = "signals"))]
#[doc = include_str!("../../README.md")]
struct Readme;

pub mod combinations;
pub mod observe;
pub mod prelude;
mod servers;
#[cfg(feature = "signals")]
pub mod signals;
mod spawn;

pub use servers::*;
pub use spawn::{Running, Spawn};
