//! Who is at the other end of a Unix connection.

use std::io;
use std::os::fd::AsFd;

use super::platform;
use crate::connection::Connection;
use crate::stream_socket::StreamSocket;

/// The process at the other end of a Unix connection, as the system saw it when the client connected; or
/// the one that sent a Unix datagram, as it was then.
///
/// The client cannot forge it; what a packet's sender may choose says
/// [`Datagram::peer_credentials`](crate::Datagram::peer_credentials). The process may have ended since, its number may mean another one now,
/// and it may have handed the connection on: decide by user and group, not by the process.
///
/// ```
/// use socketserver_core::Transport;
/// use socketserver_transports::UnixStream;
///
/// # let folder = std::env::temp_dir().join(format!("credentials-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("socket");
/// let server = UnixStream::bind(&path)?;
/// let client = std::os::unix::net::UnixStream::connect(&path)?;
/// let (connection, _) = server.get_request().unwrap();
/// println!("user {}", connection.peer_credentials()?.uid());
/// # drop(server);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PeerCredentials {
    pid: Option<u32>,
    uid: u32,
    gid: u32,
}

impl PeerCredentials {
    pub(crate) const fn new(pid: Option<u32>, uid: u32, gid: u32) -> Self {
        Self { pid, uid, gid }
    }

    /// The number of the process.
    ///
    /// # Platform notes
    ///
    /// `None` where the system does not tell: on the BSDs, and on Linux for a process outside this
    /// one's namespace.
    pub const fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// The effective user; for a packet, the real one.
    pub const fn uid(&self) -> u32 {
        self.uid
    }

    /// The effective group; for a packet, the real one.
    pub const fn gid(&self) -> u32 {
        self.gid
    }
}

impl<S: UnixSocket> Connection<S> {
    /// Who the client is. In `verify_request` too:
    ///
    /// ```
    /// use socketserver_core::{HandlerResult, ServerHandle, Service};
    /// use socketserver_transports::{Connection, UnixAddr};
    /// use std::os::unix::net::UnixStream;
    ///
    /// struct OnlyRoot;
    ///
    /// impl Service<Connection<UnixStream>> for OnlyRoot {
    ///     fn verify_request(&self, client: &Connection<UnixStream>, _: &UnixAddr) -> bool {
    ///         client.peer_credentials().is_ok_and(|peer| peer.uid() == 0)
    ///     }
    ///
    ///     // and finish_request
    /// #   fn finish_request(
    /// #       &self,
    /// #       _: &mut Connection<UnixStream>,
    /// #       _: &UnixAddr,
    /// #       _: &ServerHandle,
    /// #   ) -> HandlerResult {
    /// #       Ok(())
    /// #   }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// What the system says.
    ///
    /// # Platform notes
    ///
    /// [`io::ErrorKind::Unsupported`] where there is no safe way to ask: on illumos and Solaris.
    pub fn peer_credentials(&self) -> io::Result<PeerCredentials> {
        platform::peer_credentials(self.as_fd())
    }
}

/// A socket of a Unix connection: one that knows who is at the other end.
pub trait UnixSocket: StreamSocket + AsFd {}

impl UnixSocket for std::os::unix::net::UnixStream {}
