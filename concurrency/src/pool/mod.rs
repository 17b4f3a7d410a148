//! A pool of threads with a bounded queue: as many requests at once as there are workers, a few more
//! that wait, and a policy for the rest.

mod settings;
mod state;
mod status;
mod worker;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use socketserver_core::{
    AfterBatch, Concurrency, Dispatched, Job, Listener, Patience, Rejected, Waker,
};

use crate::give_way::let_take_up;
use crate::join_set::JoinSet;
use crate::{seat, thread_name};
use settings::Settings;
use state::{Admission, State};

pub use settings::{AtClose, WhenFull};
pub use status::PoolStatus;
pub(crate) use status::Watch;

/// Runs requests in a pool of threads. CPython has no such class; its users build it by overriding
/// `process_request`.
///
/// Workers are started when they are needed, up to [`max_workers`](Self::max_workers). A request that finds
/// none free waits in a queue of [`queue`](Self::queue) places. What happens when that is full too is the
/// [policy](WhenFull). Workers that find nothing to do for a while [retire](Self::idle_timeout), down to
/// [`min_workers`](Self::min_workers).
///
/// A panic costs one request, never a worker. A handler that [asks to
/// exit](socketserver_core::HandlerError::exit) ends its request and nothing else.
///
/// ```
/// use socketserver_concurrency::{ThreadPool, WhenFull};
/// use socketserver_core::Job;
/// use std::time::{Duration, Instant};
///
/// fn pool<J: Job + Send + 'static>() -> ThreadPool<J> {
///     ThreadPool::new(16)
///         .min_workers(2)
///         .idle_timeout(Duration::from_secs(10))
///         .queue(64)
///         .when_full(WhenFull::Refuse)
/// }
/// ```
#[must_use]
pub struct ThreadPool<J> {
    settings: Settings,
    state: Arc<State<J>>,
    threads: JoinSet,
}

impl<J: Job + Send + 'static> ThreadPool<J> {
    /// A pool of up to [`max_workers`](Self::max_workers) threads, with a queue of as many places, that makes
    /// clients wait when both are full.
    pub fn new(max_workers: usize) -> Self {
        let settings = Settings::new(max_workers);
        Self { state: Arc::new(State::new(&settings)), settings, threads: JoinSet::new() }
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self.state = Arc::new(State::new(&self.settings));
        self
    }

    /// How many threads there may be: at least one, at most 65,536. The queue stays as it is.
    pub fn max_workers(self, workers: usize) -> Self {
        self.with(|settings| settings.set_max_workers(workers))
    }

    /// How many threads stay although there is nothing to do. The default is 0. Threads are
    /// started when they are first needed in any case.
    pub fn min_workers(self, workers: usize) -> Self {
        self.with(|settings| settings.min_workers = workers)
    }

    /// After which time a thread above the minimum that has nothing to do ends. The default is ten
    /// seconds. Zero is possible: then each ends as soon as the queue is empty.
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.idle_timeout = timeout)
    }

    /// How many requests may wait for a worker, at most 65,536. 0 is possible: then each is run at once or
    /// not at all.
    pub fn queue(self, places: usize) -> Self {
        self.with(|settings| settings.set_queue(places))
    }

    /// What happens to a request when all workers are busy and the queue is full. The default is
    /// [`WhenFull::Wait`].
    pub fn when_full(self, policy: WhenFull) -> Self {
        self.with(|settings| settings.when_full = policy)
    }

    /// What happens to the requests in the queue when the server is closed. The default is
    /// [`AtClose::Serve`].
    pub fn at_close(self, policy: AtClose) -> Self {
        self.with(|settings| settings.at_close = policy)
    }

    /// Whether closing the server leaves the workers alone instead of waiting for them; they end when the queue
    /// is empty. The default is to wait.
    ///
    /// A Rust process that returns from `main` waits for no thread; a request in a daemon thread is cut
    /// then.
    pub fn daemon_threads(self, daemon: bool) -> Self {
        self.with(|settings| settings.daemon_threads = daemon)
    }

    /// The threads are named `name-1`, `name-2`, …. The default is `worker`.
    pub fn name(self, name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        self.with(|settings| settings.set_name(name))
    }

    /// The stack of each thread, in bytes. The default is that of [`thread::Builder`].
    pub fn stack_size(self, bytes: usize) -> Self {
        self.with(|settings| settings.stack_size = Some(bytes))
    }

    /// A view of the pool for other threads, to be taken when all is set and before the server serves.
    pub fn status(&self) -> PoolStatus {
        PoolStatus::new(Arc::clone(&self.state) as _)
    }

    /// Starts a worker whose first job is `job`.
    fn start_worker(&self, job: J, number: u64) -> Result<(), Rejected<J>> {
        let builder = thread_name::builder(&self.settings.name, number, self.settings.stack_size);
        let state = Arc::clone(&self.state);
        let settings = self.settings.clone();
        seat::start(job, |seated| {
            let work = move |number| {
                if let Some(job) = seated.take() {
                    worker::work(&state, &settings, job, number);
                }
            };
            self.threads.spawn(self.settings.daemon_threads, builder, work)
        })
    }

    /// Admits nothing more; workers that have nothing to do end now.
    fn shut(&self) {
        let (left, ended) = self.state.close(self.settings.at_close);
        // They are dropped, so closed, outside the lock.
        drop(left);
        self.threads.let_go(ended.into_iter());
    }
}

impl<J: Job + Send + 'static> Concurrency<J> for ThreadPool<J> {
    fn attach(&self, waker: Waker) {
        self.state.set_waker(waker);
    }

    fn has_room(&self) -> bool {
        self.settings.when_full != WhenFull::Wait || self.state.has_room()
    }

    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        match self.state.admit(job) {
            Admission::Queued => Ok(Dispatched::Started),
            Admission::StartWorker(job, number) => match self.start_worker(job, number) {
                Ok(()) => Ok(Dispatched::Started),
                Err(rejected) => self.state.start_failed(rejected),
            },
            Admission::Full(job) => {
                let count = || self.state.count_refusal();
                Ok(Dispatched::Finished(self.settings.when_full.finish(job, count)))
            }
        }
    }

    fn batch_ends(&self) -> AfterBatch {
        let_take_up(|| self.state.waiting())
    }

    fn server_close(&self) {
        self.shut();
        self.threads.join_all();
    }

    fn wait_for_workers(&self, patience: &Patience<'_>) -> usize {
        // Only a pool that is closed lets its workers go.
        self.shut();
        self.threads.wait_for(patience)
    }
}

/// Four times as many threads as the machine runs at once: some of them wait.
pub(crate) fn usual_threads() -> usize {
    let parallelism = thread::available_parallelism().map_or(4, std::num::NonZero::get);
    parallelism.saturating_mul(4)
}

/// As many workers as the machine runs threads at once, four times over; a queue of as many places.
impl<J: Job + Send + 'static> Default for ThreadPool<J> {
    fn default() -> Self {
        Self::new(usual_threads())
    }
}

/// A pool that goes without having been closed tells its workers to end, and does not wait for them.
impl<J> Drop for ThreadPool<J> {
    fn drop(&mut self) {
        drop(self.state.close(self.settings.at_close));
    }
}

impl<J> fmt::Debug for ThreadPool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool").field("settings", &self.settings).finish_non_exhaustive()
    }
}
