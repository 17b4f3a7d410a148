//! A child process for each request: CPython's `ForkingMixIn`.

mod children;
mod notify;
#[cfg(target_os = "linux")]
mod pidfd;
mod signal;
#[expect(unsafe_code, reason = "forking and ending a forked process; nowhere else")]
pub(crate) mod sys;
mod threads;

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use rustix::process::{Pid, Signal};
use socketserver_core::{
    Concurrency, Dispatched, EndWorkers, Finished, Job, Listener, Rejected, Source,
};

use sys::Promise;

pub(crate) use children::Children;
pub(crate) use notify::Notifier;

pub use children::ChildExit;

/// Runs each request in a child process: what one does to its memory, or how it dies, cannot harm
/// another.
///
/// Nothing has to be `Send`. A child works on a copy of the process: what it changes, the parent does not
/// see; the [counts](socketserver_core::Counts) of the parent say `handed_over`. It closes the listener,
/// serves its one request, and ends without running destructors or exit handlers: buffered output
/// of the process is lost, as in CPython.
///
/// # How a child ends
///
/// | the handler | exit code |
/// |---|---|
/// | came to a good end | 0 |
/// | failed, and `handle_error` was told, in the child | 1 |
/// | [asked to exit](socketserver_core::HandlerError::exit) | the code it asked for; CPython loses it |
/// | a hook of the service panicked | 101 |
///
/// The parent sees it with [`on_child_exit`](Self::on_child_exit).
///
/// # How many there are
///
/// At most [`max_children`](Self::max_children) at a time, also in a loop of `handle_request`. At the limit
/// clients wait in the listener's backlog; the loop does not block, so it can be stopped. Children
/// are reaped as soon as they end, without polling: by process descriptors where the kernel has them
/// (Linux 5.3), else by `SIGCHLD`, of which other handlers in the process still get theirs. No other child of
/// the process is ever waited for.
///
/// # What a child inherits
///
/// Everything but threads: also handlers of signals. Where those only set a flag for the parent, a child
/// does not end by the signal either, so its handler should have a timeout. In a child, asking the server
/// to stop has no effect on the parent.
///
/// # Threads
///
/// A process that has other threads must not simply fork: a lock one of them holds is never released
/// in the child. So a request is refused then, with an error that says so, unless the strategy was
/// made by [`with_other_threads`](Self::with_other_threads). Linux tells how many threads there are; elsewhere it is
/// not known, and that constructor is the only way.
///
/// ```
/// use socketserver_concurrency::Fork;
///
/// let fork = Fork::new().max_children(8).on_child_exit(|child| {
///     if child.code() != Some(0) {
///         eprintln!("{child}");
///     }
/// });
/// ```
#[must_use]
pub struct Fork {
    promise: Option<Promise>,
    max_children: usize,
    block_on_close: bool,
    on_child_exit: Option<OnChildExit>,
    children: Mutex<Children>,
    /// Made when it is first needed, so in the process that forks.
    notifier: OnceLock<Notifier>,
}

type OnChildExit = Box<dyn Fn(ChildExit) + Send + Sync>;

impl Fork {
    /// The default of CPython's `max_children`.
    const MAX_CHILDREN: usize = 40;

    /// Children of a process that has one thread, up to 40 at a time, waited for when the server is
    /// closed.
    pub fn new() -> Self {
        Self::made(None)
    }

    fn made(promise: Option<Promise>) -> Self {
        Self {
            promise,
            max_children: Self::MAX_CHILDREN,
            block_on_close: true,
            on_child_exit: None,
            children: Mutex::default(),
            notifier: OnceLock::new(),
        }
    }

    /// How many children there are at most at a time, at least one. The default is 40.
    pub fn max_children(mut self, children: usize) -> Self {
        self.max_children = children.max(1);
        self
    }

    /// Whether closing the server waits for all children. The default is to wait. If not, those that
    /// still run when the server is closed are left alone, and nobody is told of their end; the system keeps
    /// their exit status until this process ends.
    pub fn block_on_close(mut self, block: bool) -> Self {
        self.block_on_close = block;
        self
    }

    /// Calls `hook` in the parent, in the serving thread, for each child that has ended.
    pub fn on_child_exit(mut self, hook: impl Fn(ChildExit) + Send + Sync + 'static) -> Self {
        self.on_child_exit = Some(Box::new(hook));
        self
    }

