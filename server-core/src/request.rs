//! What a request is to the rest of the system: a thing with a client's address that can be said
//! goodbye to. Reading and writing it is the business of transports and handlers.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::connections::Watch;
use crate::sync::Arc;
use crate::turn::Pollable;

/// One request a transport accepted: a connection, or a datagram together with its reply socket.
///
/// Dropping a request closes it; everything that must happen *before* that is in
/// [`say_goodbye`](Request::say_goodbye).
pub trait Request {
    /// The client's address, CPython's `client_address`.
    type Addr: Clone + fmt::Debug + Send + Sync + 'static;

    /// Says goodbye to the client before the request is dropped.
    ///
    /// A stream shuts down its writing side here, so that a client that is still reading sees a clean
    /// end of the stream even if not all of its input was read. Failure is of no interest: the
    /// client may be gone already. The default does nothing, as CPython does for datagrams.
    ///
    /// # Platform notes
    ///
    /// That unread input does not turn the end into a reset is sure on Linux; elsewhere the reset may
    /// come first.
    fn say_goodbye(&self) {}

    /// Whether the handler took the request over. The server then neither shuts it down nor closes
    /// it. The default is `false`.
    fn is_detached(&self) -> bool {
        false
    }

    /// The request as a connection, if it is one: something that lives for a while, and can be listed and ended from
    /// outside. The default is `None`, right for packets.
    fn as_watched(&self) -> Option<&dyn Watched> {
        None
    }

    /// What becomes readable when the client has sent something, or has gone, if the request is one that goes on. The
    /// default is `None`: nobody can wait for this request in the place of its handler.
    fn waits_for(&self) -> Option<Arc<dyn Pollable>> {
        None
    }
}

/// A connection that the server watches.
pub trait Watched {
    /// Called once, before the request is verified: gives the connection its [`Watch`]. The connection counts its bytes
    /// there and says how it is [cut](Watch::cut_with).
    fn watched_by(&self, watch: &Arc<Watch>);
}

/// A request that is one packet: a datagram together with the socket that replies to it.
///
/// # For implementers
///
/// All methods take `&self` and may be called from several threads at once.
///
/// # Examples
///
/// ```
/// use socketserver_core::DatagramRequest;
/// use std::io;
///
/// fn echo<R: DatagramRequest>(request: &R) -> io::Result<()> {
///     if request.is_truncated() {
///         return request.reply(b"too long");
///     }
///     request.reply(request.packet())
/// }
/// ```
pub trait DatagramRequest: Request {
    /// What the client sent, as far as it was kept; CPython's `request[0]`. An empty packet is a
    /// request like others.
    fn packet(&self) -> &[u8];

    /// Whether the packet was longer than what was kept of it. CPython cannot tell.
    fn is_truncated(&self) -> bool;

    /// Sends one datagram to the client, from the server's socket; CPython's
    /// `request[1].sendto(data, client_address)`.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrNotAvailable`] when the client has no address; else what the system says: that
    /// `data` is too large for one datagram, say. That nobody received it is not an error everywhere.
    fn reply(&self, data: &[u8]) -> io::Result<()>;
}

/// A request that is a stream of bytes in both directions: a connection.
///
/// A stream request is a *handle*: clones mean the same connection, which closes when the last
/// clone is dropped. That is what lets `rfile` and `wfile` be two objects, as in CPython.
///
/// # For implementers
///
/// All methods take `&self` and may be called from several threads at once.
pub trait StreamRequest: Request + Clone + Send + Sync + 'static {
    /// Receives what is there, blocking until something is. `Ok(0)` is the end of the stream.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::TimedOut`] when the time set by [`set_timeout`](Self::set_timeout) passed, or one of the
    /// [deadlines](crate::Deadlines) of the connection, on every platform; of a deadline there is a
    /// [`CutReason`](crate::CutReason) in it. Else what the system says.
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize>;

    /// Receives what is there, without blocking.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] when nothing is there; else as for [`recv`](Self::recv). The default is
    /// [`io::ErrorKind::Unsupported`]: right for requests that [nobody waits for](Request::waits_for).
    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        let _ = buf;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Whether the last receive took all that was there at the time. The default is `false`, for not known.
    fn is_drained(&self) -> bool {
        false
    }

    /// Sends the beginning of `buf`, blocking until some of it is taken, and says how much was.
    ///
    /// # Errors
    ///
    /// As for [`recv`](Self::recv).
    fn send(&self, buf: &[u8]) -> io::Result<usize>;

    /// Limits each single receive or send to `timeout`; `None` lets them wait forever. This cuts nothing:
    /// [deadlines](crate::Deadlines) do.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] for a zero timeout; else what the system says.
    fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;

    /// What [`set_timeout`](Self::set_timeout) has set: for those who wait for the client without a receive. The default is
    /// `None`, for not known.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// Switches Nagle's algorithm off (`true`) or on. Does nothing where there is no such thing.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn set_nodelay(&self, nodelay: bool) -> io::Result<()>;

    /// The server's own address on this connection.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn local_addr(&self) -> io::Result<Self::Addr>;

    /// What the server and this connection share, when it is [watched](Request::as_watched). The default is `None`.
    fn watch(&self) -> Option<&Watch> {
        None
    }

    /// Marks the connection as taken over: from now on
    /// [`is_detached`](Request::is_detached) is `true` for every clone.
    ///
    /// A stream handler calls `Stream::detach` instead, which takes along what was read ahead.
    fn mark_detached(&self);
}
