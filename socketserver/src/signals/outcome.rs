//! What came of serving until a signal.

use std::fmt;
use std::process::{ExitCode, Termination};

use socketserver_core::{Counts, DrainReport, Ended};

/// A signal that drains a server.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Signal {
    /// `SIGTERM`.
    Terminate,
    /// `SIGINT`, Ctrl-C; on Windows whatever it was.
    Interrupt,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        })
    }
}

/// How a server ended that served until a signal came. It can be what `main` returns; the exit codes are in
/// the [module](super#the-exit-code).
#[derive(Clone, Debug)]
#[must_use = "it says whether anything was cut off or is stuck"]
pub struct Signalled {
    signal: Option<Signal>,
    signals: usize,
    ended: Ended,
    report: DrainReport,
    counts: Counts,
}

impl Signalled {
    /// The exit code when something was cut or terminated, and all has ended.
    pub const FORCED: u8 = 3;

    /// The exit code when something was still running at the end.
    pub const STUCK: u8 = 4;

    pub(super) const fn new(
        signal: Option<Signal>,
        signals: usize,
        ended: Ended,
        report: DrainReport,
        counts: Counts,
    ) -> Self {
        Self { signal, signals, ended, report, counts }
    }

    /// The first signal; `None` if the loop ended for another reason.
    pub const fn signal(&self) -> Option<Signal> {
        self.signal
    }

    /// How many signals came. More than one hurried the drain.
    pub const fn signals(&self) -> usize {
        self.signals
    }

    /// How the loop ended.
    pub const fn ended(&self) -> Ended {
        self.ended
    }

    /// What the drain did.
    pub const fn report(&self) -> &DrainReport {
        &self.report
    }

    /// How many requests came in and how each of them left. With `PreFork` those are in other processes, and not here.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The exit code that tells this, see the [table](super#the-exit-code).
    pub fn exit_code(&self) -> u8 {
        match self.ended {
            Ended::Exited(exit) => exit.code(),
            _ if self.report.is_stuck() => Self::STUCK,
            _ if !self.report.is_clean() => Self::FORCED,
            _ => 0,
        }
    }
}

impl From<Signalled> for ExitCode {
    fn from(outcome: Signalled) -> Self {
        outcome.exit_code().into()
    }
}

impl Termination for Signalled {
    fn report(self) -> ExitCode {
        self.into()
    }
}

impl fmt::Display for Signalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.signal {
            Some(signal) => write!(f, "{signal}: {}", self.report),
            None => write!(f, "no signal: {}", self.report),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use socketserver_core::Exit;

    fn code(ended: Ended, change: impl FnOnce(&mut DrainReport)) -> u8 {
        let mut report = DrainReport::default();
        change(&mut report);
        Signalled::new(None, 0, ended, report, Counts::default()).exit_code()
    }

    #[test]
    fn the_exit_code_tells_the_worst() {
        assert_eq!(code(Ended::Shutdown, |report| report.finished = 9), 0);
        assert_eq!(code(Ended::Shutdown, |report| report.forced = 1), 3);
        assert_eq!(code(Ended::Shutdown, |report| report.terminated = 1), 3);
        assert_eq!(
            code(Ended::Shutdown, |report| (report.forced, report.workers_left) = (1, 1)),
            4
        );
        assert_eq!(code(Ended::Exited(Exit::new(7)), |report| report.forced = 1), 7);
    }
}
