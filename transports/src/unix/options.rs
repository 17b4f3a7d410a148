//! The options of the Unix transports, as a value. They are the same for all but for what streams and
//! datagrams have of their own.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Socket, Type};

use super::bind::{self, Bound, HowToBind};
use super::bound::BoundUnix;
use super::datagram::UnixDatagram;
use super::file::FileOptions;
use super::name::UnixName;
use super::packet_credentials;
use super::stale::StaleSocket;
use crate::bind::{adoption_failed, check_kind};
use crate::error::{Attempt, BindError};
use crate::ip_options::SocketHook;
use crate::options::BACKLOG;
use crate::packets::PacketOptions;

/// How to make a Unix transport `T`: a builder that can be used many times.
///
/// ```
/// use socketserver_transports::{StaleSocket, UnixStream};
///
/// # let folder = std::env::temp_dir().join(format!("options-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("socket");
/// let options = UnixStream::options().stale(StaleSocket::Replace).mode(0o600);
/// let server = options.bind(&path)?;
/// assert!(path.exists());
/// drop(server);
/// assert!(!path.exists());
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct UnixOptions<T> {
    stale: StaleSocket,
    file: FileOptions,
    before_bind: Option<SocketHook>,
    pub(crate) before_listen: Option<SocketHook>,
    pub(crate) backlog: i32,
    pub(crate) reserve_descriptor: bool,
    pub(crate) packets: PacketOptions,
    transport: PhantomData<fn() -> T>,
}

/// A transport over Unix sockets. It is implemented for those of this crate, and cannot be implemented
/// elsewhere.
pub trait UnixTransport: sealed::Make {}

/// A Unix transport that listens for connections: [`UnixStream`](super::UnixStream), and
/// `UnixSeqpacket` where there is such a thing.
pub trait UnixListening: UnixTransport {}

/// Keeps [`UnixTransport`] to this crate.
pub(crate) mod sealed {
    use super::{Bound, Type, UnixOptions, io};
    use crate::error::BindStep;

    /// The step that failed, and what the system said.
    pub(crate) type FailedStep = (BindStep, io::Error);

    /// How a transport is made.
    pub trait Make: Sized {
        /// The type of its sockets.
        const KIND: Type;

        /// Makes it of a bound socket: listens, if that is what it does.
        fn of_bound(bound: Bound, options: &UnixOptions<Self>) -> Result<Self, FailedStep>;

        /// Makes it of a socket that is all it has to be.
        fn of_ready(bound: Bound, options: &UnixOptions<Self>) -> Self;
    }
}

impl<T> UnixOptions<T> {
    pub(crate) const fn new() -> Self {
        Self {
            stale: StaleSocket::Fail,
            file: FileOptions::new(),
            before_bind: None,
            before_listen: None,
            backlog: BACKLOG,
            reserve_descriptor: false,
            packets: PacketOptions::new(),
            transport: PhantomData,
        }
    }

    /// What to do when the path is taken. The default is to fail, as in CPython.
    pub const fn stale(mut self, stale: StaleSocket) -> Self {
        self.stale = stale;
        self
    }

    /// The mode of the socket's file, as for `chmod`: who may write to it may connect. The default is
    /// what the process's umask leaves of `0o777`. CPython has no such option.
    ///
    /// It is set before anybody can connect.
    ///
    /// # Platform notes
    ///
    /// On Linux the file never has more than this mode. Elsewhere a datagram socket takes packets of
    /// those whom the umask lets in until the mode is set, right after the bind. Some old systems do not
    /// look at the mode: there, protect the folder.
    pub const fn mode(mut self, mode: u32) -> Self {
        self.file.mode = Some(mode);
        self
    }

    /// The owner of the socket's file; `None` leaves it. The default is the user and the group of the
    /// process. CPython has no such option.
    ///
    /// Giving it to another user takes the privileges for that.
    pub const fn owner(mut self, user: Option<u32>, group: Option<u32>) -> Self {
        self.file.user = user;
        self.file.group = group;
        self
    }

    /// Whether the file stays when the transport is dropped, as in CPython. The default is that it is
    /// removed, if it is still the one that the transport made, and by the process that made it.
    pub const fn keep_file(mut self, keep: bool) -> Self {
        self.file.keep = keep;
        self
    }

    /// How long `handle_request` waits at most: CPython's `server.socket.settimeout()`. The smaller of
    /// this and the server's own timeout counts. The default is no limit.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.packets.timeout = Some(timeout);
        self
    }

    /// Calls `hook` with the new socket before it is bound. An error of the hook makes the bind fail.
    pub fn before_bind(
        mut self,
        hook: impl Fn(&Socket) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.before_bind = Some(Arc::new(hook));
        self
    }
}

