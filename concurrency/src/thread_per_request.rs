//! A thread for each request: CPython's `ThreadingMixIn`.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use socketserver_core::{Concurrency, Dispatched, Job, Listener, Patience, Rejected};

use crate::join_set::JoinSet;
use crate::{seat, thread_name};

/// Runs each request in a thread of its own. There is no limit to their number, as in CPython.
///
/// The service is shared by all threads. A panic in a hook of the service, or a handler that
/// [asks to exit](socketserver_core::HandlerError::exit), ends that thread's request and nothing
/// else. When a thread cannot be started the request goes to `handle_error` and is closed; the loop
/// goes on.
///
/// Unless the threads are [daemons](Self::daemon_threads), closing the server waits for them, without a
/// limit of time. The cost of a request does not depend on how many threads are alive.
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
    started: AtomicU64,
    /// The threads that closing the server waits for.
    threads: JoinSet,
}

impl ThreadPerRequest {
    /// Threads named `request-1`, `request-2`, …, joined when the server is closed.
    pub fn new() -> Self {
        Self {
            name: Cow::Borrowed("request"),
            daemon_threads: false,
            stack_size: None,
            started: AtomicU64::new(0),
            threads: JoinSet::new(),
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

    /// How many threads are alive that closing the server would wait for. Always 0 for daemons.
    pub fn live_threads(&self) -> usize {
        self.threads.live()
    }

    fn builder(&self) -> thread::Builder {
        // A number that only names the thread: no order with anything else is needed.
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let builder = thread::Builder::new().name(format!("{}-{number}", self.name));
        match self.stack_size {
            Some(bytes) => builder.stack_size(bytes),
            None => builder,
        }
    }
}

impl Default for ThreadPerRequest {
    fn default() -> Self {
        Self::new()
    }
}

impl<J: Job + Send + 'static> Concurrency<J> for ThreadPerRequest {
    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        // The outcome ends with the thread: an exit ends nothing else, and a hook's panic has been
        // reported by the panic hook and counted.
        let run = |job: J| drop(job.run());
        seat::start(job, run, |seated| {
            if self.daemon_threads {
                self.builder().spawn(|| seated.run()).map(drop)
            } else {
                self.threads.spawn(self.builder(), || seated.run())
            }
        })?;
        Ok(Dispatched::Started)
    }

    fn server_close(&self) {
        self.threads.join_all();
    }

    fn wait_for_workers(&self, patience: &Patience<'_>) -> usize {
        self.threads.wait_for(patience)
    }
}
