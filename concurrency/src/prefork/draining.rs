//! The end of a run whose workers drain: what they are told when, and what they report.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use socketserver_core::{Backlog, Drain, DrainReport, ServerHandle};

/// The way by which workers report what their drains did: a record each, of numbers.
#[derive(Debug)]
pub(super) struct Reports {
    parents: UnixStream,
    workers: UnixStream,
}

/// The numbers of a report that can be added.
const NUMBERS: usize = 6;
const RECORD: usize = NUMBERS * size_of::<u64>();

impl Reports {
    pub(super) fn new() -> io::Result<Self> {
        let (parents, workers) = UnixStream::pair()?;
        parents.set_nonblocking(true)?;
        // A worker's end must not wait for somebody to read this.
        workers.set_nonblocking(true)?;
        Ok(Self { parents, workers })
    }

    /// In a worker.
    pub(super) fn send(&self, report: &DrainReport) {
        // What is still at work ends with the process: a connection has been counted as forced, a packet has not.
        let packets = report.requests_left.saturating_sub(report.stuck.len());
        let numbers = [
            report.finished,
            report.idle_ended,
            report.forced + packets,
            report.refused,
            report.terminated,
            report.killed,
        ];
        let record: Vec<u8> =
            numbers.iter().flat_map(|number| (*number as u64).to_ne_bytes()).collect();
        // So short a record is taken whole, or not at all: then it is missing in the sums.
        let _ = (&self.workers).write(&record);
    }

    /// In the parent: adds what has been reported since this was last asked.
    pub(super) fn add_to(&self, sum: &mut DrainReport) {
        let mut record = [0; RECORD];
        while (&self.parents).read_exact(&mut record).is_ok() {
            let mut numbers = record.chunks_exact(size_of::<u64>()).map(|number| {
                let number = number.try_into().map_or(0, u64::from_ne_bytes);
                usize::try_from(number).unwrap_or(usize::MAX)
            });
            let mut next = || numbers.next().unwrap_or_default();
            sum.finished += next();
            sum.idle_ended += next();
            sum.forced += next();
            sum.refused += next();
            sum.terminated += next();
            sum.killed += next();
        }
    }

    /// In the parent: forgets what workers reported that ended before it was their turn.
    pub(super) fn clear(&self) {
        self.add_to(&mut DrainReport::default());
    }
}

/// What the workers themselves drain by: their grace is half of the whole, so that they have the other half to report and
/// end.
pub(super) fn of_worker(drain: Drain) -> Drain {
    drain.grace(drain.get_grace() / 2)
}

/// In a worker, in the thread that waits for the parent's word: stops the worker. The serving thread may be inside a handler
/// and not able to drain, so that what a drain begins with and what its deadline ends is seen to here.
pub(super) fn stop_worker(server: &ServerHandle, drain: Option<Drain>) {
    server.request_shutdown();
    let Some(drain) = drain else { return };
    if drain.get_backlog() == Backlog::Leave {
        server.announce_drain();
    }
    // The process ends when it has drained, wherever this thread is.
    thread::sleep(drain.get_deadline());
    server.force_drain();
}

/// One stage after another in which the parent waits for its workers, and what it does to those that outstay it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage {
    /// How long it takes.
    pub(super) time: Duration,
    /// How often somebody must hurry to end it.
    pub(super) hurried: usize,
    /// What those get that are left then.
    pub(super) signal: Option<Signal>,
}

/// They end by themselves; they may clean up; they may not; and then the system has to say so.
pub(super) fn stages(drain: Drain) -> [Stage; 3] {
    let grace = drain.get_grace();
    let by_themselves = drain.get_deadline().saturating_add(grace);
    [
        Stage { time: by_themselves, hurried: 1, signal: Some(Signal::TERM) },
        Stage { time: grace, hurried: 2, signal: Some(Signal::KILL) },
        Stage { time: grace, hurried: usize::MAX, signal: None },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_workers_report_adds_up() {
        let reports = Reports::new().unwrap();
        let mut report = DrainReport::default();
        (report.finished, report.idle_ended, report.forced) = (1, 2, 3);
        (report.terminated, report.killed, report.requests_left) = (4, 5, 6);
        reports.send(&report);
        reports.clear();
        reports.send(&report);
        reports.send(&report);
        let mut sum = DrainReport::default();
        reports.add_to(&mut sum);
        assert_eq!((sum.finished, sum.idle_ended, sum.forced), (2, 4, 18));
        assert_eq!((sum.terminated, sum.killed, sum.requests_left), (8, 10, 0));
    }
}
