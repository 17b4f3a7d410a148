//! A place of its own for each test: a folder that goes with it, and an address.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// A new and empty folder, removed when it is dropped.
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("ss-{}-{}", process::id(), next()));
        fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    #[cfg_attr(windows, expect(dead_code, reason = "there are no sockets in folders"))]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.path).unwrap();
    }
}

/// A loopback address that no other test uses, where there are several: a port of it that was closed
/// is not taken by another test.
pub(crate) fn loopback() -> Ipv4Addr {
    if cfg!(any(target_os = "linux", windows)) {
        let [_, _, high, low] = process::id().to_be_bytes();
        Ipv4Addr::new(127, 1 + high % 250, low, 1 + u8::try_from(next() % 250).unwrap())
    } else {
        Ipv4Addr::LOCALHOST
    }
}

fn next() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
