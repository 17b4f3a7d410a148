//! Being told that a child has ended, by the best means the system has.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
#[cfg(target_os = "linux")]
use rustix::io::Errno;
use rustix::process::Pid;

#[cfg(target_os = "linux")]
use super::pidfd::{PidFds, Watched};
use super::signal::SignalPipe;

/// Becomes readable when a child may have ended.
#[derive(Debug)]
pub(crate) enum Notifier {
    /// Knows which.
    #[cfg(target_os = "linux")]
    PidFds(PidFds),
    /// Knows that some child of the process has.
    Signal(Arc<SignalPipe>),
}

/// What has to live as long as a child is watched.
#[derive(Debug)]
pub(crate) enum Watch {
    #[cfg(target_os = "linux")]
    PidFd { _watched: Watched },
    /// The signal is asked for as long as a child may send it.
    Signal { _pipe: Arc<SignalPipe> },
}

/// Which children have ended.
pub(crate) enum Ended {
    /// These.
    These(Vec<Pid>),
    /// Any of them may have; each has to be asked.
    PerhapsAny,
}

impl Notifier {
    #[cfg(target_os = "linux")]
    pub(crate) fn new() -> io::Result<Self> {
        match PidFds::new() {
            Ok(pidfds) => Ok(Self::PidFds(pidfds)),
            // It would be the same with a signal, and may be better later.
            Err(error) if error.raw_os_error() == Some(Errno::MFILE.raw_os_error()) => Err(error),
            // The kernel is older, or somebody forbids it.
            Err(_) => SignalPipe::new().map(Arc::new).map(Self::Signal),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new() -> io::Result<Self> {
        SignalPipe::new().map(Arc::new).map(Self::Signal)
    }

    pub(crate) fn source(&self) -> BorrowedFd<'_> {
        match self {
            #[cfg(target_os = "linux")]
            Self::PidFds(pidfds) => pidfds.source(),
            Self::Signal(pipe) => pipe.source(),
        }
    }

    /// Waits until a child may have ended, or one of the others is readable, for no longer than `timeout`.
    pub(crate) fn wait(
        &self,
        timeout: Duration,
        others: [Option<BorrowedFd<'_>>; 2],
    ) -> io::Result<()> {
        // Where the system counts milliseconds in 32 bits a longer wait is an error.
        const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
        let timeout = Timespec::try_from(timeout.min(LONGEST)).ok();
        let own = || PollFd::from_borrowed_fd(self.source(), PollFlags::IN);
        let other =
            |fd: Option<_>| fd.map_or_else(own, |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        let [first, second] = others;
        let mut sources = [own(), other(first), other(second)];
        poll(&mut sources, timeout.as_ref()).map(drop).map_err(Into::into)
    }

    /// Watches one more child.
    pub(crate) fn watch(&self, pid: Pid) -> Watch {
        match self {
            #[cfg(target_os = "linux")]
            Self::PidFds(pidfds) => Watch::PidFd { _watched: pidfds.watch(pid) },
            Self::Signal(pipe) => {
                // The signal tells of all children.
                let _ = pid;
                Watch::Signal { _pipe: Arc::clone(pipe) }
            }
        }
    }

    /// Whether it knows which children have ended; if not, the next signal is a reason to ask them all.
    pub(crate) fn tells_which(&self) -> bool {
        !matches!(self, Self::Signal(_))
    }

    /// Forgets what it has said so far, when there is no child that it could be about.
    pub(crate) fn forget(&self) {
        match self {
            // A descriptor that nobody watches any more says nothing.
            #[cfg(target_os = "linux")]
            Self::PidFds(_) => {}
            Self::Signal(pipe) => {
                pipe.clear();
            }
        }
    }

    /// Which children have ended since this was last asked.
    pub(crate) fn ended(&self) -> Ended {
        match self {
            #[cfg(target_os = "linux")]
            Self::PidFds(pidfds) => pidfds.ended(),
            Self::Signal(pipe) => {
                if pipe.clear() {
                    Ended::PerhapsAny
                } else {
                    Ended::These(Vec::new())
                }
            }
        }
    }
}