impl<T: UnixTransport> UnixOptions<T> {
    /// Binds to a path or another [`UnixName`]; streams listen from then on.
    ///
    /// # Errors
    ///
    /// The error names the address and the step that failed; nothing is left behind. A path that is too
    /// long fails at [`BindStep::Resolve`](crate::BindStep::Resolve), one that is taken at
    /// [`BindStep::Bind`](crate::BindStep::Bind) or
    /// [`BindStep::ReplaceStale`](crate::BindStep::ReplaceStale).
    pub fn bind(&self, name: impl Into<UnixName>) -> Result<T, BindError> {
        self.bind_with(&name.into(), |bound| T::of_bound(bound, self).map_err(Attempt::of_step))
    }

    /// Adopts a socket that was bound elsewhere, and listens already if it is one that does: by a
    /// service manager or a test, say. Its file, if it has one, stays when the transport is dropped.
    ///
    /// # Errors
    ///
    /// [`BindStep::Adopt`](crate::BindStep::Adopt) when it is not a socket, not a Unix socket of this
    /// type, or (where the system can tell: not on macOS) does not listen.
    pub fn adopt(&self, socket: impl Into<Socket>) -> Result<T, BindError> {
        let socket = socket.into();
        let fits = socket.local_addr().is_ok_and(|address| address.is_unix());
        check_kind(&socket, T::KIND, fits, "it is not a Unix socket")
            .map_err(|error| adoption_failed("an adopted socket".to_owned(), error))?;
        if self.packets.pass_credentials {
            packet_credentials::ask_adopted(&socket)?;
        }
        Ok(T::of_ready(Bound { file: None, socket }, self))
    }

    fn bind_with<R>(
        &self,
        name: &UnixName,
        finish: impl FnOnce(Bound) -> Result<R, Attempt>,
    ) -> Result<R, BindError> {
        let how = HowToBind {
            kind: T::KIND,
            stale: self.stale,
            file: self.file,
            pass_credentials: self.packets.pass_credentials,
            before_bind: self.before_bind.as_ref(),
        };
        bind::bind(name, &how, finish)
    }
}

impl<T: UnixListening> UnixOptions<T> {
    /// How many connections may wait to be accepted; CPython's `request_queue_size`, which is 5 there
    /// before 3.15. The default is the most the system allows; the system cuts larger numbers down.
    ///
    /// When it is full a client's `connect` waits, or fails if the client does not block.
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.backlog = i32::try_from(backlog).unwrap_or(BACKLOG);
        self
    }

    /// Whether a descriptor is kept in reserve for the time when there are none left: as
    /// [`TcpOptions::reserve_descriptor`](crate::TcpOptions::reserve_descriptor). The default is not to.
    pub const fn reserve_descriptor(mut self, reserve: bool) -> Self {
        self.reserve_descriptor = reserve;
        self
    }

    /// Calls `hook` with the bound socket, before it listens: to drop privileges, say.
    pub fn before_listen(
        mut self,
        hook: impl Fn(&Socket) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.before_listen = Some(Arc::new(hook));
        self
    }

    /// Binds without listening: the name is taken, clients are refused, until
    /// [`BoundUnix::activate`]. CPython's `bind_and_activate=False` with `server_bind()`.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind).
    pub fn bind_only(&self, name: impl Into<UnixName>) -> Result<BoundUnix<T>, BindError> {
        let name = name.into();
        self.bind_with(&name, |bound| Ok(BoundUnix::new(name.clone(), bound, self.clone())))
    }
}

impl UnixOptions<UnixDatagram> {
    /// How many bytes of a packet are kept at most; CPython's `max_packet_size`. The default is 8192,
    /// as there.
    ///
    /// Each packet that is being handled takes a buffer of this size; a few are kept for the next ones.
    pub const fn max_packet_size(mut self, bytes: usize) -> Self {
        self.packets.max_packet_size = bytes;
        self
    }

    /// How long a reply waits at most while the client's queue is full; it then fails with
    /// [`io::ErrorKind::TimedOut`]. The default is a second. CPython waits for ever.
    ///
    /// # Platform notes
    ///
    /// macOS and the BSDs do not wait: there a full queue is an error at once.
    pub const fn reply_timeout(mut self, timeout: Duration) -> Self {
        self.packets.reply_timeout = timeout;
        self
    }
}

impl<T> Clone for UnixOptions<T> {
    fn clone(&self) -> Self {
        Self {
            before_bind: self.before_bind.clone(),
            before_listen: self.before_listen.clone(),
            ..*self
        }
    }
}

impl<T> fmt::Debug for UnixOptions<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixOptions")
            .field("stale", &self.stale)
            .field("file", &self.file)
            .field("before_bind", &self.before_bind.is_some())
            .field("before_listen", &self.before_listen.is_some())
            .field("backlog", &self.backlog)
            .field("reserve_descriptor", &self.reserve_descriptor)
            .field("packets", &self.packets)
            .finish()
    }
}

impl<T> UnixOptions<T> {
    /// The file of a bound socket, if it is to be removed with the transport.
    pub(crate) fn file_to_remove(&self, bound: &mut Bound) -> Option<super::file::SocketFile> {
        let file = bound.file.take()?;
        if self.file.keep {
            file.keep();
            return None;
        }
        Some(file)
    }
}
