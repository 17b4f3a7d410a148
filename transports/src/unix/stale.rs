//! The file that a dead server left behind, and what to do about it.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use rustix::io::Errno;
use rustix::net::SocketAddrUnix;
use socket2::{Domain, Socket, Type};

use super::file::Identity;

/// What to do when the path of a Unix socket is taken.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum StaleSocket {
    /// Binding fails with [`io::ErrorKind::AddrInUse`], as in CPython, which leaves such a file behind
    /// each time.
    #[default]
    Fail,
    /// The file is removed if it is a socket and nobody listens there any more, which shows in that a
    /// connection is refused; else binding fails as with [`Fail`](Self::Fail).
    ///
    /// So a server that lives never loses its path, and a file of another kind is never removed. (A
    /// stream server that lives sees a client that connects and leaves.) Two servers that do this in the
    /// same folder at the same time wait for each other, with a lock on the folder (`flock`); of two for
    /// the same path one fails.
    ///
    /// What is left: a server that does not use this library, or one made with
    /// [`bind_only`](super::UnixOptions::bind_only), refuses connections between its bind and its
    /// listen, and looks dead then. And between the last look at the file and its removal, two system
    /// calls in a row, another program that replaces the file by itself would lose its own.
    Replace,
}

/// Removes the file at `path` if it is a socket where nobody listens, else fails. All right if it is gone.
pub(crate) fn remove(path: &Path, address: &SocketAddrUnix, kind: Type) -> io::Result<()> {
    let Some(before) = look(path)? else { return Ok(()) };
    if !is_refused(address, kind)? {
        return Err(in_use("somebody listens there"));
    }
    match look(path)? {
        Some(now) if now == before => {}
        _ => return Err(in_use("somebody else has just replaced it")),
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Which socket is there, if any.
fn look(path: &Path) -> io::Result<Option<Identity>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => Ok(Some(Identity::of(&metadata))),
        Ok(_) => Err(in_use("it is not a socket")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the system says that nobody is there. All other answers count as somebody: connected, a full
/// queue, no permission, a socket of another type.
fn is_refused(address: &SocketAddrUnix, kind: Type) -> io::Result<bool> {
    let probe = Socket::new(Domain::UNIX, kind, None)?;
    probe.set_nonblocking(true)?;
    Ok(matches!(rustix::net::connect(&probe, address), Err(Errno::CONNREFUSED | Errno::NOENT)))
}

fn in_use(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::AddrInUse, format!("the path is taken: {why}"))
}
