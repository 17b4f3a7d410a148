//! Being told that a child has ended, by the best means the system has.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::process::Pid;

#[cfg(target_os = "linux")]
use super::pidfd::{PidFds, Watched};
use super::signal::SignalPipe;

/// Becomes readable when a child may have ended.
#[derive(Debug)]
pub(super) enum Notifier {
    /// Knows which.
    #[cfg(target_os = "linux")]
    PidFds(PidFds),
    /// Knows that some child of the process has.
    Signal(SignalPipe),
}

/// What has to live as long as a child is watched.
#[derive(Debug)]
pub(super) enum Watch {
    #[cfg(target_os = "linux")]
    PidFd {
        _watched: Watched,
    },
    Signal,
}

/// Which children have ended.
pub(super) enum Ended {
    /// These.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux can tell"))]
    These(Vec<Pid>),
    /// Any of them may have; each has to be asked.
    PerhapsAny,
}

impl Notifier {
    #[cfg(target_os = "linux")]
    pub(super) fn new() -> io::Result<Self> {
        match PidFds::new() {
            Ok(pidfds) => Ok(Self::PidFds(pidfds)),
            // The kernel is older, or somebody forbids it.
            Err(_) => SignalPipe::new().map(Self::Signal),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn new() -> io::Result<Self> {
        SignalPipe::new().map(Self::Signal)
    }

    pub(super) fn source(&self) -> BorrowedFd<'_> {
        match self {
            #[cfg(target_os = "linux")]
            Self::PidFds(pidfds) => pidfds.source(),
            Self::Signal(pipe) => pipe.source(),
        }
    }

    /// Watches one more child.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(unused_variables, reason = "a signal tells of all")
    )]
    pub(super) fn watch(&self, pid: Pid) -> Watch {
        match self {
            #[cfg(target_os = "linux")]
            Self::PidFds(pidfds) => Watch::PidFd { _watched: pidfds.watch(pid) },
            Self::Signal(_) => Watch::Signal,
        }
    }

    /// Which children have ended since this was last asked.
    pub(super) fn ended(&self) -> Ended {
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
