//! The options of a TCP transport, as a value: what CPython keeps in class attributes.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Protocol, Socket, TcpKeepalive, Type};

use crate::bind;
use crate::error::{Attempt, BindError};
use crate::ip_options::{IpOptions, Ipv6, SocketHook};
use crate::sys;
use crate::tcp::{BoundTcp, Tcp};

/// How to make a [`Tcp`] transport: a builder that can be used many times.
///
/// ```
/// use socketserver_transports::{Ipv6, Tcp};
///
/// let options = Tcp::options().nodelay(true).ipv6(Ipv6::Only);
/// let first = options.bind("127.0.0.1:0")?;
/// let second = options.bind("127.0.0.1:0")?;
/// # Ok::<(), socketserver_transports::BindError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct TcpOptions {
    pub(crate) ip: IpOptions,
    pub(crate) backlog: i32,
    pub(crate) before_listen: Option<SocketHook>,
    pub(crate) accepted: AcceptedOptions,
    pub(crate) timeout: Option<Duration>,
    pub(crate) reserve_descriptor: bool,
}

/// The most the system allows. It cuts larger numbers down by itself: to `somaxconn` on Unix; on
/// Windows this very number means the system's maximum.
pub(crate) const BACKLOG: i32 = i32::MAX;

/// What is set on every accepted connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct AcceptedOptions {
    pub(crate) nodelay: bool,
    pub(crate) keepalive: Option<TcpKeepalive>,
}

impl TcpOptions {
    pub(crate) const fn new() -> Self {
        Self {
            ip: IpOptions::new(sys::REUSE_ADDRESS),
            backlog: BACKLOG,
            before_listen: None,
            accepted: AcceptedOptions { nodelay: false, keepalive: None },
            timeout: None,
            reserve_descriptor: false,
        }
    }

    /// Whether a port can be bound again while old connections of it linger (`SO_REUSEADDR`); CPython's
    /// `allow_reuse_address`.
    ///
    /// The default is that of the Rust standard library: on for Unix, off for Windows, where the option
    /// means that anybody may steal the port. CPython's default is off.
    pub const fn reuse_address(mut self, reuse: bool) -> Self {
        self.ip.reuse_address = reuse;
        self
    }

    /// Whether several sockets may listen on the same port and share its clients (`SO_REUSEPORT`);
    /// CPython's `allow_reuse_port`. The default is off.
    ///
    /// # Platform notes
    ///
    /// Unix only; elsewhere binding fails with [`io::ErrorKind::Unsupported`]. Linux and FreeBSD (where
    /// the option is `SO_REUSEPORT_LB`) spread clients evenly, others may not.
    pub const fn reuse_port(mut self, reuse: bool) -> Self {
        self.ip.reuse_port = reuse;
        self
    }

    /// What to do about IPv4 clients on an IPv6 address. Has no effect on IPv4 addresses.
    pub const fn ipv6(mut self, ipv6: Ipv6) -> Self {
        self.ip.ipv6 = ipv6;
        self
    }

