//! The name that a Unix socket is to be bound to.

use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::net::SocketAddrUnix;

use super::addr::UnixAddr;
use super::platform;

/// What to bind a Unix socket to: a path, or on Linux an abstract name, or one that the system picks.
///
/// Paths convert into it, so wherever a name is asked for a path will do. CPython marks the other two by
/// a path that begins with a zero byte, or is empty; here each has a constructor, and those paths are
/// errors.
///
#[cfg_attr(any(target_os = "linux", target_os = "android"), doc = "```")]
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), doc = "```no_run")]
/// use socketserver_core::Transport;
/// use socketserver_transports::{UnixName, UnixStream};
///
/// let name = format!("example {}", std::process::id());
/// let server = UnixStream::bind(UnixName::abstract_name(&name))?;
/// assert_eq!(server.local_addr()?.as_abstract_name(), Some(name.as_bytes()));
///
/// let server = UnixStream::bind(UnixName::autobind())?;
/// assert!(server.local_addr()?.as_abstract_name().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct UnixName(Kind);

#[derive(Clone, Eq, Hash, PartialEq)]
enum Kind {
    Path(PathBuf),
    Abstract(Vec<u8>),
    Autobind,
}

impl UnixName {
    /// A name that is not in the file system: it is free again when the socket is closed, and anybody
    /// in the same network namespace can connect to it. CPython's `"\0name"`.
    ///
    /// # Platform notes
    ///
    /// Linux only; elsewhere binding fails with [`io::ErrorKind::Unsupported`].
    pub fn abstract_name(name: impl AsRef<[u8]>) -> Self {
        Self(Kind::Abstract(name.as_ref().to_vec()))
    }

    /// An abstract name that the system picks and nobody else has, five hexadecimal digits. CPython's
    /// `""`.
    ///
    /// # Platform notes
    ///
    /// Linux only; elsewhere binding fails with [`io::ErrorKind::Unsupported`].
    pub const fn autobind() -> Self {
        Self(Kind::Autobind)
    }

    /// The path, if it is one.
    pub(crate) fn as_path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Path(path) => Some(path),
            _ => None,
        }
    }

    /// The name in the form that the socket functions use.
    pub(crate) fn to_system(&self) -> io::Result<SocketAddrUnix> {
        match &self.0 {
            Kind::Path(path) => system_path(path),
            Kind::Abstract(name) => platform::abstract_address(name),
            Kind::Autobind => platform::autobind_address(),
        }
    }
}

fn system_path(path: &Path) -> io::Result<SocketAddrUnix> {
    let mistake = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() {
        return mistake("the path is empty".to_owned());
    }
    if bytes.contains(&0) {
        return mistake("the path has a zero byte in it".to_owned());
    }
    if bytes.len() > platform::LONGEST_PATH {
        let (length, longest) = (bytes.len(), platform::LONGEST_PATH);
        return mistake(format!(
            "the path is too long for a socket: {length} bytes of at most {longest}"
        ));
    }
    Ok(SocketAddrUnix::new(bytes)?)
}

impl fmt::Display for UnixName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Path(path) => fmt::Display::fmt(&path.display(), f),
            Kind::Abstract(name) => write!(f, "@{}", name.escape_ascii()),
            Kind::Autobind => f.write_str("a name of the system's choice"),
        }
    }
}

/// As `Display`; a path in quotes.
impl fmt::Debug for UnixName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Path(path) => fmt::Debug::fmt(path, f),
            _ => fmt::Display::fmt(self, f),
        }
    }
}

impl From<PathBuf> for UnixName {
    fn from(path: PathBuf) -> Self {
        Self(Kind::Path(path))
    }
}

impl From<&PathBuf> for UnixName {
    fn from(path: &PathBuf) -> Self {
        path.clone().into()
    }
}

impl From<&Path> for UnixName {
    fn from(path: &Path) -> Self {
        path.to_path_buf().into()
    }
}

impl From<&str> for UnixName {
    fn from(path: &str) -> Self {
        PathBuf::from(path).into()
    }
}

impl From<String> for UnixName {
    fn from(path: String) -> Self {
        PathBuf::from(path).into()
    }
}

impl From<&String> for UnixName {
    fn from(path: &String) -> Self {
        path.as_str().into()
    }
}

/// The name that a socket was bound to; of an unnamed one, [`autobind`](Self::autobind).
impl From<&UnixAddr> for UnixName {
    fn from(address: &UnixAddr) -> Self {
        match (address.as_pathname(), address.as_abstract_name()) {
            (Some(path), _) => path.into(),
            (None, Some(name)) => Self::abstract_name(name),
            (None, None) => Self::autobind(),
        }
    }
}

impl From<UnixAddr> for UnixName {
    fn from(address: UnixAddr) -> Self {
        Self::from(&address)
    }
}
