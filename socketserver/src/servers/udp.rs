//! The usual UDP servers: each packet is a request.

use std::net::UdpSocket;

#[cfg(unix)]
use socketserver_concurrency::Fork;
use socketserver_concurrency::{Synchronous, ThreadPerRequest, ThreadPool};
use socketserver_core::{Server, ServiceJob};
use socketserver_transports::{Datagram, Udp};

/// A UDP server that serves one packet after another: CPython's `UDPServer`.
///
/// ```
/// use socketserver::prelude::*;
/// use std::io::Write;
///
/// let server = UdpServer::bind("127.0.0.1:0", datagram_fn(|packet| {
///     let upper = packet.packet().to_ascii_uppercase();
///     packet.wfile.write_all(&upper)?;
///     Ok(())
/// }))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type UdpServer<S> = Server<Udp, Synchronous, S>;

/// A UDP server with a thread for each packet: CPython's `ThreadingUDPServer`. Replies may overtake each
/// other.
///
/// ```
/// use socketserver::prelude::*;
///
/// let server = ThreadingUdpServer::bind("127.0.0.1:0", datagram_fn(|_packet| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type ThreadingUdpServer<S> = Server<Udp, ThreadPerRequest, S>;

/// A UDP server with a pool of threads. CPython has none.
///
/// ```
/// use socketserver::prelude::*;
///
/// let server = PoolUdpServer::bind("127.0.0.1:0", datagram_fn(|_packet| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type PoolUdpServer<S> = Server<Udp, ThreadPool<ServiceJob<UdpPacket, S>>, S>;

/// A UDP server with a child process for each packet: CPython's `ForkingUDPServer`. Unix only.
///
/// It refuses requests while the process has other threads, see [`Fork`].
///
/// ```
/// use socketserver::prelude::*;
///
/// let server = ForkingUdpServer::bind("127.0.0.1:0", datagram_fn(|_packet| Ok(())))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(unix)]
pub type ForkingUdpServer<S> = Server<Udp, Fork, S>;

/// What a UDP server receives: the request of its hooks and handlers.
pub type UdpPacket = Datagram<UdpSocket>;