    /// How many children have not been reaped.
    pub fn active_children(&self) -> usize {
        self.children().len()
    }

    fn children(&self) -> MutexGuard<'_, Children> {
        // No user code runs under this lock.
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notifier(&self) -> io::Result<&Notifier> {
        if let Some(notifier) = self.notifier.get() {
            return Ok(notifier);
        }
        let notifier = Notifier::new()?;
        Ok(self.notifier.get_or_init(|| notifier))
    }

    /// Reaps the children that have ended. Never blocks.
    fn reap(&self) {
        let Some(notifier) = self.notifier.get() else { return };
        let ended = self.children().reap(notifier);
        tell(self.on_child_exit.as_deref(), ended);
    }

    /// Makes the child, which runs the job and never comes back from here.
    /// Gives what is needed to watch it.
    fn start(
        &self,
        job: &mut Option<impl Job>,
        listener: &mut dyn Listener,
    ) -> io::Result<(Pid, &Notifier)> {
        let notifier = self.notifier()?;
        let pid = sys::fork(self.promise, || {
            listener.close();
            job.take().map_or(0, |job| exit_code(&job.run()))
        })?;
        Ok((pid, notifier))
    }
}

/// Calls `hook` for each. A panic of it goes on when all have been told.
pub(crate) fn tell(hook: Option<&(dyn Fn(ChildExit) + Send + Sync)>, ended: Vec<ChildExit>) {
    let Some(hook) = hook else { return };
    let mut panic = None;
    for child in ended {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| hook(child))) {
            panic.get_or_insert(payload);
        }
    }
    // During another panic a second one would abort.
    if let Some(payload) = panic.filter(|_| !std::thread::panicking()) {
        resume_unwind(payload);
    }
}

impl Default for Fork {
    fn default() -> Self {
        Self::new()
    }
}

impl<J: Job> Concurrency<J> for Fork {
    fn has_room(&self) -> bool {
        self.reap();
        self.active_children() < self.max_children
    }

    fn source(&self) -> Option<Source<'_>> {
        self.notifier.get().map(Notifier::source)
    }

    fn process_request(
        &self,
        job: J,
        listener: &mut dyn Listener,
    ) -> Result<Dispatched, Rejected<J>> {
        let mut job = Some(job);
        let started = self.start(&mut job, listener);
        match (started, job) {
            (Ok((pid, notifier)), Some(job)) => {
                // The parent's copy goes first: its descriptor may be the one it takes to watch the child.
                let closed = catch_unwind(AssertUnwindSafe(|| job.close_request()));
                self.children().add(pid, notifier);
                closed.map_or_else(|payload| resume_unwind(payload), |()| Ok(Dispatched::Started))
            }
            (Err(error), Some(job)) => Err(Rejected::new(job, error)),
            // Only a child takes the job, and it does not come here.
            (_, None) => Ok(Dispatched::Started),
        }
    }

    fn wait_for_workers(&self, deadline: Instant) -> usize {
        let Some(notifier) = self.notifier.get() else { return 0 };
        loop {
            self.reap();
            let left = deadline.saturating_duration_since(Instant::now());
            if self.active_children() == 0 || left.is_zero() {
                return self.active_children();
            }
            // Woken or not, the next look tells.
            let _ = notifier.wait(left);
        }
    }

    fn end_workers(&self, how: EndWorkers) -> usize {
        let signal = match how {
            EndWorkers::Kill => Signal::KILL,
            _ => Signal::TERM,
        };
        self.children().signal(signal)
    }

    fn server_close(&self) {
        if self.block_on_close {
            let ended = self.children().wait_for_all();
            tell(self.on_child_exit.as_deref(), ended);
        } else {
            self.reap();
        }
    }
}

fn exit_code(finished: &Finished) -> u8 {
    match finished {
        Finished::Served | Finished::Refused => 0,
        Finished::Exited(exit) => exit.code(),
        Finished::HookPanicked(_) => sys::PANICKED,
        _ => 1,
    }
}

impl fmt::Debug for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fork")
            .field("with_other_threads", &self.promise.is_some())
            .field("max_children", &self.max_children)
            .field("block_on_close", &self.block_on_close)
            .field("active_children", &self.active_children())
            .finish_non_exhaustive()
    }
}
