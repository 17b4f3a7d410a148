//! A child process for each request: CPython's `ForkingMixIn`.

mod await_children;
mod children;
mod kept_signals;
mod notify;
#[cfg(target_os = "linux")]
mod pidfd;
mod settings;
mod signal;
#[expect(unsafe_code, reason = "forking and ending a forked process; nowhere else")]
pub(crate) mod sys;
mod threads;
mod told;
mod word;

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::process::{Pid, Signal};
use socketserver_core::{
    Concurrency, Dispatched, EndWorkers, Job, Listener, Patience, Rejected, Source,
};

use sys::Promise;
use told::exit_code;

pub(crate) use await_children::await_children;
pub(crate) use children::Children;
pub(crate) use kept_signals::SignalHandlers;
pub(crate) use notify::Notifier;
pub(crate) use told::tell;
pub(crate) use word::Word;

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
/// Everything but threads, and the handlers of two signals: where the parent has a handler for `SIGTERM` a child has the
/// default, which ends it; where it has one for `SIGINT` a child ignores that signal. So a child can be told to
/// terminate, and a Ctrl-C, which goes to all processes of the terminal, is the parent's to decide about. A child
/// that wants handlers of its own sets them in the request's handler; with the crate `signal-hook`, which believes that its
/// handler is still there, that has no effect. Programs that a child starts ignore `SIGINT` as it does. [`inherit_signal_handlers`](Self::inherit_signal_handlers) leaves all as it was.
///
/// In a child, asking the server to stop has no effect on the parent. A drain of the parent's is not seen, unless children are to
/// [be told](Self::tell_children): at its deadline a child gets `SIGTERM`. A service manager that sends the signal to all processes at once ends children at once;
/// systemd does not with `KillMode=mixed`.
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
    signal_handlers: SignalHandlers,
    on_child_exit: Option<OnChildExit>,
    /// By which children learn of a drain, if they are to; made for the first of them.
    word: Mutex<Option<Word>>,
    tell_children: bool,
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
            signal_handlers: SignalHandlers::Reset,
            on_child_exit: None,
            word: Mutex::default(),
            tell_children: false,
            children: Mutex::default(),
            notifier: OnceLock::new(),
        }
    }

    /// How many children have not been reaped.
    pub fn active_children(&self) -> usize {
        self.children().len()
    }

    fn children(&self) -> MutexGuard<'_, Children> {
        // No user code runs under this lock.
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn word(&self) -> MutexGuard<'_, Option<Word>> {
        // Nor under this one.
        self.word.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut word = self.word();
        if self.tell_children && word.is_none() {
            *word = Some(Word::new()?);
        }
        let pid = sys::fork(self.promise, self.signal_handlers, || {
            listener.close();
            let Some(job) = job.take() else { return 0 };
            // One that cannot be told serves all the same.
            let _ = word.as_mut().map(|word| word.heed(job.drain_order()));
            exit_code(&job.run())
        })?;
        Ok((pid, notifier))
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

    fn wait_for_workers(&self, patience: &Patience<'_>) -> usize {
        let Some(notifier) = self.notifier.get() else { return 0 };
        await_children(patience, notifier, || {
            // All have been reaped and told of before it goes on, and others are to be waited for still.
            let _ = catch_unwind(AssertUnwindSafe(|| self.reap()));
            self.active_children()
        })
    }

    fn drain_begins(&self) {
        if let Some(word) = &mut *self.word() {
            word.give();
        }
    }

    fn forks(&self) -> bool {
        true
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
