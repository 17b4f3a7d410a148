//! Processor time of another process, from the kernel: in nanoseconds, with threads that have ended.
//!
//! A server that forks is read with its living descendants, each by its own clock, and with the children that were
//! reaped, which the kernel shows in hundredths of a second, cut off: up to 0.02 seconds for a reading. A child that
//! ends between the readings may be missed, or counted twice.

use std::fs;
use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::{Pid, SysconfVar, sysconf};

use crate::Outcome;

/// Reads one server.
#[derive(Debug)]
pub(crate) struct Meter {
    pid: u32,
    forks: bool,
    tick: Duration,
}

impl Meter {
    /// For the process, or for it and all that it forks.
    pub(crate) fn new(pid: u32, forks: bool) -> Outcome<Self> {
        let ticks = sysconf(SysconfVar::CLK_TCK)?.ok_or("the kernel has no clock ticks")?;
        Ok(Self { pid, forks, tick: Duration::from_secs(1) / u32::try_from(ticks)? })
    }

    /// All it has used up to now.
    pub(crate) fn read(&self) -> Outcome<Duration> {
        let own = clock(self.pid).ok_or("the server has ended")?;
        if !self.forks {
            return Ok(own);
        }
        Ok(own + self.reaped(self.pid) + self.descendants(self.pid))
    }

    /// The living ones; who has just ended shows up among the reaped.
    fn descendants(&self, pid: u32) -> Duration {
        let children = children(pid);
        let each = children.iter().map(|child| {
            clock(*child).unwrap_or_default() + self.reaped(*child) + self.descendants(*child)
        });
        each.sum()
    }

    /// What the children of a process used that have ended and were waited for.
    fn reaped(&self, pid: u32) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        self.tick * reaped_ticks(&stat)
    }
}

fn clock(pid: u32) -> Option<Duration> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(pid).ok()?)).ok()?;
    clock.now().ok().map(Duration::from)
}

/// The process and all its descendants.
pub(crate) fn family(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    for child in children(pid) {
        family.extend(self::family(child));
    }
    family
}

/// The processes that any thread of it has forked.
fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists =
        tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let mut children = Vec::new();
    for list in lists {
        children.extend(list.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    children
}

/// `cutime` and `cstime` of `/proc/PID/stat`; the name of the program may hold anything, in parentheses.
fn reaped_ticks(stat: &str) -> u32 {
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(13).take(2);
    ticks.filter_map(|ticks| ticks.parse::<u32>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_books_of_reaped_children_are_found() {
        let stat = "42 (a b) c) S 1 42 42 0 -1 4194304 100 200 0 0 5 6 70 8 20 0 1 0 100";
        assert_eq!(reaped_ticks(stat), 78);
        assert_eq!(reaped_ticks(""), 0);
    }

    #[test]
    fn this_process_and_its_children_are_read() {
        let meter = Meter::new(std::process::id(), true).unwrap();
        let before = meter.read().unwrap();
        let mut child = Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        assert!(children(std::process::id()).contains(&child.id()));
        assert!(meter.read().unwrap() >= before);
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_has_ended_cannot_be_read() {
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert!(Meter::new(child.id(), false).unwrap().read().is_err());
    }
}
