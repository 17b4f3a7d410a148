//! A connected socket of sequenced packets: whole messages in both directions.

use std::io::{self, IoSliceMut};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::net::{RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendFlags, recvmsg, send};
use socket2::{SockRef, Socket};
use socketserver_core::{Direction, Source};

use super::addr::UnixAddr;
use super::credentials::UnixSocket;
use crate::stream_socket::StreamSocket;
use crate::stream_socket::sealed::{self, Block};
use crate::{sys, wait};

/// A connected socket of sequenced packets: each send is one message, each receive gives one.
///
/// A message that is longer than the buffer it is received into is an error,
/// [`io::ErrorKind::InvalidData`], and is lost; the next one is received as usual. (Where the system
/// keeps the rest of it for the next receive, as FreeBSD may, there is no error.) An empty message looks
/// like the end of the connection.
#[derive(Debug)]
pub struct SeqpacketSocket(Socket);

impl SeqpacketSocket {
    /// Receives one message and says how long it is; 0 is the end.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] when it is longer than `buffer`; else what the system says.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.recv_with(buffer, RecvFlags::empty())
    }

    fn recv_with(&self, buffer: &mut [u8], flags: RecvFlags) -> io::Result<usize> {
        let size = buffer.len();
        let mut parts = [IoSliceMut::new(buffer)];
        let mut nothing_else = RecvAncillaryBuffer::default();
        let received = recvmsg(&self.0, &mut parts, &mut nothing_else, flags)?;
        if received.flags.contains(ReturnFlags::TRUNC) {
            let what = format!("a message is longer than the {size} bytes there is room for");
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(received.bytes)
    }

    /// Sends one message, all of it or nothing.
    ///
    /// # Errors
    ///
    /// What the system says: that it is too long, say.
    pub fn send(&self, message: &[u8]) -> io::Result<usize> {
        Ok(send(&self.0, message, SendFlags::NOSIGNAL)?)
    }

    /// The socket, for its options.
    pub fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.0)
    }
}

impl From<OwnedFd> for SeqpacketSocket {
    fn from(socket: OwnedFd) -> Self {
        Self(socket.into())
    }
}

impl From<SeqpacketSocket> for OwnedFd {
    fn from(socket: SeqpacketSocket) -> Self {
        socket.0.into()
    }
}

impl AsFd for SeqpacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for SeqpacketSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl UnixSocket for SeqpacketSocket {}

impl StreamSocket for SeqpacketSocket {}

impl sealed::Socket for SeqpacketSocket {
    type Addr = UnixAddr;

    // Each receive takes one message.
    const SHORT_IS_ALL: bool = false;

    fn source(&self) -> Source<'_> {
        self.as_fd()
    }

    fn receive(&self, buf: &mut [u8], block: Block) -> io::Result<usize> {
        match block {
            Block::Yes => self.recv(buf),
            Block::No => self.recv_with(buf, RecvFlags::DONTWAIT),
        }
    }

    fn transmit(&self, buf: &[u8], block: Block) -> io::Result<usize> {
        match block {
            Block::Yes => self.send(buf),
            Block::No => sys::try_transmit(self, buf),
        }
    }

    fn wait(&self, direction: Direction, time: Option<Duration>) -> io::Result<bool> {
        wait::until_ready(self, direction, time)
    }

    fn limit(&self, timeout: Option<Duration>) -> io::Result<()> {
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the timeout is zero"));
        }
        self.0.set_read_timeout(timeout)?;
        self.0.set_write_timeout(timeout)
    }

    /// There is no such algorithm.
    fn nodelay(&self, _nodelay: bool) -> io::Result<()> {
        Ok(())
    }

    fn bound_to(&self) -> io::Result<UnixAddr> {
        Ok(UnixAddr::of(&self.0.local_addr()?))
    }

    fn end(&self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }

    fn sever(&self, direction: Shutdown) -> io::Result<()> {
        self.0.shutdown(direction)
    }
}