    /// How many connections may wait to be accepted; CPython's `request_queue_size`, which is 5 there
    /// before 3.15. The default is the most the system allows; the system cuts larger numbers down.
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.backlog = i32::try_from(backlog).unwrap_or(BACKLOG);
        self
    }

    /// Whether small writes on accepted connections leave at once (`TCP_NODELAY`): Nagle's algorithm is
    /// off then. The default is off. CPython's `disable_nagle_algorithm` of the handler.
    ///
    /// A connection that cannot take the option, because its client has gone, is served without.
    pub const fn nodelay(mut self, nodelay: bool) -> Self {
        self.accepted.nodelay = nodelay;
        self
    }

    /// Whether the system probes accepted connections that have been silent for `idle`, to find out whether
    /// the client still exists (`SO_KEEPALIVE`). The default is not to. CPython has no such option. The system
    /// counts in seconds; less than one counts as one.
    pub fn keepalive(mut self, idle: Duration) -> Self {
        let idle = idle.max(Duration::from_secs(1));
        self.accepted.keepalive = Some(TcpKeepalive::new().with_time(idle));
        self
    }

    /// How long `handle_request` waits at most: CPython's `server.socket.settimeout()`. The smaller of
    /// this and the server's own timeout counts. The default is no limit.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Whether a descriptor is kept in reserve for the time when the process, or the system, has none left. The default is not
    /// to. CPython has no such option.
    ///
    /// Without it clients who come then are left waiting until there are descriptors again. With it they are accepted and
    /// closed at once, by turns of a hundred, and counted in
    /// [`Counts::dismissed`](socketserver_core::Counts::dismissed): no hook is asked about them. It costs a descriptor.
    ///
    /// It helps when descriptors run out (`EMFILE`, `ENFILE`), not memory (`ENOMEM`, `ENOBUFS`). The reserve has to be
    /// closed to be used: if something else in the process takes the descriptor in that moment, clients wait as they do
    /// without, and the reserve is filled again as soon as it can be, before clients are served.
    pub const fn reserve_descriptor(mut self, reserve: bool) -> Self {
        self.reserve_descriptor = reserve;
        self
    }

    /// Calls `hook` with the new socket, after the options above and before it is bound.
    ///
    /// With a name that has several addresses it is called for each that is tried. An error of the hook
    /// makes that attempt fail.
    pub fn before_bind(
        mut self,
        hook: impl Fn(&Socket) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.ip.before_bind = Some(Arc::new(hook));
        self
    }

    /// Calls `hook` with the bound socket, before it listens: to drop privileges, say.
    pub fn before_listen(
        mut self,
        hook: impl Fn(&Socket) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.before_listen = Some(Arc::new(hook));
        self
    }

    /// Binds and listens. The family of the socket is that of the address; a name is resolved and each of its
    /// addresses tried, in the resolver's order, until one works.
    ///
    /// Resolving a name blocks, as long as the system's resolver takes.
    ///
    /// # Errors
    ///
    /// The error names the address and, for each attempt, the step that failed. No descriptor is left
    /// behind.
    pub fn bind<A: ToSocketAddrs + fmt::Debug>(&self, address: A) -> Result<Tcp, BindError> {
        bind::each_address(&address, |socket_address| {
            self.bound(socket_address).and_then(BoundTcp::listen)
        })
    }

    /// Binds without listening: clients are refused until
    /// [`BoundTcp::activate`]. With `reuse_address` another socket may bind and listen there meanwhile;
    /// activating fails then. CPython's `bind_and_activate=False` with `server_bind()`.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind).
    pub fn bind_only<A: ToSocketAddrs + fmt::Debug>(
        &self,
        address: A,
    ) -> Result<BoundTcp, BindError> {
        bind::each_address(&address, |socket_address| self.bound(socket_address))
    }

    /// Adopts a socket that was bound elsewhere and listens already: by a service manager or a test, say.
    ///
    /// Its options stay as they are, but it becomes non-blocking; what is to be set on accepted
    /// connections is. `Tcp::from(listener)` does the same without the checks.
    ///
    /// # Errors
    ///
    /// [`BindStep::Adopt`](crate::BindStep::Adopt) when it is not a socket, not a TCP socket, or
    /// (where the system can tell: not on macOS and Windows) does not listen.
    pub fn adopt(&self, listener: impl Into<Socket>) -> Result<Tcp, BindError> {
        let socket = listener.into();
        bind::check_adopted(&socket, Type::STREAM)?;
        Ok(Tcp::new(socket, self))
    }

    fn bound(&self, address: SocketAddr) -> Result<BoundTcp, Attempt> {
        let socket = bind::ip_socket(&self.ip, Type::STREAM, Protocol::TCP, address)?;
        Ok(BoundTcp::new(socket, address, self.clone()))
    }
}

impl fmt::Debug for TcpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpOptions")
            .field("ip", &self.ip)
            .field("backlog", &self.backlog)
            .field("before_listen", &self.before_listen.is_some())
            .field("accepted", &self.accepted)
            .field("timeout", &self.timeout)
            .field("reserve_descriptor", &self.reserve_descriptor)
            .finish()
    }
}
