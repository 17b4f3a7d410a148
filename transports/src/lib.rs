//! Where requests come from: sockets, behind the [`Transport`](socketserver_core::Transport) contract.
//!
//! | transport | a request is | its address | CPython |
//! |---|---|---|---|
//! | [`Tcp`] | a [`Connection`] | [`SocketAddr`](std::net::SocketAddr) | `TCPServer` |
//! | [`Udp`] | a [`Datagram`] | [`SocketAddr`](std::net::SocketAddr) | `UDPServer` |
//! | `UnixStream` | a [`Connection`] | `UnixAddr` | `UnixStreamServer` |
//! | `UnixDatagram` | a [`Datagram`] | `UnixAddr` | `UnixDatagramServer` |
//! | `UnixSeqpacket` | a [`Connection`] of whole messages | `UnixAddr` | none |
//!
//! All have the same doors: `bind` with the default options, `options()` for a builder that binds or
//! [adopts](TcpOptions::adopt) an existing socket, `From` the sockets of the standard library. A name
//! is resolved and each of its addresses tried. Those with `Unix` in their names exist on Unix only.
//!
//! A transport here knows sockets and nothing of handlers, strategies or the loop that uses it.
//!
//! # Example
//!
//! ```
//! use socketserver_core::Transport;
//! use socketserver_transports::Tcp;
//!
//! let tcp = Tcp::options().backlog(16).bind("127.0.0.1:0")?;
//! assert_ne!(tcp.local_addr()?.port(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How a wait ends
//!
//! A transport waits in one system call, `poll` (`WSAPoll` on Windows), for two things: the
//! listening socket and a second socket that only a [`Waker`](socketserver_core::Waker) writes to. So
//! it sleeps without any interval and stops at once. The second socket exists from the first wait until the
//! transport is dropped; it costs two descriptors (Unix: a socket pair) or one socket (Windows: a
//! datagram socket on the loopback address that talks to itself).
//!
//! The listening socket is non-blocking, so that a connection which vanished before it was accepted does
//! not hang the loop. Accepted sockets are blocking. So is the socket of `UnixDatagram`, which is asked
//! for packets in a way that does not block: only a send that blocks can wait for a client's full queue.
//!
//! # Who is let in
//!
//! [`PerSource`] limits how many requests an address or a network has at a time, `PerUser` how many connections a user of
//! this machine has on a Unix socket, [`AddressList`] allows and denies networks. A server is given them with
//! [`with_admission`](socketserver_core::Server::with_admission).
//!
//! # Public dependencies
//!
//! The hooks on the raw socket ([`TcpOptions::before_bind`], [`TcpOptions::before_listen`]) show a
//! [`socket2::Socket`], an [`AddressList`] takes [`ipnet::IpNet`]; both crates are re-exported here.

mod accept;
mod admission;
mod ahead;
mod bind;
mod buffers;
mod connection;
mod connection_io;
mod datagram;
mod error;
mod in_time;
mod ip_options;
#[cfg_attr(
    any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "netbsd"),
    path = "many/recvmmsg.rs"
)]
#[cfg_attr(
    not(any(
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_os = "netbsd"
    )),
    path = "many/none.rs"
)]
mod many;
mod options;
mod packets;
mod reserve;
mod stream_socket;
#[cfg_attr(unix, path = "sys/unix.rs")]
#[cfg_attr(windows, path = "sys/windows.rs")]
mod sys;
mod tcp;
mod tcp_socket;
mod udp;
mod udp_options;
#[cfg(unix)]
mod unix;
mod wait;

#[doc(hidden)]
pub use accept::sort_accept_error;
#[cfg(unix)]
pub use admission::PerUser;
pub use admission::{AddressList, AddressListError, PerSource};
pub use connection::Connection;
pub use datagram::{Datagram, DatagramSocket};
pub use error::{BindError, BindStep};
pub use ip_options::Ipv6;
pub use ipnet;
pub use options::TcpOptions;
pub use socket2;
pub use stream_socket::StreamSocket;
pub use tcp::{BoundTcp, Tcp};
pub use udp::Udp;
pub use udp_options::UdpOptions;
#[cfg(unix)]
pub use unix::{
    BoundUnix, PeerCredentials, StaleSocket, UnixAddr, UnixDatagram, UnixListening, UnixName,
    UnixOptions, UnixSocket, UnixStream, UnixTransport,
};
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub use unix::{SeqpacketSocket, UnixSeqpacket};
