//! What differs between Unix and Windows, for Windows. Both files provide the same names.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::windows::io::{AsRawSocket, AsSocket, BorrowedSocket, OwnedSocket, RawSocket};

use rustix::io::Errno;
use socket2::Socket;

use crate::tcp::{BoundTcp, Tcp};
use crate::udp::Udp;

/// The default of `SO_REUSEADDR`, which lets anybody steal the port here.
pub(crate) const REUSE_ADDRESS: bool = false;

/// Whether an accepted socket is non-blocking because its listener is.
pub(crate) const ACCEPTED_INHERIT_NONBLOCKING: bool = true;

/// Accept errors that say something has run out.
pub(crate) const EXHAUSTED: &[Errno] = &[Errno::MFILE, Errno::NOBUFS];

/// Accept errors that are about one connection only.
pub(crate) const ONE_CONNECTION: &[Errno] = &[
    Errno::CONNABORTED,
    Errno::CONNRESET,
    Errno::HOSTDOWN,
    Errno::HOSTUNREACH,
    Errno::NETDOWN,
    Errno::NETUNREACH,
    Errno::TIMEDOUT,
];

/// The size of the buffer in which to receive packets of up to this size: a packet that does not fit is
/// an error here, and lost, so every one has to fit.
pub(crate) const fn receive_buffer_size(packet_size: usize) -> usize {
    const LARGEST: usize = 64 * 1024;
    if packet_size < LARGEST { LARGEST } else { packet_size }
}

pub(crate) fn set_reuse_port(_socket: &Socket) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "there is no SO_REUSEPORT on Windows"))
}

/// Whether the socket listens: the system does not tell, so it is believed.
#[expect(clippy::unnecessary_wraps, reason = "the same signature as elsewhere")]
pub(crate) fn is_listening(_socket: &Socket) -> io::Result<bool> {
    Ok(true)
}

/// A datagram socket that talks to itself: what is rung at one handle can be heard at the other.
///
/// Connected, it takes datagrams from itself only.
pub(crate) fn wake_pair() -> io::Result<(Bell, Ear)> {
    let ear = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    ear.connect(ear.local_addr()?)?;
    ear.set_nonblocking(true)?;
    Ok((Bell(ear.try_clone()?), Ear(ear)))
}

/// The side that wakes.
#[derive(Debug)]
pub(crate) struct Bell(UdpSocket);

impl Bell {
    pub(crate) fn ring(&self) {
        // A full buffer means it has rung often enough; no other failure is possible while the ear lives.
        let _ = self.0.send(&[0]);
    }
}

/// The side that is woken.
#[derive(Debug)]
pub(crate) struct Ear(UdpSocket);

impl Ear {
    /// Becomes readable when the bell rings.
    pub(crate) fn socket(&self) -> &UdpSocket {
        &self.0
    }

    /// Forgets all rings so far.
    pub(crate) fn clear(&self) {
        while self.0.recv(&mut [0]).is_ok() {}
    }
}

impl AsSocket for Tcp {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.raw().as_socket()
    }
}

impl AsRawSocket for Tcp {
    fn as_raw_socket(&self) -> RawSocket {
        self.raw().as_raw_socket()
    }
}

impl AsSocket for BoundTcp {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.raw().as_socket()
    }
}

/// Adopts a listening socket as it is; see [`TcpOptions::adopt`](crate::TcpOptions::adopt) for one
/// with checks and options.
impl From<OwnedSocket> for Tcp {
    fn from(listener: OwnedSocket) -> Self {
        Self::new(listener.into(), &Self::options())
    }
}

impl AsSocket for Udp {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.raw().as_socket()
    }
}

impl AsRawSocket for Udp {
    fn as_raw_socket(&self) -> RawSocket {
        self.raw().as_raw_socket()
    }
}

/// Adopts a bound socket as it is; see [`UdpOptions::adopt`](crate::UdpOptions::adopt) for one with
/// checks and options.
impl From<OwnedSocket> for Udp {
    fn from(socket: OwnedSocket) -> Self {
        Self::from(UdpSocket::from(socket))
    }
}
