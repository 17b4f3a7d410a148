//! Whether this process may simply fork: has it other threads?

use std::io;
use std::thread;
use std::time::Duration;

/// An error unless the calling thread is the only one.
pub(super) fn must_be_alone() -> io::Result<()> {
    let mut threads = count()?;
    // A thread that was just joined may still be counted for a moment.
    for _ in 0..10 {
        if threads == 1 {
            break;
        }
        thread::sleep(Duration::from_millis(1));
        threads = count()?;
    }
    match threads {
        1 => Ok(()),
        threads => Err(io::Error::other(format!(
            "cannot fork safely: the process has {threads} threads (see Fork::with_other_threads)"
        ))),
    }
}

/// How many threads there are: each has a folder, and each folder is a link to the one they are in.
#[cfg(target_os = "linux")]
fn count() -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt;

    let links = std::fs::metadata("/proc/self/task")?.nlink();
    // `.` and the name of the folder itself.
    Ok(links.saturating_sub(2))
}

#[cfg(not(target_os = "linux"))]
fn count() -> io::Result<u64> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "cannot tell whether forking is safe: this system does not say how many threads there are \
         (see Fork::with_other_threads)",
    ))
}
