//! Unix sockets of sequenced packets: a listening socket whose connections are the requests.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use socket2::{SockRef, Type};
use socketserver_core::{Bind, GetRequestError, Readiness, Transport, Wait, Waker};

use super::addr::UnixAddr;
use super::bind::Bound;
use super::listener::Listener;
use super::name::UnixName;
use super::options::{UnixListening, UnixOptions, UnixTransport, sealed};
use super::seqpacket_socket::SeqpacketSocket;
use crate::connection::Connection;
use crate::error::BindError;

/// A transport of Unix sockets of sequenced packets: connections like those of
/// [`UnixStream`](super::UnixStream), over which whole messages go instead of bytes. CPython has no
/// server for them.
///
/// ```
/// use socketserver_core::{StreamRequest, Transport, Wait};
/// use socketserver_transports::socket2::{Domain, SockAddr, Socket, Type};
/// use socketserver_transports::UnixSeqpacket;
///
/// # let folder = std::env::temp_dir().join(format!("seqpacket-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("socket");
/// let server = UnixSeqpacket::bind(&path)?;
/// let client = Socket::new(Domain::UNIX, Type::SEQPACKET, None)?;
/// client.connect(&SockAddr::unix(&path)?)?;
/// client.send(b"one")?;
/// client.send(b"two")?;
///
/// server.wait(Wait::for_request())?;
/// let (connection, _) = server.get_request().unwrap();
/// let mut buffer = [0; 100];
/// assert_eq!(connection.recv(&mut buffer)?, 3);
/// # drop(server);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Its connections are stream requests, so stream handlers serve them. Of the files of such a handler:
///
/// - `rfile` receives a message at a time: `fill_buf` gives what is left of one, and reading across its
///   end goes on with the next. `rbufsize` has to hold the longest message; a longer one is an
///   error, see [`SeqpacketSocket`].
/// - `wfile` sends a message with each write, so `write!` with arguments may send several: put the
///   message together first. With a `wbufsize`, each flush is a message.
///
/// # Platform notes
///
/// Linux, Android and FreeBSD; elsewhere this type does not exist.
#[derive(Debug)]
pub struct UnixSeqpacket {
    listener: Listener,
}

impl UnixSeqpacket {
    /// Binds with the default options and listens.
    ///
    /// # Errors
    ///
    /// Those of [`UnixOptions::bind`].
    pub fn bind(name: impl Into<UnixName>) -> Result<Self, BindError> {
        Self::options().bind(name)
    }

    /// The default options, to be changed and bound.
    pub const fn options() -> UnixOptions<Self> {
        UnixOptions::new()
    }

    /// The listening socket.
    pub fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.listener.socket)
    }
}

impl Transport for UnixSeqpacket {
    type Request = Connection<SeqpacketSocket>;

    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.listener.wait(wait)
    }

    fn waker(&self) -> Waker {
        self.listener.waker()
    }

    fn can_be_tried(&self) -> bool {
        true
    }

    fn get_request(&self) -> Result<(Self::Request, UnixAddr), GetRequestError> {
        let (socket, client_address) = self.listener.accept()?;
        Ok((Connection::new(OwnedFd::from(socket).into()), client_address))
    }

    fn local_addr(&self) -> io::Result<UnixAddr> {
        self.listener.local_addr()
    }

    fn after_fork(&mut self) {
        self.listener.after_fork();
    }

    fn timeout(&self) -> Option<Duration> {
        self.listener.timeout()
    }
}

impl<A: Into<UnixName>> Bind<A> for UnixSeqpacket {
    type Error = BindError;

    fn bind(name: A) -> Result<Self, BindError> {
        Self::bind(name)
    }
}

impl UnixTransport for UnixSeqpacket {}

impl UnixListening for UnixSeqpacket {}

impl sealed::Make for UnixSeqpacket {
    const KIND: Type = Type::SEQPACKET;

    fn of_bound(bound: Bound, options: &UnixOptions<Self>) -> Result<Self, sealed::FailedStep> {
        Ok(Self { listener: Listener::listen(bound, options)? })
    }

    fn of_ready(bound: Bound, options: &UnixOptions<Self>) -> Self {
        Self { listener: Listener::listening(bound, options) }
    }
}

/// Adopts a listening socket as it is; see [`UnixOptions::adopt`] for one with checks and options.
impl From<OwnedFd> for UnixSeqpacket {
    fn from(listener: OwnedFd) -> Self {
        sealed::Make::of_ready(Bound { file: None, socket: listener.into() }, &Self::options())
    }
}

impl AsFd for UnixSeqpacket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.socket.as_fd()
    }
}

impl AsRawFd for UnixSeqpacket {
    fn as_raw_fd(&self) -> RawFd {
        self.listener.socket.as_raw_fd()
    }
}
