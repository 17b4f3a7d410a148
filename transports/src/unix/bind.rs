//! From a name to a bound Unix socket: stale files, modes and owners. Each failure says where.

use std::io;
use std::os::fd::AsFd;

use rustix::io::Errno;
use socket2::{Domain, Socket, Type};

use super::file::{FileOptions, SocketFile};
use super::lock::FolderLock;
use super::name::UnixName;
use super::packet_credentials::PASS_CREDENTIALS;
use super::platform;
use super::stale::{self, StaleSocket};
use crate::error::{Attempt, BindError, BindStep};
use crate::ip_options::SocketHook;

/// A bound socket with its file.
#[derive(Debug)]
pub struct Bound {
    /// Before the socket, so that it is removed while the socket still listens: nobody finds a file
    /// where nobody listens.
    pub(crate) file: Option<SocketFile>,
    pub(crate) socket: Socket,
}

/// What a socket is bound with.
pub(crate) struct HowToBind<'a> {
    pub(crate) kind: Type,
    pub(crate) stale: StaleSocket,
    pub(crate) file: FileOptions,
    pub(crate) pass_credentials: bool,
    pub(crate) before_bind: Option<&'a SocketHook>,
}

/// Binds, and lets `finish` make what is wanted of the bound socket; a lock that protects it from being
/// taken for a stale one is held until then.
pub(crate) fn bind<T>(
    name: &UnixName,
    how: &HowToBind<'_>,
    finish: impl FnOnce(Bound) -> Result<T, Attempt>,
) -> Result<T, BindError> {
    let made = bind_under_lock(name, how).and_then(|(bound, lock)| {
        let made = finish(bound);
        drop(lock);
        made
    });
    made.map_err(|attempt| failed(name, attempt))
}

/// The error of a name.
pub(crate) fn failed(name: &UnixName, attempt: Attempt) -> BindError {
    BindError::new(format!("{name:?}"), Vec::new(), attempt.with_address(name))
}

fn bind_under_lock(
    name: &UnixName,
    how: &HowToBind<'_>,
) -> Result<(Bound, Option<FolderLock>), Attempt> {
    let at = |step| move |error| Attempt::new(step, error);
    let path = name.as_path();
    if path.is_none() && how.file.ask_for_a_file() {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "the name is not that of a file");
        return Err(Attempt::new(BindStep::Option("mode or owner"), error));
    }
    let address = name.to_system().map_err(at(BindStep::Resolve))?;
    let socket = Socket::new(Domain::UNIX, how.kind, None).map_err(at(BindStep::Create))?;
    if let Some(mode) = how.file.mode {
        let set = platform::set_mode_before_bind(socket.as_fd(), mode);
        set.map_err(at(BindStep::Option("mode")))?;
    }
    if how.pass_credentials {
        let set = platform::pass_credentials(socket.as_fd());
        set.map_err(at(BindStep::Option(PASS_CREDENTIALS)))?;
    }
    if let Some(hook) = how.before_bind {
        hook(&socket).map_err(at(BindStep::BeforeBind))?;
    }
    let lock = match (how.stale, path) {
        (StaleSocket::Replace, Some(path)) => Some(FolderLock::of(path)),
        _ => None,
    };
    let mut bound = rustix::net::bind(&socket, &address);
    if let (Err(Errno::ADDRINUSE), Some(_), Some(path)) = (bound, &lock, path) {
        stale::remove(path, &address, how.kind).map_err(at(BindStep::ReplaceStale))?;
        bound = rustix::net::bind(&socket, &address);
    }
    bound.map_err(|errno| Attempt::new(BindStep::Bind, errno.into()))?;
    let file = match path {
        Some(path) => Some(SocketFile::at(path).map_err(at(BindStep::Bind))?),
        None => None,
    };
    // From here on a failure removes the file.
    if let Some(file) = &file {
        // The owner first: changing it may clear bits of the mode.
        if how.file.user.is_some() || how.file.group.is_some() {
            let set = file.set_owner(how.file.user, how.file.group);
            set.map_err(at(BindStep::Option("owner")))?;
        }
        if let Some(mode) = how.file.mode {
            file.set_mode(mode).map_err(at(BindStep::Option("mode")))?;
        }
    }
    Ok((Bound { file, socket }, lock))
}
