//! `SIGCHLD`, turned into something readable. Handlers that were there before, or come later, get theirs too.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::SigId;
use signal_hook::consts::SIGCHLD;
use signal_hook::low_level::{pipe, unregister};

/// Readable after a child of the process ended.
#[derive(Debug)]
pub(crate) struct SignalPipe {
    end: UnixStream,
    registration: SigId,
}

impl SignalPipe {
    pub(crate) fn new() -> io::Result<Self> {
        let (end, signalled) = UnixStream::pair()?;
        end.set_nonblocking(true)?;
        let registration = pipe::register(SIGCHLD, signalled)?;
        Ok(Self { end, registration })
    }

    pub(crate) fn source(&self) -> BorrowedFd<'_> {
        self.end.as_fd()
    }

    /// Forgets the signals so far; says whether there were any.
    pub(crate) fn clear(&self) -> bool {
        let mut signals = [0; 64];
        let mut any = false;
        while let Ok(read @ 1..) = (&self.end).read(&mut signals) {
            any = true;
            if read < signals.len() {
                break;
            }
        }
        any
    }
}

impl Drop for SignalPipe {
    fn drop(&mut self) {
        unregister(self.registration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_any_child_makes_it_readable() {
        let pipe = SignalPipe::new().unwrap();
        assert!(!pipe.clear());
        let other = SignalPipe::new().unwrap();
        std::process::Command::new("true").status().unwrap();
        // The signal comes before or soon after the wait for the child ends.
        for pipe in [&pipe, &other] {
            pipe.end.set_nonblocking(false).unwrap();
            assert!(pipe.clear());
        }
    }
}
