//! The file of a socket: who may connect, and that it goes when the server goes.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf, absolute};
use std::process;

/// How the file of a socket is made and unmade.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileOptions {
    pub(crate) mode: Option<u32>,
    pub(crate) user: Option<u32>,
    pub(crate) group: Option<u32>,
    pub(crate) keep: bool,
}

impl FileOptions {
    pub(crate) const fn new() -> Self {
        Self { mode: None, user: None, group: None, keep: false }
    }

    /// Whether something is asked for that only a file can have.
    pub(crate) const fn ask_for_a_file(&self) -> bool {
        self.mode.is_some() || self.user.is_some() || self.group.is_some()
    }
}

/// The file that a socket made when it was bound. Dropping it removes the file, if it is still that one
/// and this is still the process that made it: a forked child that closes its copy leaves it.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: Identity,
    process: u32,
}

/// What tells a file from another one of the same name. The number is not given to another file while the
/// socket that made this one is open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

impl SocketFile {
    /// The file that was just made at `path`.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        // The process may change its folder before it removes the file.
        let path = absolute(path)?;
        let identity = Identity::of(&fs::symlink_metadata(&path)?);
        Ok(Self { path, identity, process: process::id() })
    }

    pub(crate) fn set_mode(&self, mode: u32) -> io::Result<()> {
        // Where the mode was right from the bind on there is nothing to do. To follow a link that somebody put in
        // the place of the file would change another one.
        let now = fs::symlink_metadata(&self.path)?;
        if Identity::of(&now) != self.identity {
            return Err(io::Error::new(io::ErrorKind::NotFound, "somebody has replaced the file"));
        }
        if now.permissions().mode() & 0o7777 == mode & 0o7777 {
            return Ok(());
        }
        fs::set_permissions(&self.path, fs::Permissions::from_mode(mode))
    }

    pub(crate) fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
        lchown(&self.path, user, group)
    }

    /// The file stays.
    pub(crate) fn keep(mut self) {
        self.path.clear();
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = || {
            let metadata = fs::symlink_metadata(&self.path).ok()?;
            Some(Identity::of(&metadata) == self.identity)
        };
        if self.process == process::id() && ours() == Some(true) {
            // Not allowed, or somebody was faster: there is nobody to tell.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_in_another_process_leaves_the_file() {
        let path = std::env::temp_dir().join(format!("ss-file-{}", process::id()));
        fs::write(&path, "").unwrap();
        let mut file = SocketFile::at(&path).unwrap();
        file.process += 1;
        drop(file);
        assert!(path.exists());
        drop(SocketFile::at(&path).unwrap());
        assert!(!path.exists());
    }
}
