//! The children of one strategy: who they are, and how each of them ended. No other child of the process
//! is touched.

use std::collections::HashMap;
use std::fmt;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, waitpid};

use super::notify::{Ended, Notifier, Watch};

/// How a child process ended.
#[derive(Clone, Copy, Debug)]
pub struct ChildExit {
    pid: Pid,
    status: WaitStatus,
}

impl ChildExit {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Its exit code, unless a signal killed it.
    pub fn code(&self) -> Option<i32> {
        self.status.exit_status()
    }

    /// The number of the signal that killed it, if one did.
    pub fn signal(&self) -> Option<i32> {
        self.status.terminating_signal()
    }
}

impl fmt::Display for ChildExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "child {} ", self.pid())?;
        match (self.code(), self.signal()) {
            (Some(code), _) => write!(f, "ended with exit code {code}"),
            (None, Some(signal)) => write!(f, "was killed by signal {signal}"),
            (None, None) => f.write_str("ended"),
        }
    }
}

/// The children that have not been reaped.
#[derive(Debug, Default)]
pub(crate) struct Children {
    all: HashMap<Pid, Watch>,
    /// Those that were said to have ended but could not be reaped yet.
    suspects: Vec<Pid>,
}

impl Children {
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn add(&mut self, pid: Pid, notifier: &Notifier) {
        self.all.insert(pid, notifier.watch(pid));
    }

    /// Reaps those that have ended. Never blocks.
    pub(crate) fn reap(&mut self, notifier: &Notifier) -> Vec<ChildExit> {
        if self.all.is_empty() {
            // What it says is about somebody else's child, or one that has been reaped; the loop must not stay awake for it.
            notifier.forget();
            return Vec::new();
        }
        match notifier.ended() {
            Ended::These(pids) => self.suspects.extend(pids),
            Ended::PerhapsAny => self.suspects = self.all.keys().copied().collect(),
        }
        let suspects = std::mem::take(&mut self.suspects);
        let mut exits = Vec::new();
        for pid in suspects {
            exits.extend(self.reap_one(pid, WaitOptions::NOHANG));
            if notifier.tells_which() && self.all.contains_key(&pid) {
                self.suspects.push(pid);
            }
        }
        exits
    }

    /// Sends all of them a signal; says how many there were to send it to.
    pub(crate) fn signal(&self, signal: Signal) -> usize {
        // They are all our own and not reaped, so none of the numbers can be somebody else's.
        self.all.keys().filter(|pid| kill_process(**pid, signal).is_ok()).count()
    }

    /// Waits until all have ended.
    pub(crate) fn wait_for_all(&mut self) -> Vec<ChildExit> {
        let pids: Vec<_> = self.all.keys().copied().collect();
        pids.into_iter().filter_map(|pid| self.reap_one(pid, WaitOptions::empty())).collect()
    }

    fn reap_one(&mut self, pid: Pid, options: WaitOptions) -> Option<ChildExit> {
        self.all.get(&pid)?;
        let exit = loop {
            match waitpid(Some(pid), options) {
                Ok(Some((pid, status))) => break Some(ChildExit { pid, status }),
                Ok(None) => return None,
                Err(Errno::INTR) => {}
                // Somebody else has waited for it, or made the system do it: its end is not known.
                Err(_) => break None,
            }
        };
        self.all.remove(&pid);
        exit
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::signal::SignalPipe;
    use super::*;

    #[test]
    fn the_end_of_somebody_elses_child_does_not_keep_the_loop_awake() {
        let forgets = |_| {
            let pipe = Arc::new(SignalPipe::new().unwrap());
            let notifier = Notifier::Signal(Arc::clone(&pipe));
            Command::new("true").status().unwrap();
            // The signal comes before or soon after the wait for the child ends.
            notifier.wait(Duration::from_secs(60), [None, None]).unwrap();
            assert!(Children::default().reap(&notifier).is_empty());
            !pipe.clear()
        };
        // Children of other tests end in between, but not always.
        assert!((0..10).any(forgets), "the pipe stays readable");
    }
}
