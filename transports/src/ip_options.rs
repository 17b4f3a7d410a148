//! The options that all sockets with an IP address share.

use std::fmt;
use std::io;
use std::sync::Arc;

use socket2::Socket;

/// What a socket bound to an IPv6 address does about IPv4 clients.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Ipv6 {
    /// What the system does by default, as in CPython. On Linux that is usually dual-stack,
    /// with what is said there about addresses.
    #[default]
    SystemDefault,
    /// Takes IPv6 clients only.
    Only,
    /// When bound to `::`, takes IPv4 clients too. Their addresses look like `::ffff:127.0.0.1`: compare
    /// [`to_canonical`](std::net::IpAddr::to_canonical) of them with lists of addresses.
    DualStack,
}

/// A hook of the user's on the raw socket.
pub(crate) type SocketHook = Arc<dyn Fn(&Socket) -> io::Result<()> + Send + Sync>;

/// What is set on an IP socket before it is bound. The methods that set it, with their
/// documentation, are those of the transports' options.
#[derive(Clone)]
pub(crate) struct IpOptions {
    pub(crate) reuse_address: bool,
    pub(crate) reuse_port: bool,
    pub(crate) ipv6: Ipv6,
    pub(crate) before_bind: Option<SocketHook>,
}

impl IpOptions {
    pub(crate) const fn new(reuse_address: bool) -> Self {
        Self { reuse_address, reuse_port: false, ipv6: Ipv6::SystemDefault, before_bind: None }
    }
}

impl fmt::Debug for IpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpOptions")
            .field("reuse_address", &self.reuse_address)
            .field("reuse_port", &self.reuse_port)
            .field("ipv6", &self.ipv6)
            .field("before_bind", &self.before_bind.is_some())
            .finish()
    }
}
