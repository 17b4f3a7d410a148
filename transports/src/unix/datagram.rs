//! Unix datagrams: a socket whose packets are the requests. CPython's `UnixDatagramServer`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net;
use std::time::Duration;

use rustix::net::{RecvFlags, SendFlags, SocketAddrUnix, recvfrom, sendto};
use socket2::{SockRef, Type};
use socketserver_core::{Bind, GetRequestError, Readiness, Transport, Wait, Waker};

use super::addr::UnixAddr;
use super::bind::Bound;
use super::file::SocketFile;
use super::name::UnixName;
use super::options::{UnixOptions, UnixTransport, sealed};
use super::packet_credentials::PacketCredentials;
use super::platform;
use crate::datagram::{self, Datagram, DatagramSocket};
use crate::error::BindError;
use crate::packets::{PacketOptions, Packets};
use crate::wait::Waiter;

/// A transport of Unix datagram sockets: receives at a path or another [`UnixName`].
///
/// It is a *transport*: the standard library's socket of the same name is
/// [`std::os::unix::net::UnixDatagram`].
///
/// ```
/// use socketserver_core::{DatagramRequest, Transport, Wait};
/// use socketserver_transports::UnixDatagram;
///
/// # let folder = std::env::temp_dir().join(format!("datagram-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("socket");
/// # let client_path = folder.join("client");
/// let server = UnixDatagram::bind(&path)?;
/// let client = std::os::unix::net::UnixDatagram::bind(&client_path)?;
/// client.send_to(b"ping", &path)?;
///
/// server.wait(Wait::for_request())?;
/// let (request, client_address) = server.get_request().unwrap();
/// assert_eq!(client_address.as_pathname(), Some(client_path.as_path()));
/// request.reply(b"pong")?;
/// # drop(server);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A client that has not bound its socket has no address: its packets are requests like others, and only
/// replying to them is an error, [`io::ErrorKind::AddrNotAvailable`].
///
/// Who sent a packet is told if that [is asked for](UnixOptions::pass_credentials).
///
/// The socket's file is removed when the transport is dropped, as for
/// [`UnixStream`](super::UnixStream). An existing socket is adopted with `UnixDatagram::from`,
/// unchecked, or with [`UnixOptions::adopt`], checked. It becomes blocking with the first wait, also for
/// other processes that share it, with a limit on how long a send takes; its file stays.
#[derive(Debug)]
pub struct UnixDatagram {
    /// Before the socket, so that it is removed while the socket still receives.
    _file: Option<SocketFile>,
    packets: Packets<net::UnixDatagram>,
}

impl UnixDatagram {
    /// A send that must not block at all is not possible; this is next to it.
    const SHORTEST_SEND: Duration = Duration::from_millis(1);

    /// Binds with the default options.
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

    /// The socket.
    pub fn socket(&self) -> SockRef<'_> {
        self.packets.socket()
    }
}

impl Transport for UnixDatagram {
    type Request = Datagram<net::UnixDatagram>;

    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.packets.wait(wait)
    }

    fn waker(&self) -> Waker {
        self.packets.waker()
    }

    fn can_be_tried(&self) -> bool {
        true
    }

    fn get_request(&self) -> Result<(Self::Request, UnixAddr), GetRequestError> {
        self.packets.get_request()
    }

    fn local_addr(&self) -> io::Result<UnixAddr> {
        Ok(self.packets.raw().local_addr()?.into())
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

impl<A: Into<UnixName>> Bind<A> for UnixDatagram {
    type Error = BindError;

    fn bind(name: A) -> Result<Self, BindError> {
        Self::bind(name)
    }
}

impl UnixTransport for UnixDatagram {}

impl sealed::Make for UnixDatagram {
    const KIND: Type = Type::DGRAM;

    fn of_bound(bound: Bound, options: &UnixOptions<Self>) -> Result<Self, sealed::FailedStep> {
        Ok(Self::with(bound, options, options.packets))
    }

    fn of_ready(bound: Bound, options: &UnixOptions<Self>) -> Self {
        Self::with(bound, options, options.packets)
    }
}

impl UnixDatagram {
    fn with(mut bound: Bound, options: &UnixOptions<Self>, packets: PacketOptions) -> Self {
        let file = options.file_to_remove(&mut bound);
        let patience = packets.reply_timeout.max(Self::SHORTEST_SEND);
        // Without it a reply may take longer, and nothing else is wrong.
        let _ = bound.socket.set_write_timeout(Some(patience));
        let socket = net::UnixDatagram::from(bound.socket);
        // Only a send that blocks can wait for room in the client's queue.
        Self { _file: file, packets: Packets::new(socket, Waiter::of_blocking(), packets) }
    }
}

/// Adopts a socket as it is; see [`UnixOptions::adopt`] for one with checks and options.
impl From<net::UnixDatagram> for UnixDatagram {
    fn from(socket: net::UnixDatagram) -> Self {
        OwnedFd::from(socket).into()
    }
}

/// Adopts a bound socket as it is; see [`UnixOptions::adopt`] for one with checks and options.
impl From<OwnedFd> for UnixDatagram {
    fn from(socket: OwnedFd) -> Self {
        sealed::Make::of_ready(Bound { file: None, socket: socket.into() }, &Self::options())
    }
}

impl AsFd for UnixDatagram {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.packets.raw().as_fd()
    }
}

impl AsRawFd for UnixDatagram {
    fn as_raw_fd(&self) -> RawFd {
        self.packets.raw().as_raw_fd()
    }
}

impl DatagramSocket for net::UnixDatagram {}

impl datagram::sealed::Packets for net::UnixDatagram {
    type Addr = UnixAddr;
    type Credentials = PacketCredentials;

    fn socket_ref(&self) -> SockRef<'_> {
        SockRef::from(self)
    }

    fn receive(
        &self,
        buffer: &mut [u8],
        pass_credentials: bool,
    ) -> io::Result<(usize, UnixAddr, PacketCredentials)> {
        if pass_credentials {
            let (length, sender, credentials) = platform::receive_with_credentials(self, buffer)?;
            return Ok((length, sender, credentials.into()));
        }
        let (length, _, sender) = recvfrom(self, buffer, RecvFlags::DONTWAIT)?;
        let sender = sender
            .filter(|sender| usize::try_from(sender.addr_len()).is_ok_and(|len| len <= LONGEST))
            .and_then(|sender| SocketAddrUnix::try_from(sender).ok());
        let sender = sender.as_ref().map_or(UnixAddr::unnamed(), address);
        Ok((length, sender, PacketCredentials::NotAskedFor))
    }

    /// The socket blocks, and has the limit on a send as an option.
    fn send(&self, data: &[u8], to: &UnixAddr, _patience: Duration) -> io::Result<()> {
        let to = to.to_system()?;
        sendto(self, data, SendFlags::empty(), &to).map_err(|errno| timed_out(errno.into()))?;
        Ok(())
    }
}

/// What an address of a Unix socket takes at most. Linux lets a client bind a path without the NUL at its end
/// and then reports one byte more, which is more than can be read, or replied to: a client without a name.
pub(crate) const LONGEST: usize = 110;

fn address(sender: &SocketAddrUnix) -> UnixAddr {
    match (sender.path_bytes(), platform::abstract_name_in(sender)) {
        // A path that fills the address may come with a NUL that is not part of it.
        (Some(path), _) => UnixAddr::path(path.strip_suffix(b"\0").unwrap_or(path)),
        (None, Some(name)) => UnixAddr::abstract_name(name),
        (None, None) => UnixAddr::unnamed(),
    }
}

/// A blocking socket only ever "would block" because its timeout passed: that is how Unix says it.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}
