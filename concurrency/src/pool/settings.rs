//! The settings of a thread pool.

use std::borrow::Cow;
use std::time::Duration;

use socketserver_core::{Finished, Job};

/// What a [`ThreadPool`](crate::ThreadPool) does with a request when all workers are busy and the queue is
/// full.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum WhenFull {
    /// Nothing is accepted until there is room: clients wait in the listener's backlog.
    #[default]
    Wait,
    /// It is accepted and refused: the service's
    /// [`handle_refusal`](socketserver_core::Service::handle_refusal) may send a short answer, then it is
    /// closed, and counted as overloaded.
    Refuse,
    /// It is run in the serving thread, which accepts nothing meanwhile. A handler that asks to exit ends
    /// the loop then.
    RunInLoop,
}

impl WhenFull {
    /// Does what is to be done with a job for which there is no room, and counts it if that is a refusal.
    pub(crate) fn finish<J: Job>(self, job: J, count_refusal: impl FnOnce()) -> Finished {
        match self {
            Self::RunInLoop => job.run(),
            // With `Wait` there is room, unless the pool is closed.
            Self::Refuse | Self::Wait => {
                count_refusal();
                job.overloaded()
            }
        }
    }
}

/// What a [`ThreadPool`](crate::ThreadPool) does with the requests in its queue when the server is closed.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum AtClose {
    /// They are served.
    #[default]
    Serve,
    /// They are closed, and counted as unserved.
    Discard,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) max_workers: usize,
    pub(super) min_workers: usize,
    pub(super) idle_timeout: Duration,
    pub(super) queue: usize,
    pub(super) when_full: WhenFull,
    pub(super) at_close: AtClose,
    pub(super) name: Cow<'static, str>,
    pub(super) stack_size: Option<usize>,
    pub(super) daemon_threads: bool,
}

impl Settings {
    /// More workers, or more places in the queue, than anybody has.
    const MOST: usize = 65_536;

    pub(super) fn new(max_workers: usize) -> Self {
        let max_workers = max_workers.clamp(1, Self::MOST);
        Self {
            max_workers,
            min_workers: 0,
            idle_timeout: Duration::from_secs(10),
            queue: max_workers,
            when_full: WhenFull::default(),
            at_close: AtClose::default(),
            name: Cow::Borrowed("worker"),
            stack_size: None,
            daemon_threads: false,
        }
    }

    pub(super) fn set_max_workers(&mut self, workers: usize) {
        self.max_workers = workers.clamp(1, Self::MOST);
    }

    pub(super) fn set_queue(&mut self, places: usize) {
        self.queue = places.min(Self::MOST);
    }

    pub(super) fn set_name(&mut self, name: Cow<'static, str>) {
        self.name = crate::thread_name::without_nul(name);
    }
}
