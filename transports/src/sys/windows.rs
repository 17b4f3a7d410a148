//! What differs between Unix and Windows, for Windows. Both files provide the same names.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::os::windows::io::{AsRawSocket, AsSocket, BorrowedSocket, OwnedSocket, RawSocket};
use std::time::Duration;

use rustix::io::Errno;
use socket2::Socket;
use socketserver_core::Direction;

use crate::tcp::{BoundTcp, Tcp};
use crate::udp::Udp;
use crate::wait::until_ready;

/// The default of `SO_REUSEADDR`, which lets anybody steal the port here.
pub(crate) const REUSE_ADDRESS: bool = false;

/// Whether an accepted socket is non-blocking because its listener is.
pub(crate) const ACCEPTED_INHERIT_NONBLOCKING: bool = true;

/// Accept errors that say something has run out.
pub(crate) const EXHAUSTED: &[Errno] = &[Errno::MFILE, Errno::NOBUFS];

/// Those of them that one more descriptor helps against.
pub(crate) const OUT_OF_DESCRIPTORS: &[Errno] = &[Errno::MFILE];

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

/// A datagram socket that talks to itself: what one handle sends wakes who waits for the other.
///
/// Connected, it takes datagrams from itself only.
pub(crate) fn wake_pair() -> io::Result<(WakeSender, WakeReceiver)> {
    let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    receiver.connect(receiver.local_addr()?)?;
    receiver.set_nonblocking(true)?;
    Ok((WakeSender(receiver.try_clone()?), WakeReceiver(receiver)))
}

/// What tells that there is something to receive.
pub(crate) fn source_of(socket: &impl AsSocket) -> BorrowedSocket<'_> {
    socket.as_socket()
}

/// Whether a socket that is shut down in another thread ends a `poll` of it: nothing promises that.
pub(crate) const SHUTDOWN_ENDS_POLL: bool = false;

/// Receives what is there, without waiting. Another thread that receives from the same socket may be faster; then it does
/// wait.
pub(crate) fn try_receive(mut socket: &TcpStream, buf: &mut [u8]) -> io::Result<usize> {
    if !until_ready(socket, Direction::Receive, Some(Duration::ZERO))? {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    socket.read(buf)
}

/// Sends if there is room for something; then the system takes all of it.
pub(crate) fn try_transmit(mut socket: &TcpStream, buf: &[u8]) -> io::Result<usize> {
    if !until_ready(socket, Direction::Send, Some(Duration::ZERO))? {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    socket.write(buf)
}

/// The side that wakes.
#[derive(Debug)]
pub(crate) struct WakeSender(UdpSocket);

impl WakeSender {
    pub(crate) fn wake(&self) {
        // A full buffer means enough wakes are on their way; no other failure is possible while the receiver lives.
        let _ = self.0.send(&[0]);
    }
}

/// The side that is woken.
#[derive(Debug)]
pub(crate) struct WakeReceiver(UdpSocket);

impl WakeReceiver {
    /// Becomes readable when the sender wakes.
    pub(crate) fn socket(&self) -> &UdpSocket {
        &self.0
    }

    /// Forgets all wakes so far.
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
