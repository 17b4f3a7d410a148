//! A lock on a folder, so that two servers do not replace a stale socket in it at the same time.

use std::os::fd::OwnedFd;
use std::path::{Component, Path};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;

/// Held until it is dropped.
#[derive(Debug)]
pub(crate) struct FolderLock {
    /// Closing it unlocks. `None` if the folder cannot be locked at all.
    _folder: Option<OwnedFd>,
}

impl FolderLock {
    /// It is held for a few system calls; who holds it for longer is no server of this kind.
    const PATIENCE: Duration = Duration::from_secs(2);
    const PAUSE: Duration = Duration::from_millis(2);

    /// Locks the folder that `path` is in. On file systems without locks, in a folder that must not be
    /// read, and when somebody else does not let go of the lock, it locks nothing: anybody who may read the folder
    /// can lock it, and must not be able to keep a server from its start.
    pub(crate) fn of(path: &Path) -> Self {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(folder) = open(folder_of(path), flags, Mode::empty()) else {
            return Self { _folder: None };
        };
        let deadline = Instant::now() + Self::PATIENCE;
        loop {
            match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Self { _folder: Some(folder) },
                Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < deadline => {
                    thread::sleep(Self::PAUSE);
                }
                Err(_) => return Self { _folder: None },
            }
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.components().next().is_some() => parent,
        _ => Path::new(Component::CurDir.as_os_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_in_the_current_folder() {
        assert_eq!(folder_of(Path::new("socket")), Path::new("."));
        assert_eq!(folder_of(Path::new("/run/socket")), Path::new("/run"));
        assert_eq!(folder_of(Path::new("/socket")), Path::new("/"));
    }
}
