//! UDP: a socket whose packets are the requests. CPython's `UDPServer`.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use socket2::SockRef;
use socketserver_core::{Bind, GetRequestError, Readiness, Transport, Wait, Waker};

use crate::datagram::{Datagram, DatagramSocket, sealed};
use crate::error::BindError;
use crate::many::{self, Family};
use crate::packets::{PacketOptions, Packets};
use crate::udp_options::UdpOptions;
use crate::wait::{self, Waiter};

/// A UDP transport: receives on IPv4 or IPv6, whichever the address is. Each packet is a request, an
/// empty one too.
///
/// ```
/// use socketserver_core::Transport;
/// use socketserver_transports::Udp;
///
/// let udp = Udp::bind("127.0.0.1:0")?;
/// println!("listening on {}", udp.local_addr()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A packet longer than [`UdpOptions::max_packet_size`] is cut, and
/// [says so](socketserver_core::DatagramRequest::is_truncated).
///
/// An existing socket is adopted with `Udp::from`, unchecked, or with [`UdpOptions::adopt`], checked.
/// It becomes non-blocking with the first wait, also for other processes that share it.
///
/// Bound to an address that stands for all (`0.0.0.0`, `::`), a reply leaves from the address that the
/// system's routing picks, as in CPython: on a host with several addresses that need not be the one the
/// client sent to. Bind each address on its own where that matters.
#[derive(Debug)]
pub struct Udp {
    packets: Packets<UdpSocket>,
}

impl Udp {
    /// Binds to `address` with the default options.
    ///
    /// # Errors
    ///
    /// Those of [`UdpOptions::bind`].
    pub fn bind<A: ToSocketAddrs + fmt::Debug>(address: A) -> Result<Self, BindError> {
        Self::options().bind(address)
    }

    /// The default options, to be changed and bound.
    pub const fn options() -> UdpOptions {
        UdpOptions::new()
    }

    pub(crate) fn new(socket: UdpSocket, options: PacketOptions) -> Self {
        Self { packets: Packets::new(socket, Waiter::new(), options) }
    }

    /// The socket.
    pub fn socket(&self) -> SockRef<'_> {
        self.packets.socket()
    }

    pub(crate) fn raw(&self) -> &UdpSocket {
        self.packets.raw()
    }
}

impl Transport for Udp {
    type Request = Datagram<UdpSocket>;

    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.packets.wait(wait)
    }

    fn waker(&self) -> Waker {
        self.packets.waker()
    }

    fn can_be_tried(&self) -> bool {
        true
    }

    fn get_request(&self) -> Result<(Self::Request, SocketAddr), GetRequestError> {
        self.packets.get_request()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.raw().local_addr()
    }

    fn after_fork(&mut self) {
        self.packets.after_fork();
    }

    fn received_ahead(&self) -> usize {
        self.packets.received_ahead()
    }

    fn timeout(&self) -> Option<Duration> {
        self.packets.timeout()
    }
}

impl<A: ToSocketAddrs + fmt::Debug> Bind<A> for Udp {
    type Error = BindError;

    fn bind(address: A) -> Result<Self, BindError> {
        Self::bind(address)
    }
}

/// Adopts a socket as it is; see [`UdpOptions::adopt`] for one with checks and options.
impl From<UdpSocket> for Udp {
    fn from(socket: UdpSocket) -> Self {
        Self::new(socket, PacketOptions::new())
    }
}

impl DatagramSocket for UdpSocket {}

impl sealed::Packets for UdpSocket {
    type Addr = SocketAddr;
    type Credentials = ();

    fn socket_ref(&self) -> SockRef<'_> {
        SockRef::from(self)
    }

    fn receive(&self, buffer: &mut [u8], _: bool) -> io::Result<(usize, SocketAddr, ())> {
        let (length, sender) = self.recv_from(buffer)?;
        Ok((length, sender, ()))
    }

    const MOST: usize = many::MOST;

    fn receive_many(
        &self,
        family: Family,
        buffers: &mut [Box<[u8]>],
        mut received: impl FnMut(usize, SocketAddr, ()),
    ) -> io::Result<()> {
        many::receive(self, family, buffers, |length, sender| received(length, sender, ()))
    }

    /// The socket does not block: when the system has no room for the packet, that is waited for here.
    fn send(&self, data: &[u8], to: &SocketAddr, patience: Duration) -> io::Result<()> {
        // Looked at only by who has to wait.
        let mut started = None;
        loop {
            match self.send_to(data, to) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let started = *started.get_or_insert_with(Instant::now);
                    let left = patience.saturating_sub(started.elapsed());
                    if left.is_zero() || !wait::is_writable(&self.socket_ref(), left)? {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                result => return result.map(drop),
            }
        }
    }
}
