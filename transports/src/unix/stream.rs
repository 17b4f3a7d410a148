//! Unix streams: a listening socket whose connections are the requests. CPython's
//! `UnixStreamServer`.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net;
use std::time::Duration;

use socket2::{SockRef, Type};
use socketserver_core::{
    Bind, Direction, GetRequestError, Readiness, Source, Transport, Wait, Waker,
};

use super::addr::UnixAddr;
use super::bind::Bound;
use super::listener::Listener;
use super::name::UnixName;
use super::options::{UnixListening, UnixOptions, UnixTransport, sealed};
use crate::connection::Connection;
use crate::error::BindError;
use crate::stream_socket::{
    StreamSocket,
    sealed::{Block, Socket},
};
use crate::{sys, wait};

/// A transport of Unix stream sockets: listens at a path or another [`UnixName`].
///
/// It is a *transport*: the standard library's connection of the same name, which is what is inside its
/// requests, is [`std::os::unix::net::UnixStream`].
///
/// ```
/// use socketserver_core::{StreamRequest, Transport, Wait};
/// use socketserver_transports::UnixStream;
/// use std::io::Write;
///
/// # let folder = std::env::temp_dir().join(format!("stream-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("socket");
/// let server = UnixStream::bind(&path)?;
/// let mut client = std::os::unix::net::UnixStream::connect(&path)?;
/// client.write_all(b"hello")?;
///
/// server.wait(Wait::for_request())?;
/// let (connection, client_address) = server.get_request().unwrap();
/// assert!(client_address.is_unnamed());
/// let mut buffer = [0; 5];
/// connection.recv(&mut buffer)?;
/// assert_eq!(&buffer, b"hello");
/// # drop(server);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The socket's file is removed when the transport is dropped, if it is still the one that the
/// transport made; CPython leaves it. What to do about one that is there already, and who may connect,
/// are [options](UnixOptions). Handlers can ask
/// [who the client is](Connection::peer_credentials).
///
/// An existing listener is adopted with `UnixStream::from`, unchecked, or with
/// [`UnixOptions::adopt`], checked. It becomes non-blocking with the first wait, also for other
/// processes that share it; its file stays.
#[derive(Debug)]
pub struct UnixStream {
    listener: Listener,
}

impl UnixStream {
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

impl Transport for UnixStream {
    type Request = Connection<net::UnixStream>;

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
        Ok((Connection::new(socket.into()), client_address))
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

impl<A: Into<UnixName>> Bind<A> for UnixStream {
    type Error = BindError;

    fn bind(name: A) -> Result<Self, BindError> {
        Self::bind(name)
    }
}

impl UnixTransport for UnixStream {}

impl UnixListening for UnixStream {}

impl sealed::Make for UnixStream {
    const KIND: Type = Type::STREAM;

    fn of_bound(bound: Bound, options: &UnixOptions<Self>) -> Result<Self, sealed::FailedStep> {
        Ok(Self { listener: Listener::listen(bound, options)? })
    }

    fn of_ready(bound: Bound, options: &UnixOptions<Self>) -> Self {
        Self { listener: Listener::listening(bound, options) }
    }
}

/// Adopts a listener as it is; see [`UnixOptions::adopt`] for one with checks and options.
impl From<net::UnixListener> for UnixStream {
    fn from(listener: net::UnixListener) -> Self {
        OwnedFd::from(listener).into()
    }
}

/// Adopts a listening socket as it is; see [`UnixOptions::adopt`] for one with checks and options.
impl From<OwnedFd> for UnixStream {
    fn from(listener: OwnedFd) -> Self {
        sealed::Make::of_ready(Bound { file: None, socket: listener.into() }, &Self::options())
    }
}

impl AsFd for UnixStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.socket.as_fd()
    }
}

impl AsRawFd for UnixStream {
    fn as_raw_fd(&self) -> RawFd {
        self.listener.socket.as_raw_fd()
    }
}

impl Connection<net::UnixStream> {
    /// The socket as the standard library knows it; a duplicate of it if there are other handles.
    ///
    /// # Errors
    ///
    /// What the system says when the socket cannot be duplicated: too many open files, say.
    pub fn into_std(self) -> io::Result<net::UnixStream> {
        self.try_into_inner().or_else(|shared| shared.try_clone())
    }
}

impl StreamSocket for net::UnixStream {}

impl Socket for net::UnixStream {
    type Addr = UnixAddr;

    // A message that carries descriptors ends a receive early.
    const SHORT_IS_ALL: bool = false;

    fn source(&self) -> Source<'_> {
        self.as_fd()
    }

    fn receive(&self, buf: &mut [u8], block: Block) -> io::Result<usize> {
        match block {
            Block::Yes => io::Read::read(&mut &*self, buf),
            Block::No => sys::try_receive(self, buf),
        }
    }

    fn transmit(&self, buf: &[u8], block: Block) -> io::Result<usize> {
        match block {
            Block::Yes => io::Write::write(&mut &*self, buf),
            Block::No => sys::try_transmit(self, buf),
        }
    }

    fn wait(&self, direction: Direction, time: Option<Duration>) -> io::Result<bool> {
        wait::until_ready(self, direction, time)
    }

    fn limit(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.set_read_timeout(timeout)?;
        self.set_write_timeout(timeout)
    }

    /// There is no such algorithm.
    fn nodelay(&self, _nodelay: bool) -> io::Result<()> {
        Ok(())
    }

    fn bound_to(&self) -> io::Result<UnixAddr> {
        Ok(self.local_addr()?.into())
    }

    fn end(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn sever(&self, direction: Shutdown) -> io::Result<()> {
        self.shutdown(direction)
    }
}
