//! Signals that drain a server: `SIGTERM` and `SIGINT`, once to drain, twice to force; feature `signals`.
//!
//! ```no_run
//! use socketserver::prelude::*;
//! use socketserver::signals::{ServeUntilSignal, Signalled, Signals};
//!
//! fn main() -> Result<Signalled, Box<dyn std::error::Error>> {
//!     // From here on a signal is not lost, whatever the program is doing.
//!     let mut signals = Signals::catch()?;
//!     let mut server = ThreadingTcpServer::bind("127.0.0.1:9999", stream_fn(|_client| Ok(())))?;
//!     let outcome = server.serve_until(&mut signals, Drain::new())?;
//!     eprintln!("{outcome}");
//!     Ok(outcome)
//! }
//! ```
//!
//! # What signals do
//!
//! | signal | effect |
//! |---|---|
//! | the first | the loop stops, the listener is closed and the server [drains](Server::drain): idle connections end at once, busy ones get until the deadline |
//! | the second | the drain is [hurried](ServerHandle::force_drain): what is busy is cut, or its process terminated |
//! | the third | the grace is over too: processes are killed, and what is stuck in threads is given up |
//!
//! `SIGTERM` and `SIGINT` (Ctrl-C) are the same. The first is honoured whenever it comes after
//! [`Signals::catch`]: a server that does not serve yet ends as soon as it would. A handler that blocks in the serving thread
//! ([`Synchronous`](crate::concurrency::Synchronous)) is cut at the deadline, and by the second signal.
//!
//! When it returns signals are not waited for any more. Handlers that others had set before get theirs all the time. If there
//! were none the signals do nothing from then on: `signal-hook` does not give them their default back.
//!
//! # The exit code
//!
//! [`Signalled`] can be what `main` returns:
//!
//! | code | outcome |
//! |---|---|
//! | 0 | every request came to its end, or was idle |
//! | that of the handler | a handler in the serving thread [asked to exit](crate::HandlerError::exit) |
//! | 3, [`Signalled::FORCED`] | connections were cut or processes terminated; all has ended |
//! | 4, [`Signalled::STUCK`] | something was still running when it was given up |
//!
//! # Which thread
//!
//! The code that runs when a signal comes sets a flag and writes a byte into a pipe, and nothing else: so it does not matter
//! which thread the signal comes to, or what that was doing. (CPython calls Python's signal handlers in the main thread,
//! and `shutdown()` there waits for a loop that runs in the same thread, for ever.)
//!
//! A thread named `signals` reads the pipe and acts, as long as the server serves and drains. Servers that fork
//! ([`Fork`](crate::core::Concurrency::forks), `PreFork`) must not have another thread: there the serving thread itself
//! watches the pipe, in the waits of its loop and of the drain, as an [`Interrupt`](crate::core::Interrupt).
//!
//! # Platform notes
//!
//! On Windows it is Ctrl-C and Ctrl-Break. They can be caught once in the life of a process; the second [`Signals::catch`]
//! fails. After the [`Signals`] are gone they end the process, with exit code 130. Closing the console, logging off and
//! shutting down are taken for the same, but do not wait for a drain: Windows ends the process as soon as it has been told.
//!
//! Two signals of the same kind that come at the very same moment may be one for the system.

mod course;
mod outcome;
#[cfg(unix)]
mod prefork;
mod spawned;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

use socketserver_core::{
    Concurrency, Drain, ServeError, Server, ServerHandle, Service, ServiceJob, Transport,
};

use course::Course;
#[cfg(unix)]
use unix as sys;
#[cfg(windows)]
use windows as sys;

pub use outcome::{Signal, Signalled};
#[cfg(unix)]
pub use prefork::PreForkUntilSignal;

/// `SIGTERM` and `SIGINT`, kept for the server that will serve [until](ServeUntilSignal::serve_until) one comes.
///
/// They do not end the process any more as long as this lives. Make it first thing in `main`, before threads are started or
/// the server is made.
pub struct Signals {
    caught: sys::Caught,
}

