//! What differs between Unix and Windows, for Unix. Both files provide the same names.

use std::io::{self, Read, Write};
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::Socket;

use crate::tcp::{BoundTcp, Tcp};
use crate::udp::Udp;

/// The default of `SO_REUSEADDR`, as the standard library sets it.
pub(crate) const REUSE_ADDRESS: bool = true;

/// Whether an accepted socket is non-blocking because its listener is: not on Linux.
pub(crate) const ACCEPTED_INHERIT_NONBLOCKING: bool =
    !cfg!(any(target_os = "linux", target_os = "android"));

/// Accept errors that say something has run out.
pub(crate) const EXHAUSTED: &[Errno] =
    &[Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::OPNOTSUPP, Errno::PERM];

/// Those of them that one more descriptor helps against.
pub(crate) const OUT_OF_DESCRIPTORS: &[Errno] = &[Errno::MFILE, Errno::NFILE];

/// Accept errors that are about one connection only; accept(2) on Linux lists the network errors.
pub(crate) const ONE_CONNECTION: &[Errno] = &[
    Errno::CONNABORTED,
    Errno::CONNRESET,
    Errno::HOSTDOWN,
    Errno::HOSTUNREACH,
    Errno::NETDOWN,
    Errno::NETUNREACH,
    Errno::NOPROTOOPT,
    Errno::PROTO,
    Errno::TIMEDOUT,
    #[cfg(target_os = "linux")]
    Errno::NONET,
];

/// The size of the buffer in which to receive packets of up to this size: one byte more shows that a
/// packet was longer.
pub(crate) const fn receive_buffer_size(packet_size: usize) -> usize {
    packet_size.saturating_add(1)
}

/// Lets several sockets share a port, and each have its share of the clients.
#[cfg(not(target_os = "freebsd"))]
pub(crate) fn set_reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

/// Lets several sockets share a port, and each have its share of the clients.
#[cfg(target_os = "freebsd")]
pub(crate) fn set_reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port_lb(true)
}

/// Whether the socket listens, as far as the system tells.
#[cfg(not(target_vendor = "apple"))]
pub(crate) fn is_listening(socket: &Socket) -> io::Result<bool> {
    socket.is_listener()
}

/// Whether the socket listens: the system does not tell, so it is believed.
#[cfg(target_vendor = "apple")]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as elsewhere")]
pub(crate) fn is_listening(_socket: &Socket) -> io::Result<bool> {
    Ok(true)
}

/// What tells that there is something to receive.
pub(crate) fn source_of(socket: &impl AsFd) -> BorrowedFd<'_> {
    socket.as_fd()
}

/// Whether a socket that is shut down in another thread ends a `poll` of it.
pub(crate) const SHUTDOWN_ENDS_POLL: bool = true;

/// Without a signal to the process when the client is gone. Apple's systems have that as an option of the socket, which
/// is set on every accepted one.
#[cfg(not(target_vendor = "apple"))]
const TRY_SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
#[cfg(target_vendor = "apple")]
const TRY_SEND: SendFlags = SendFlags::DONTWAIT;

/// Receives what is there, without waiting.
pub(crate) fn try_receive(socket: &impl AsFd, buf: &mut [u8]) -> io::Result<usize> {
    let (received, _) = recv(socket, buf, RecvFlags::DONTWAIT)?;
    Ok(received)
}

/// Sends what there is room for, without waiting.
pub(crate) fn try_transmit(socket: &impl AsFd, buf: &[u8]) -> io::Result<usize> {
    Ok(send(socket, buf, TRY_SEND)?)
}

/// Two connected sockets: what one sends wakes who waits for the other.
pub(crate) fn wake_pair() -> io::Result<(WakeSender, WakeReceiver)> {
    let (sender, receiver) = UnixStream::pair()?;
    sender.set_nonblocking(true)?;
    receiver.set_nonblocking(true)?;
    Ok((WakeSender(sender), WakeReceiver(receiver)))
}

/// The side that wakes.
#[derive(Debug)]
pub(crate) struct WakeSender(UnixStream);

impl WakeSender {
    const ATTEMPTS: u32 = 1000;

    pub(crate) fn wake(&self) {
        // A wake that is lost may leave a loop asleep for ever, so this does not give up when the system has no memory
        // for one byte just now; but it must not block either.
        for _ in 0..Self::ATTEMPTS {
            match (&self.0).write(&[0]).map_err(|error| Errno::from_io_error(&error)) {
                Err(Some(Errno::INTR)) => {}
                Err(Some(Errno::NOBUFS | Errno::NOMEM)) => std::thread::yield_now(),
                // A full buffer means enough wakes are on their way. The receiver may be gone.
                Ok(_) | Err(_) => break,
            }
        }
    }
}

/// The side that is woken.
#[derive(Debug)]
pub(crate) struct WakeReceiver(UnixStream);

impl WakeReceiver {
    /// Becomes readable when the sender wakes.
    pub(crate) fn socket(&self) -> &UnixStream {
        &self.0
    }

    /// Forgets all wakes so far.
    pub(crate) fn clear(&self) {
        let mut wakes = [0; 64];
        while matches!((&self.0).read(&mut wakes), Ok(read) if read == wakes.len()) {}
    }
}

impl AsFd for Tcp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.raw().as_fd()
    }
}

impl AsRawFd for Tcp {
    fn as_raw_fd(&self) -> RawFd {
        self.raw().as_raw_fd()
    }
}

impl AsFd for BoundTcp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.raw().as_fd()
    }
}

/// Adopts a listening socket as it is; see [`TcpOptions::adopt`](crate::TcpOptions::adopt) for one
/// with checks and options.
impl From<OwnedFd> for Tcp {
    fn from(listener: OwnedFd) -> Self {
        Self::new(listener.into(), &Self::options())
    }
}

impl AsFd for Udp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.raw().as_fd()
    }
}

impl AsRawFd for Udp {
    fn as_raw_fd(&self) -> RawFd {
        self.raw().as_raw_fd()
    }
}

/// Adopts a bound socket as it is; see [`UdpOptions::adopt`](crate::UdpOptions::adopt) for one with
/// checks and options.
impl From<OwnedFd> for Udp {
    fn from(socket: OwnedFd) -> Self {
        Self::from(UdpSocket::from(socket))
    }
}
