//! The options of a UDP transport, as a value: what CPython keeps in class attributes.

use std::fmt;
use std::io;
use std::net::{ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Protocol, Socket, Type};

use crate::bind;
use crate::error::BindError;
use crate::ip_options::{IpOptions, Ipv6};
use crate::packets::PacketOptions;
use crate::udp::Udp;

/// No packet over IP is longer.
const LARGEST: usize = 65_535;

/// How to make a [`Udp`] transport: a builder that can be used many times.
///
/// ```
/// use socketserver_transports::Udp;
///
/// let options = Udp::options().max_packet_size(1500);
/// let first = options.bind("127.0.0.1:0")?;
/// let second = options.bind("127.0.0.1:0")?;
/// # Ok::<(), socketserver_transports::BindError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct UdpOptions {
    ip: IpOptions,
    packets: PacketOptions,
}

impl UdpOptions {
    pub(crate) const fn new() -> Self {
        Self { ip: IpOptions::new(false), packets: PacketOptions::new() }
    }

    /// Whether several sockets may bind the same port (`SO_REUSEADDR`); CPython's
    /// `allow_reuse_address`. The default is off, as in CPython and the Rust standard library.
    ///
    /// A UDP port does not linger, so a restart does not need it. It is for multicast. On Linux and
    /// Windows another program that sets it as well can take a port's packets away.
    pub const fn reuse_address(mut self, reuse: bool) -> Self {
        self.ip.reuse_address = reuse;
        self
    }

    /// Whether several sockets may receive on the same port and share its packets (`SO_REUSEPORT`);
    /// CPython's `allow_reuse_port`. The default is off.
    ///
    /// # Platform notes
    ///
    /// Unix only; elsewhere binding fails with [`io::ErrorKind::Unsupported`]. Linux spreads packets
    /// evenly by their sender's address, FreeBSD does with its `SO_REUSEPORT_LB`, macOS does not.
    pub const fn reuse_port(mut self, reuse: bool) -> Self {
        self.ip.reuse_port = reuse;
        self
    }

    /// What to do about IPv4 clients on an IPv6 address. Has no effect on IPv4 addresses.
    pub const fn ipv6(mut self, ipv6: Ipv6) -> Self {
        self.ip.ipv6 = ipv6;
        self
    }

    /// How many bytes of a packet are kept at most; CPython's `max_packet_size`. The default is 8192,
    /// as there; 65,535 keeps every packet whole, and more counts as that.
    ///
    /// Each packet that is being handled takes a buffer of this size; a few are kept for the next ones.
    pub const fn max_packet_size(mut self, bytes: usize) -> Self {
        self.packets.max_packet_size = if bytes < LARGEST { bytes } else { LARGEST };
        self
    }

    /// How long a reply waits at most while the system has no room for it; it then fails with
    /// [`io::ErrorKind::TimedOut`]. The default is a second. CPython waits for ever.
    pub const fn reply_timeout(mut self, timeout: Duration) -> Self {
        self.packets.reply_timeout = timeout;
        self
    }

    /// How many packets may be received with one call, and so before the server takes them. The default is one, and 0
    /// counts as one; more than 32 count as 32. A busy server makes two system calls for a packet, to receive it and to
    /// reply; if it may receive several it makes one and a part of one. CPython has no such option.
    ///
    /// They are served one by one in the order in which they came, by the limits that hold then, and a stop is seen between any
    /// two. What is left at a stop is for the next call of `serve_forever`, `handle_request` or `drain`. A server
    /// that is closed counts them as [`dismissed`](socketserver_core::Counts::dismissed); the system, which has lost
    /// what it had, says nothing.
    ///
    /// What was received is not with the socket any more. So choose one if another process goes on with the same
    /// socket, or if handlers receive from [the socket](crate::Datagram::socket) themselves: a client's second packet
    /// could be among those that are there already. A process of `PreFork` receives one at a time, whatever is said here.
    ///
    /// A program that waits for the descriptor itself and then calls `handle_request` once has to call it as long as
    /// [`received_ahead`](socketserver_core::Transport::received_ahead) tells that there are any: the descriptor is not readable
    /// for their sake.
    ///
    /// Each takes a buffer of [`max_packet_size`](Self::max_packet_size).
    ///
    /// # Platform notes
    ///
    /// More than one on Linux, Android, FreeBSD and NetBSD, which have `recvmmsg`; elsewhere more counts as one. FreeBSD's
    /// saves no system calls.
    ///
    /// ```
    /// use socketserver_transports::Udp;
    ///
    /// let udp = Udp::options().receive_ahead(16).bind("127.0.0.1:0")?;
    /// # Ok::<(), socketserver_transports::BindError>(())
    /// ```
    pub const fn receive_ahead(mut self, packets: usize) -> Self {
        self.packets.ahead = packets;
        self
    }

    /// How long `handle_request` waits at most: CPython's `server.socket.settimeout()`. The smaller of
    /// this and the server's own timeout counts. The default is no limit.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.packets.timeout = Some(timeout);
        self
    }

    /// Calls `hook` with the new socket, after the options above and before it is bound: to join a
    /// multicast group or to ask for a larger receive buffer, say.
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

    /// Binds; from then on the system keeps packets for the server. The family of the socket is that of
    /// the address; a name is resolved and each of its addresses tried, in the resolver's order, until
    /// one works.
    ///
    /// Resolving a name blocks, as long as the system's resolver takes.
    ///
    /// # Errors
    ///
    /// The error names the address and, for each attempt, the step that failed. No descriptor is left
    /// behind.
    pub fn bind<A: ToSocketAddrs + fmt::Debug>(&self, address: A) -> Result<Udp, BindError> {
        bind::each_address(&address, |socket_address| {
            let socket = bind::ip_socket(&self.ip, Type::DGRAM, Protocol::UDP, socket_address)?;
            Ok(Udp::new(UdpSocket::from(socket), self.packets))
        })
    }

    /// Adopts a socket that was bound elsewhere: by a service manager or a test, say.
    ///
    /// Its options stay as they are, but it becomes non-blocking. `Udp::from(socket)` does the same
    /// without the checks. A socket that was connected takes packets of that one client only.
    ///
    /// # Errors
    ///
    /// [`BindStep::Adopt`](crate::BindStep::Adopt) when it is not a socket, or not a UDP socket.
    pub fn adopt(&self, socket: impl Into<Socket>) -> Result<Udp, BindError> {
        let socket = socket.into();
        bind::check_adopted(&socket, Type::DGRAM)?;
        Ok(Udp::new(UdpSocket::from(socket), self.packets))
    }
}