impl Signals {
    /// Catches the signals from here on.
    ///
    /// # Errors
    ///
    /// When there are no descriptors left, or the system refuses; on Windows also the second time in a process.
    pub fn catch() -> io::Result<Self> {
        Ok(Self { caught: sys::Caught::new()? })
    }

    /// Runs `serve` while a thread acts on signals.
    pub(crate) fn watched<R>(
        &mut self,
        course: &Course,
        server: &ServerHandle,
        serve: impl FnOnce() -> R,
    ) -> Result<R, ServeError> {
        let caught = &self.caught;
        caught.prepare_to_wait().map_err(ServeError::Signals)?;
        thread::scope(|scope| {
            let watch = || course.follow(server, |until| caught.next(until));
            let builder = thread::Builder::new().name("signals".to_owned());
            builder.spawn_scoped(scope, watch).map_err(ServeError::Signals)?;
            // Also if it panics: the scope waits for the thread.
            let _end = End(caught);
            Ok(serve())
        })
    }

    /// Runs `serve` while its thread itself acts on signals, in its waits.
    fn attended<T, C, S, R>(
        &mut self,
        course: &Arc<Course>,
        server: &mut Server<T, C, S>,
        serve: impl FnOnce(&mut Server<T, C, S>) -> R,
    ) -> Result<R, ServeError>
    where
        T: Transport,
        S: Service<T::Request>,
        C: Concurrency<ServiceJob<T::Request, S>>,
    {
        let interrupt = self.caught.interrupt(course).map_err(ServeError::Signals)?;
        server.set_interrupt(Some(interrupt));
        // What a panic leaves behind is as after a panic of the verb itself.
        let result = catch_unwind(AssertUnwindSafe(|| serve(server)));
        server.set_interrupt(None);
        Ok(result.unwrap_or_else(|payload| resume_unwind(payload)))
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals").finish_non_exhaustive()
    }
}

/// Lets the thread that waits for signals end.
struct End<'a>(&'a sys::Caught);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Serving until a signal comes; see the [module](self).
pub trait ServeUntilSignal {
    /// Serves until a signal comes, or the loop ends by itself; then drains the server and closes it.
    ///
    /// # Errors
    ///
    /// Those of [`serve_forever`](Server::serve_forever), after it has drained; and [`ServeError::Signals`] when the thread
    /// cannot be started.
    ///
    /// # Panics
    ///
    /// As [`serve_forever`](Server::serve_forever).
    fn serve_until(&mut self, signals: &mut Signals, drain: Drain)
    -> Result<Signalled, ServeError>;

    /// The same, for signals that come from now on: before, they end the process as ever.
    ///
    /// # Errors
    ///
    /// Those of [`serve_until`](Self::serve_until); and [`ServeError::Signals`] when they cannot be [caught](Signals::catch).
    ///
    /// # Panics
    ///
    /// As [`serve_until`](Self::serve_until).
    fn serve_until_signalled(&mut self, drain: Drain) -> Result<Signalled, ServeError> {
        let mut signals = Signals::catch().map_err(ServeError::Signals)?;
        self.serve_until(&mut signals, drain)
    }
}

impl<T, C, S> ServeUntilSignal for Server<T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    fn serve_until(
        &mut self,
        signals: &mut Signals,
        drain: Drain,
    ) -> Result<Signalled, ServeError> {
        let course = Course::new(self.shutdown_handle(), drain);
        let serve = |server: &mut Self| {
            let ended = server.serve_forever();
            course.drain_begins();
            (ended, server.drain(drain))
        };
        let (ended, report) = if self.concurrency().forks() {
            signals.attended(&course, self, serve)?
        } else {
            let handle = self.handle();
            signals.watched(&course, &handle, || serve(self))?
        };
        Ok(course.outcome(ended?, report, self.counts()))
    }
}
