//! The settings of a pool that parks idle connections.

use std::borrow::Cow;
use std::time::Duration;

use crate::pool::WhenFull;

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) max_threads: usize,
    pub(super) leaders: usize,
    pub(super) idle_timeout: Duration,
    pub(super) queue: usize,
    pub(super) when_full: WhenFull,
    pub(super) patience: Duration,
    pub(super) await_first_byte: bool,
    pub(super) name: Cow<'static, str>,
    pub(super) stack_size: Option<usize>,
    pub(super) daemon_threads: bool,
}

impl Settings {
    /// More threads than anybody has.
    const MOST: usize = 65_536;

    /// One that works, and one that stands by.
    const LEAST: usize = 2;

    pub(super) fn new(max_threads: usize) -> Self {
        let max_threads = max_threads.clamp(Self::LEAST, Self::MOST);
        Self {
            max_threads,
            leaders: 1,
            idle_timeout: Duration::from_secs(10),
            queue: max_threads,
            when_full: WhenFull::default(),
            patience: Duration::from_millis(1),
            await_first_byte: false,
            name: Cow::Borrowed("leader"),
            stack_size: None,
            daemon_threads: false,
        }
    }

    pub(super) fn set_max_threads(&mut self, threads: usize) {
        self.max_threads = threads.clamp(Self::LEAST, Self::MOST);
        self.set_leaders(self.leaders);
    }

    /// One stands by besides.
    pub(super) fn set_leaders(&mut self, leaders: usize) {
        self.leaders = leaders.clamp(1, self.max_threads - 1);
    }

    pub(super) fn set_name(&mut self, name: Cow<'static, str>) {
        self.name = crate::thread_name::without_nul(name);
    }
}
