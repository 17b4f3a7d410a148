//! The system calls of forking that Rust cannot check: the only unsafe code of this crate.

use std::io;
use std::mem;
use std::ptr;

use rustix::process::Pid;

use super::{Fork, SignalHandlers, threads};
use crate::contained::contained;
use crate::prefork::PreFork;

/// The exit code of a child in which something panicked that should not: that of Rust programs.
pub(super) const PANICKED: u8 = 101;

/// That whoever made the strategy has promised what [`Fork::with_other_threads`] asks for. Only that
/// makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promise(());

impl Fork {
    /// Like [`new`](Self::new), but forks although the process may have other threads.
    ///
    /// # Safety
    ///
    /// In the child only the serving thread exists; the others have vanished where they were, with
    /// whatever locks they held. So whoever calls this promises that, whenever the server forks, either
    /// no other thread holds a lock that the child may take (the standard library's locks for output and
    /// the environment, the allocator's on systems that do not release it at a fork, locks of the service
    /// and of libraries it uses), or the child takes none of them: that what the handler and the hooks of
    /// the service do is *async-signal-safe* to that extent.
    ///
    /// No other thread may use a handle of this very server while it forks: handles take locks. A thread that
    /// waits for signals and then stops the server does that at one moment only; a child that is forked in that
    /// moment may hang, and with it a [`close`](socketserver_core::Server::close) that waits for it. A thread that looks
    /// at the server again and again (its connections, say) would meet that moment sooner or later.
    pub unsafe fn with_other_threads() -> Self {
        Self::made(Some(Promise(())))
    }
}

impl PreFork {
    /// Like [`new`](Self::new), but forks although the process may have other threads.
    ///
    /// # Safety
    ///
    /// What [`Fork::with_other_threads`] asks for, for as long as a worker serves.
    pub unsafe fn with_other_threads(workers: usize) -> Self {
        Self::made(workers, Some(Promise(())))
    }
}

/// Forks. The child runs `child` and ends with what it returns as its exit code. No handler of the parent's that it is not to
/// have ever runs in it.
///
/// # Errors
///
/// When the process has other threads and nobody has promised that this is fine, or the system cannot
/// fork.
pub(crate) fn fork(
    promise: Option<Promise>,
    handlers: SignalHandlers,
    child: impl FnOnce() -> u8,
) -> io::Result<Pid> {
    if promise.is_none() {
        threads::must_be_alone()?;
    }
    let held = (handlers == SignalHandlers::Reset).then(HeldSignals::hold);
    // SAFETY: fork asks nothing of its caller. What the child may do afterwards is limited only if
    // the process has other threads: it has none (just checked; only this thread could start one
    // meanwhile), or whoever made the strategy upholds what `with_other_threads` asks for.
    match unsafe { libc::fork() } {
        -1 => {
            let error = io::Error::last_os_error();
            drop(held);
            Err(error)
        }
        0 => {
            if held.is_some() {
                reset_handlers();
            }
            // What came since the fork takes its effect here.
            drop(held);
            // The stack above belongs to the parent's story: it must not be unwound here.
            let code = contained(child).unwrap_or(PANICKED);
            // SAFETY: _exit asks nothing of its caller, and does not return. Destructors and exit
            // handlers are the parent's to run.
            unsafe { libc::_exit(code.into()) }
        }
        pid => Pid::from_raw(pid).ok_or_else(|| io::Error::other("fork returned no process")),
    }
}

/// The signals whose handlers a child does not have, held back in the calling thread as long as this lives.
struct HeldSignals {
    before: libc::sigset_t,
}

impl HeldSignals {
    fn hold() -> Self {
        // SAFETY: a set of signals is plain data, for which zeros are a value; the calls get pointers to sets that live
        // here, and signal numbers that exist. So they cannot fail.
        unsafe {
            let mut both: libc::sigset_t = mem::zeroed();
            let mut before: libc::sigset_t = mem::zeroed();
            libc::sigemptyset(&raw mut both);
            libc::sigaddset(&raw mut both, libc::SIGTERM);
            libc::sigaddset(&raw mut both, libc::SIGINT);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const both, &raw mut before);
            Self { before }
        }
    }
}

impl Drop for HeldSignals {
    fn drop(&mut self) {
        // SAFETY: the set was written by the call that held the signals.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut());
        }
    }
}

/// In a child: `SIGTERM` ends it and `SIGINT` does nothing, where the parent has handlers for them.
fn reset_handlers() {
    for (signal, instead) in [(libc::SIGTERM, libc::SIG_DFL), (libc::SIGINT, libc::SIG_IGN)] {
        // SAFETY: zeros are a value of the struct, which the call writes to. Neither setting runs any code of ours, and no
        // other thread exists in a child to set them at the same time.
        unsafe {
            let mut now: libc::sigaction = mem::zeroed();
            libc::sigaction(signal, ptr::null(), &raw mut now);
            if now.sa_sigaction != libc::SIG_DFL && now.sa_sigaction != libc::SIG_IGN {
                libc::signal(signal, instead);
            }
        }
    }
}
