//! Who sent a Unix datagram.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net;

use socket2::Socket;

use super::credentials::PeerCredentials;
use super::datagram::UnixDatagram;
use super::options::UnixOptions;
use super::platform;
use crate::datagram::Datagram;
use crate::error::{Attempt, BindError, BindStep};

/// The name of the option, for errors.
pub(crate) const PASS_CREDENTIALS: &str = "pass_credentials";

/// What is known of a packet's sender.
#[derive(Clone, Copy, Debug)]
pub enum PacketCredentials {
    /// The transport does not ask.
    NotAskedFor,
    /// The system did not tell.
    NotDelivered,
    /// It told.
    Known(PeerCredentials),
}

impl From<Option<PeerCredentials>> for PacketCredentials {
    fn from(credentials: Option<PeerCredentials>) -> Self {
        credentials.map_or(Self::NotDelivered, Self::Known)
    }
}

/// Asks for credentials on a socket that was bound elsewhere.
pub(crate) fn ask_adopted(socket: &Socket) -> Result<(), BindError> {
    platform::pass_credentials(socket.as_fd()).map_err(|error| {
        let attempt = Attempt::new(BindStep::Option(PASS_CREDENTIALS), error);
        BindError::new("an adopted socket".to_owned(), Vec::new(), attempt)
    })
}

impl UnixOptions<UnixDatagram> {
    /// Whether the system tells with each packet who sent it, for
    /// [`Datagram::peer_credentials`]; `SO_PASSCRED`. The default is that it does not. CPython has no
    /// such option.
    ///
    /// # Platform notes
    ///
    /// On Linux and Android only. Elsewhere binding and adopting fail with
    /// [`io::ErrorKind::Unsupported`] at the step
    /// [`BindStep::Option("pass_credentials")`](BindStep::Option).
    ///
    /// Packets that an adopted socket was sent before are those of no process and of the user and the
    /// group that stand for unknown ones, 65534 as a rule.
    pub const fn pass_credentials(mut self, pass: bool) -> Self {
        self.packets.pass_credentials = pass;
        self
    }
}

impl Datagram<net::UnixDatagram> {
    /// Who sent the packet, as the process was when it did: in `verify_request` and in handlers, if
    /// [`UnixOptions::pass_credentials`] asked for it.
    ///
    #[cfg_attr(any(target_os = "linux", target_os = "android"), doc = "```")]
    #[cfg_attr(not(any(target_os = "linux", target_os = "android")), doc = "```no_run")]
    /// use socketserver_core::{Transport, Wait};
    /// use socketserver_transports::UnixDatagram;
    ///
    /// # let folder = std::env::temp_dir().join(format!("sender-doc-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let path = folder.join("socket");
    /// let server = UnixDatagram::options().pass_credentials(true).bind(&path)?;
    /// let client = std::os::unix::net::UnixDatagram::unbound()?;
    /// client.send_to(b"it is me", &path)?;
    ///
    /// server.wait(Wait::for_request())?;
    /// let (request, _) = server.get_request().unwrap();
    /// assert_eq!(request.peer_credentials()?.pid(), Some(std::process::id()));
    /// # drop(server);
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// The user and the group are the *real* ones of the sender: of who started it, where a program runs
    /// as another user. A sender may name its effective or saved ones instead, and one with the
    /// privileges for that may name anybody.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] when the transport was not made with
    /// [`UnixOptions::pass_credentials`], [`io::ErrorKind::NotFound`] when the system did not deliver them:
    /// so it is for a packet with descriptors attached, which are not received.
    ///
    /// # Platform notes
    ///
    /// On Linux and Android only: elsewhere no transport can be made that asks for them.
    pub fn peer_credentials(&self) -> io::Result<PeerCredentials> {
        match self.credentials() {
            PacketCredentials::Known(credentials) => Ok(credentials),
            PacketCredentials::NotAskedFor => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the transport was made without pass_credentials",
            )),
            PacketCredentials::NotDelivered => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the packet came without the credentials of its sender",
            )),
        }
    }
}
