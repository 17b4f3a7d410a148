//! What this process holds: descriptors, threads, memory. Nothing may be left of a round, and memory may not grow.

use std::fs;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// How much more memory than after the warm-up is too much, in percent.
const MOST_GROWTH: f64 = 5.0;

/// Less than this, in KiB, is a matter of luck: all that is in use here is little.
const LUCK: u64 = 256;

/// With fewer rounds nothing can be said about memory.
pub(crate) const FEWEST_ROUNDS: usize = 12;

/// What is given back at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Held {
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
}

impl Held {
    /// `None` where there is no `/proc`.
    pub(crate) fn now() -> Option<Self> {
        let entries = |folder| fs::read_dir(folder).ok().map(Iterator::count);
        Some(Self { descriptors: entries("/proc/self/fd")?, threads: entries("/proc/self/task")? })
    }

    /// What is wrong if this is not what is held now. A thread that was joined can be listed for a moment longer.
    pub(crate) fn compare(self) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            match Self::now() {
                Some(now) if now != self && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Some(now) if now != self => {
                    let Self { descriptors, threads } = self;
                    return Err(format!(
                        "leak: {} descriptors and {} threads, and there were {descriptors} and {threads}",
                        now.descriptors, now.threads
                    ));
                }
                _ => return Ok(()),
            }
        }
    }
}

/// Runs this program again with all memory in one arena, if it is not so yet, and gives how that ended. With many arenas
/// it depends on who runs when how much memory there is, and small leaks could not be told from that.
pub(crate) fn with_one_arena() -> Option<ExitCode> {
    // glibc's name; others do not know it.
    const ARENAS: &str = "MALLOC_ARENA_MAX";
    if !cfg!(target_os = "linux") || std::env::var_os(ARENAS).is_some() {
        return None;
    }
    let mut command = Command::new(std::env::current_exe().ok()?);
    let status = command.args(std::env::args_os().skip(1)).env(ARENAS, "1").status().ok()?;
    Some(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Memory in use, in KiB.
pub(crate) fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Memory at the end of each round.
#[derive(Debug, Default)]
pub(crate) struct Memory(Vec<u64>);

/// What can be said about it.
#[derive(Debug)]
pub(crate) struct Growth {
    /// In KiB.
    pub(crate) before: u64,
    pub(crate) after: u64,
}

impl Memory {
    /// Nothing is noted where it cannot be told.
    pub(crate) fn note(&mut self, kib: Option<u64>) {
        self.0.extend(kib);
    }

    /// From after the warm-up, the first half, to the end. The most of some rounds is taken each time, for how much is used
    /// at a time is a matter of luck.
    pub(crate) fn growth(&self) -> Option<Growth> {
        let rounds = self.0.len();
        if rounds < FEWEST_ROUNDS {
            return None;
        }
        let most = |rounds: &[u64]| rounds.iter().copied().max().unwrap_or_default();
        let (before, after) =
            (most(&self.0[rounds / 4..rounds / 2]), most(&self.0[rounds * 3 / 4..]));
        Some(Growth { before, after })
    }
}

impl Growth {
    #[expect(clippy::cast_precision_loss, reason = "no memory is so large")]
    pub(crate) fn percent(&self) -> f64 {
        (self.after as f64 / self.before as f64 - 1.0) * 100.0
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if self.percent() > MOST_GROWTH && self.after > self.before + LUCK {
            return Err(format!(
                "memory grew by {:.1} %, from {} KiB to {} KiB",
                self.percent(),
                self.before,
                self.after
            ));
        }
        Ok(())
    }
}
