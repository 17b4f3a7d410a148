//! The address of a Unix socket, as the system reports it.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use rustix::net::SocketAddrUnix;
use socket2::SockAddr;

use super::platform;

/// The address of a Unix socket: a path, an abstract name (Linux), or none at all, which is what most
/// clients have.
///
/// CPython has a `str` for a path, `bytes` for an abstract name, and for a client without a name `''`
/// or `None`, depending on the type of the socket.
///
/// It is shown as the path, as `@name`, or as `(unnamed)`.
///
/// ```
/// use socketserver_core::Transport;
/// use socketserver_transports::{UnixAddr, UnixStream};
///
/// # let folder = std::env::temp_dir().join(format!("addr-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("socket");
/// let server = UnixStream::bind(&path)?;
/// let address = server.local_addr()?;
/// assert_eq!(address.as_pathname(), Some(path.as_path()));
/// assert_eq!(address.to_string(), path.display().to_string());
/// # drop(server);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct UnixAddr {
    kind: Kind,
    length: u8,
    /// All zero behind `length`.
    bytes: [u8; Self::LONGEST],
}

#[derive(Clone, Copy, Eq, Hash, PartialEq)]
enum Kind {
    Unnamed,
    Path,
    Abstract,
}

impl UnixAddr {
    /// The size of the system's own address; some have a little less.
    const LONGEST: usize = 108;

    /// The address of a socket that has none.
    pub const fn unnamed() -> Self {
        Self { kind: Kind::Unnamed, length: 0, bytes: [0; Self::LONGEST] }
    }

    pub(crate) fn path(path: &[u8]) -> Self {
        Self::named(Kind::Path, path)
    }

    pub(crate) fn abstract_name(name: &[u8]) -> Self {
        Self::named(Kind::Abstract, name)
    }

    /// The address in the form that the socket functions use.
    pub(crate) fn of(address: &SockAddr) -> Self {
        if address.is_unnamed() {
            return Self::unnamed();
        }
        if let Some(name) = address.as_abstract_namespace() {
            return Self::abstract_name(name);
        }
        let path = address.as_pathname();
        path.map_or(Self::unnamed(), |path| Self::path(path.as_os_str().as_bytes()))
    }

    /// The address in the form that packets are sent to.
    pub(crate) fn to_system(self) -> io::Result<SocketAddrUnix> {
        match self.kind {
            Kind::Path => Ok(SocketAddrUnix::new(self.bytes())?),
            Kind::Abstract => platform::abstract_address(self.bytes()),
            Kind::Unnamed => {
                let what = "the client has no address to reply to";
                Err(io::Error::new(io::ErrorKind::AddrNotAvailable, what))
            }
        }
    }

    fn named(kind: Kind, name: &[u8]) -> Self {
        let mut bytes = [0; Self::LONGEST];
        // The system has no longer ones.
        let length = name.len().min(Self::LONGEST);
        bytes[..length].copy_from_slice(&name[..length]);
        Self { kind, length: u8::try_from(length).unwrap_or(u8::MAX), bytes }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Whether the socket has no address.
    pub const fn is_unnamed(&self) -> bool {
        matches!(self.kind, Kind::Unnamed)
    }

    /// The path, if that is what the address is. It is what was given when the socket was bound, so
    /// it may be relative.
    pub fn as_pathname(&self) -> Option<&Path> {
        (self.kind == Kind::Path).then(|| Path::new(OsStr::from_bytes(self.bytes())))
    }

    /// The abstract name, if that is what the address is, without the zero byte in front that CPython
    /// shows.
    ///
    /// # Platform notes
    ///
    /// Linux only; elsewhere there is none.
    pub fn as_abstract_name(&self) -> Option<&[u8]> {
        (self.kind == Kind::Abstract).then(|| self.bytes())
    }
}

impl fmt::Display for UnixAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Unnamed => f.write_str("(unnamed)"),
            Kind::Path => {
                fmt::Display::fmt(&Path::new(OsStr::from_bytes(self.bytes())).display(), f)
            }
            Kind::Abstract => write!(f, "@{}", self.bytes().escape_ascii()),
        }
    }
}

/// As `Display`; a path in quotes.
impl fmt::Debug for UnixAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_pathname() {
            Some(path) => fmt::Debug::fmt(path, f),
            None => fmt::Display::fmt(self, f),
        }
    }
}

impl From<&SocketAddr> for UnixAddr {
    fn from(address: &SocketAddr) -> Self {
        match address.as_pathname() {
            Some(path) => Self::path(path.as_os_str().as_bytes()),
            None => {
                platform::abstract_name_of(address).map_or(Self::unnamed(), Self::abstract_name)
            }
        }
    }
}

impl From<SocketAddr> for UnixAddr {
    fn from(address: SocketAddr) -> Self {
        Self::from(&address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_shows_itself() {
        let path = UnixAddr::path(b"/run/a socket");
        assert_eq!(
            (path.to_string(), format!("{path:?}")),
            ("/run/a socket".into(), "\"/run/a socket\"".into())
        );
        let name = UnixAddr::abstract_name(b"a\0b");
        assert_eq!((name.to_string(), format!("{name:?}")), ("@a\\x00b".into(), "@a\\x00b".into()));
        assert_eq!(UnixAddr::unnamed().to_string(), "(unnamed)");
    }

    #[test]
    fn the_same_bytes_are_not_the_same_name_in_another_kind() {
        assert_ne!(UnixAddr::path(b"x"), UnixAddr::abstract_name(b"x"));
        assert_ne!(UnixAddr::abstract_name(b""), UnixAddr::unnamed());
        assert_eq!(UnixAddr::path(b"x"), UnixAddr::path(b"x"));
    }
}
