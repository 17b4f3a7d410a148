//! The worker processes: who they are, when one is to be started, and the word by which they learn that the
//! parent wants them to stop, or is no more.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use socketserver_core::Patience;

use super::pause::Pause;
use crate::fork::{ChildExit, Children, Notifier, Word, await_children};

/// The workers of one run.
#[derive(Debug)]
pub(super) struct Workers {
    children: Children,
    born: HashMap<u32, Instant>,
    /// When workers that are missing are to be started.
    due: Vec<Instant>,
    pause: Pause,
    /// To stop.
    word: Word,
}

impl Workers {
    pub(super) fn new(count: usize) -> io::Result<Self> {
        Ok(Self {
            children: Children::default(),
            born: HashMap::new(),
            due: vec![Instant::now(); count],
            pause: Pause::new(),
            word: Word::new()?,
        })
    }

    /// In a worker: calls `stop` when the parent wants that, or is no more.
    pub(super) fn heed_parent(&mut self, stop: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.word.heed(stop)
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
        self.word.give();
        self.children.wait_for_all()
    }

    /// Lets all workers know that they are to stop.
    pub(super) fn tell_to_stop(&mut self) {
        self.word.give();
    }

    /// Waits for all of them, as long as there is patience, and calls `ended` for those that have ended. Says how many are
    /// left.
    pub(super) fn wait_for(
        &mut self,
        patience: &Patience<'_>,
        notifier: &Notifier,
        mut ended: impl FnMut(Vec<ChildExit>),
    ) -> usize {
        await_children(patience, notifier, || {
            ended(self.children.reap(notifier));
            self.children.len()
        })
    }

    /// Sends all of them a signal; says how many there were.
    pub(super) fn signal(&self, signal: Signal) -> usize {
        self.children.signal(signal)
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
