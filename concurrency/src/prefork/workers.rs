//! The worker processes: who they are, when one is to be started, and the pipe by which they learn that the
//! parent wants them to stop, or is no more.

use std::collections::HashMap;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::Pause;
use crate::fork::{ChildExit, Children, Notifier};

/// The workers of one run.
#[derive(Debug)]
pub(super) struct Workers {
    children: Children,
    born: HashMap<u32, Instant>,
    /// When workers that are missing are to be started.
    due: Vec<Instant>,
    pause: Pause,
    /// Nothing is ever written. Reading from it ends when no process has the other end open.
    word: PipeReader,
    /// The parent's end; `None` in a worker, and when the workers are to stop.
    parents: Option<PipeWriter>,
}

impl Workers {
    pub(super) fn new(count: usize) -> io::Result<Self> {
        let (word, parents) = io::pipe()?;
        Ok(Self {
            children: Children::default(),
            born: HashMap::new(),
            due: vec![Instant::now(); count],
            pause: Pause::new(),
            word,
            parents: Some(parents),
        })
    }

    /// In a worker: calls `stop` when the parent wants that, or is no more.
    pub(super) fn heed_parent(&mut self, stop: impl FnOnce() + Send + 'static) -> io::Result<()> {
        // Its own copy of the parent's end would keep the pipe open.
        self.parents = None;
        let mut word = self.word.try_clone()?;
        let wait = move || {
            // The end of the pipe, or an error, which is as good as one.
            while !matches!(word.read(&mut [0]), Ok(0) | Err(_)) {}
            stop();
        };
        thread::Builder::new().name("parent-watch".to_owned()).spawn(wait).map(drop)
    }

    /// Whether a worker is to be started now.
    pub(super) fn one_is_due(&self) -> bool {
        self.next_due() == Some(Duration::ZERO)
    }

    /// In what time a worker is to be started; `None` when none is missing.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let now = Instant::now();
        self.due.iter().map(|due| due.saturating_duration_since(now)).min()
    }

    pub(super) fn started(&mut self, pid: Pid, notifier: &Notifier) {
        self.take_due();
        self.born.insert(pid.as_raw_nonzero().get().unsigned_abs(), Instant::now());
        self.children.add(pid, notifier);
    }

    /// The worker that was due could not be started: it is due again later.
    pub(super) fn not_started(&mut self) {
        self.take_due();
        self.missing(Duration::ZERO);
    }

    /// Reaps the workers that have ended, and plans others in their place.
    pub(super) fn reap(&mut self, notifier: &Notifier) -> Vec<ChildExit> {
        let before = self.children.len();
        let ended = self.children.reap(notifier);
        for worker in &ended {
            let born = self.born.remove(&worker.pid());
            self.missing(born.map_or(Duration::ZERO, |born| born.elapsed()));
        }
        // Those that somebody else has waited for are gone without a word.
        for _ in self.children.len() + ended.len()..before {
            self.missing(Duration::ZERO);
        }
        ended
    }

    /// Lets all workers stop and waits until they have.
    pub(super) fn stop(&mut self) -> Vec<ChildExit> {
        self.parents = None;
        self.children.wait_for_all()
    }

    fn take_due(&mut self) {
        if let Some(earliest) = (0..self.due.len()).min_by_key(|&index| self.due[index]) {
            self.due.swap_remove(earliest);
        }
    }

    fn missing(&mut self, life: Duration) {
        let now = Instant::now();
        self.due.push(now.checked_add(self.pause.after(life)).unwrap_or(now));
    }
}
