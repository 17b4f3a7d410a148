//! A thread for each request: CPython's `ThreadingMixIn`.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use socketserver_core::{AfterBatch, Concurrency, Dispatched, Job, Listener, Patience, Rejected};

use crate::contained::contained;
use crate::give_way::let_take_up;
use crate::join_set::JoinSet;
use crate::spare::Spare;
use crate::{seat, thread_name};

/// Runs each request in a thread of its own. There is no limit to their number, as in CPython.
///
/// A thread that has served its request stays for a while, [a second](Self::idle_time) at most, and serves the next one if
/// one comes; so a request waits for no other, and most cost no new thread. CPython starts one for each. A
/// `thread_local!` may hold what an earlier request left there; with an idle time of zero it never does.
///
/// A process that forks by itself while threads are idle must not go on to serve with its copy in the child, where they
/// are not; `PreFork` lets them end first.
///
/// The service is shared by all threads. A panic in a hook of the service, or a handler that
/// [asks to exit](socketserver_core::HandlerError::exit), ends that thread's request and nothing
/// else. When a thread cannot be started the request goes to `handle_error` and is closed; the loop
/// goes on.
///
/// Unless the threads are [daemons](Self::daemon_threads), closing the server waits for them, without a
/// limit of time; those that are idle end at once. The cost of a request does not depend on how many threads are alive.
///
/// ```
/// use socketserver_concurrency::ThreadPerRequest;
///
/// let threads = ThreadPerRequest::new().name("upper").daemon_threads(true);
/// ```
#[derive(Debug)]
#[must_use]
pub struct ThreadPerRequest {
    name: Cow<'static, str>,
    daemon_threads: bool,
    stack_size: Option<usize>,
    idle_time: Duration,
    started: AtomicU64,
    /// The threads that closing the server waits for.
    threads: JoinSet,
    /// Those that have served their request and are there for another.
    spare: Arc<Spare>,
}

impl ThreadPerRequest {
    const IDLE_TIME: Duration = Duration::from_secs(1);

    /// Threads named `request-1`, `request-2`, …, that stay idle for a second at most and are joined when the server is
    /// closed.
    pub fn new() -> Self {
        Self {
            name: Cow::Borrowed("request"),
            daemon_threads: false,
            stack_size: None,
            idle_time: Self::IDLE_TIME,
            started: AtomicU64::new(0),
            threads: JoinSet::new(),
            spare: Arc::default(),
        }
    }

    /// The threads are named `name-1`, `name-2`, …, for debuggers and panic messages. The default is
    /// `request`. A NUL in the name would end it there for the system, so it is left out.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = thread_name::without_nul(name.into());
        self
    }

    /// Whether closing the server leaves the threads alone instead of waiting for them. CPython's
    /// `daemon_threads = True`, or `block_on_close = False`.
    ///
    /// The default is to wait. A Rust process that returns from `main` waits for no thread; a
    /// request in a daemon thread is cut then.
    pub fn daemon_threads(mut self, daemon: bool) -> Self {
        self.daemon_threads = daemon;
        self
    }

    /// The stack of each thread, in bytes. The default is that of [`thread::Builder`].
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// How long a thread that has served its request waits for another before it ends. The default is a second. With zero
    /// each request has a new thread, as in CPython.
    ///
    /// Of those that wait the one that has done so for the shortest time serves the next request. So when fewer requests come
    /// the threads that are not needed end; and as many stay as there were requests at a time within the last second.
    pub fn idle_time(mut self, time: Duration) -> Self {
        self.idle_time = time;
        self
    }

    /// How many threads are alive that closing the server would wait for, those included that are
    /// [idle](Self::idle_threads). Always 0 for daemons.
    pub fn live_threads(&self) -> usize {
        self.threads.live()
    }

    /// How many threads have served their request and wait for another, daemons too.
    pub fn idle_threads(&self) -> usize {
        self.spare.idle()
    }

    /// Those that are idle end now, and no other becomes so.
    fn dismiss_idle(&self) {
        self.threads.let_go(self.spare.close().into_iter());
    }

    fn builder(&self) -> thread::Builder {
        // A number that only names the thread: no order with anything else is needed.
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        thread_name::builder(&self.name, number, self.stack_size)
    }
}

impl Default for ThreadPerRequest {
    fn default() -> Self {
        Self::new()
    }
}

/// Serves a request. The outcome ends with it: an exit ends nothing else, and a hook's panic has been reported by the panic
/// hook and counted. A job does not unwind, but what it drops may: the service itself, if the server is gone. That must not
/// end a thread that is counted on.
fn serve<J: Job>(job: J) {
    contained(|| drop(job.run()));
}

impl<J: Job + Send + 'static> Concurrency<J> for ThreadPerRequest {
    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        let Err(job) = self.spare.take_on(job, serve) else { return Ok(Dispatched::Started) };
        let (spare, idle_time) = (Arc::clone(&self.spare), self.idle_time);
        seat::start(job, |seated| {
            let work = move |number| {
                if let Some(job) = seated.take() {
                    serve(job);
                }
                if !idle_time.is_zero() {
                    spare.stand_by(idle_time, number);
                }
            };
            self.threads.spawn(self.daemon_threads, self.builder(), work)
        })?;
        Ok(Dispatched::Started)
    }

    fn batch_ends(&self) -> AfterBatch {
        let_take_up(|| self.spare.waiting())
    }

    fn server_close(&self) {
        self.dismiss_idle();
        self.threads.join_all();
    }

    fn before_fork(&self) {
        self.threads.let_go(self.spare.dismiss().into_iter());
    }

    fn wait_for_workers(&self, patience: &Patience<'_>) -> usize {
        // They are not at work, and need no patience.
        self.dismiss_idle();
        self.threads.wait_for(patience)
    }
}

/// A strategy that goes without having been closed lets its idle threads end, and waits for none.
impl Drop for ThreadPerRequest {
    fn drop(&mut self) {
        self.spare.close();
    }
}
