//! Servers that fork: the only unsafe code of the benchmark, because forking is. No thread has been started in these
//! processes.

use std::process;

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork as fork_process};
use rustix::process::{Signal, set_parent_process_death_signal};

use super::listen::{converse, listen};
use crate::Outcome;
use crate::subject::PREFORK;
use crate::workload::Workload;

/// A process for each connection; those that have ended are reaped after the next accept, as old servers do.
pub(super) fn fork(workload: Workload) -> Outcome<()> {
    let listener = listen(workload)?;
    loop {
        let stream = listener.accept()?;
        if in_child()? {
            drop(listener);
            converse(&stream);
            drop(stream);
            process::exit(0);
        }
        drop(stream);
        while !matches!(
            waitpid(None, Some(WaitPidFlag::WNOHANG)),
            Ok(WaitStatus::StillAlive) | Err(_)
        ) {}
    }
}

/// Processes that accept from one listener, each one client after another.
pub(super) fn prefork(workload: Workload) -> Outcome<()> {
    let listener = listen(workload)?;
    let workers = if workload == Workload::Connect { PREFORK } else { workload.connections() };
    for _ in 0..workers {
        if in_child()? {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            loop {
                converse(&listener.accept()?);
            }
        }
    }
    loop {
        waitpid(None, None)?;
    }
}

/// Forks, and says who it is.
fn in_child() -> Outcome<bool> {
    // SAFETY: the process has one thread: `serve` starts none, and neither does anything here. So the child has all that
    // the parent has, and no lock is held by a thread that is not there.
    #[expect(unsafe_code, reason = "forking is what this peer is about")]
    let forked = unsafe { fork_process() }?;
    Ok(matches!(forked, ForkResult::Child))
}
