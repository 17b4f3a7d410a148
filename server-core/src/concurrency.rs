//! The contract for who runs the work: in the loop, in a thread, in a process.

use std::any::Any;
use std::fmt;
use std::io;

use crate::outcome::Exit;
use crate::patience::Patience;
use crate::source::Source;
use crate::sync::Arc;
use crate::transport::{Transport, Waker};
use crate::turn::{Pollable, Turn};

/// How requests run side by side: CPython's mix-in classes.
///
/// A strategy sees jobs and nothing else: not the transport, not the service, not the loop. What it
/// asks of a job decides what it can be combined with: a strategy of threads implements this for
/// `J: Job + Send + 'static` only, so a service that cannot be shared does not compile with it.
///
/// # Order of calls
///
/// 1. [`attach`](Self::attach), once, when the server is made.
/// 2. [`has_room`](Self::has_room) and [`source`](Self::source), before each wait for a request.
/// 3. [`process_request`](Self::process_request) for each request, if there was room; and
///    [`batch_ends`](Self::batch_ends) after one or several.
/// 4. [`service_actions`](Self::service_actions) once per turn of `serve_forever`, or
///    [`handle_timeout`](Self::handle_timeout) when `handle_request` runs out of time; the service's
///    hooks of the same names follow.
/// 5. When the server is drained: [`drain_begins`](Self::drain_begins),
///    [`wait_for_workers`](Self::wait_for_workers), and if that was not enough [`end_workers`](Self::end_workers).
/// 6. [`server_close`](Self::server_close), when the listener is closed already; it may come more
///    than once.
///
/// All but the first and the last come from the thread that serves.
pub trait Concurrency<J: Job> {
    /// Gives the strategy the means to end the loop's wait, so that it asks again whether there is
    /// room. The default does not need it.
    fn attach(&self, waker: Waker) {
        let _ = waker;
    }

    /// Whether another request can be taken now.
    ///
    /// If not, the loop leaves requests in the transport's backlog until it is woken (by the
    /// [waker](Self::attach) or the [source](Self::source)) and this says yes. It never blocks. The
    /// default says yes.
    fn has_room(&self) -> bool {
        true
    }

    /// The loop has handed over what was there, and is about to wait for more or to return: a strategy that would rather begin
    /// several jobs together does so now. It may let other threads run first, but never sleeps. Hooks of the service run
    /// before it, and may take long. A strategy that wraps another passes this on.
    ///
    /// Says how the loop goes on. The default has put nothing off, and has it [wait](AfterBatch::Wait).
    fn batch_ends(&self) -> AfterBatch {
        AfterBatch::Wait
    }

    /// Something that becomes readable when the strategy has work to do in the serving thread. The
    /// loop then asks [`has_room`](Self::has_room), which does that work. The default is nothing.
    fn source(&self) -> Option<Source<'_>> {
        None
    }

    /// Runs the job, or sees to it that it is run. A strategy that makes another process of it closes the
    /// `listener` there.
    ///
    /// # Errors
    ///
    /// When the job cannot be run at all it comes back inside [`Rejected`], untouched: no thread or process could be
    /// started, say. The request goes to `handle_error` and is closed, and the loop pauses, longer each time in a row.
    fn process_request(
        &self,
        job: J,
        listener: &mut dyn Listener,
    ) -> Result<Dispatched, Rejected<J>>;

    /// Called once per turn of `serve_forever`.
    fn service_actions(&self) {}

    /// Called when `handle_request` ran out of time.
    fn handle_timeout(&self) {}

    /// Waits for the workers, as far as the strategy's settings ask for that.
    ///
    /// Must not wait for the calling thread, should that be one of the workers.
    fn server_close(&self) {}

    /// Waits for the workers, but no longer than there is patience, and whatever the strategy's settings say. Says how many
    /// are still at work then.
    ///
    /// It is called in a drain; and, with patience that ends when somebody says what is to happen, when the loop of a server
    /// in the background has ended by itself. The listener is closed then.
    ///
    /// A strategy without workers has none. The default, for a strategy that does not know better, is
    /// [`server_close`](Self::server_close), which may wait longer.
    fn wait_for_workers(&self, patience: &Patience<'_>) -> usize {
        let _ = patience;
        self.server_close();
        0
    }

    /// Called when the server drains, before workers are [waited for](Self::wait_for_workers): tells those that cannot see it,
    /// because they are other processes. The default has none of these.
    fn drain_begins(&self) {}

    /// Called by [`supervise`](crate::Server::supervise), before it forks processes in which this strategy goes on: threads that
    /// are kept although they have nothing to do would not be there, and while they are a process cannot fork safely, so they
    /// are to end. It is not the end of the strategy. The default keeps none; a strategy that wraps another passes this on.
    fn before_fork(&self) {}

    /// Whether it runs requests in processes that it forks, for which there should be no other threads. The default is that
    /// it does not; a strategy that wraps another says what that says.
    fn forks(&self) -> bool {
        false
    }

    /// Ends workers that outstayed the deadline of a [drain](crate::Server::drain), if the strategy can: processes can be
    /// ended, threads cannot. Says how many were told.
    fn end_workers(&self, how: EndWorkers) -> usize {
        let _ = how;
        0
    }
}

/// How the loop goes on when it has handed over the requests that were there.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum AfterBatch {
    /// It waits for the next one.
    Wait,
    /// It looks for the next ones without a wait: others ran meanwhile, so there may be some.
    Again,
    /// It leaves the next ones in the transport's backlog until it is [woken](Concurrency::attach), which has to come soon, or
    /// until its poll interval is over: the strategy is busy for a moment with those it has, and it is better to
    /// take the next ones together. This is no limit; that is [`has_room`](Concurrency::has_room).
    Later,
}

/// How firmly workers are told to end.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EndWorkers {
    /// They may clean up: `SIGTERM`.
    Terminate,
    /// They may not: `SIGKILL`.
    Kill,
}

/// The server's listener, as a strategy sees it: something to close in a child process.
pub trait Listener {
    /// Closes it in this process. The server cannot serve any more then.
    fn close(&mut self);
}

impl<T: Transport> Listener for Option<T> {
    fn close(&mut self) {
        *self = None;
    }
}

/// One accepted request with everything needed to serve it.
///
/// A job leaves through exactly one door: [`run`](Self::run), [`overloaded`](Self::overloaded) or
/// [`close_request`](Self::close_request). Dropping it unserved closes the request and is counted.
pub trait Job {
    /// Serves the request: `finish_request`, then `handle_error` if that failed, then
    /// `shutdown_request`. Never unwinds.
    fn run(self) -> Finished;

    /// Serves the request as far as it goes without waiting for its client between two requests of his. It leaves when it comes
    /// to its end; else it comes back, to be given another turn, on this thread or another. Never unwinds.
    ///
    /// A strategy either [runs](Self::run) a job or gives it turns. The default is one turn that runs it: right for
    /// requests that do not come one after another.
    fn turn(self: Box<Self>) -> Turn<Self>
    where
        Self: Sized,
    {
        Turn::Finished((*self).run())
    }

    /// Has the job wait for the first byte of its client, before its first turn, if that is something that can be waited
    /// for. The default has it ready at once.
    fn await_client(self: Box<Self>) -> Turn<Self>
    where
        Self: Sized,
    {
        Turn::Ready(self)
    }

    /// What becomes readable when the client has sent something, or has gone. The default is nothing: such a job never
    /// [rests](Turn::Resting).
    fn waits_for(&self) -> Option<Arc<dyn Pollable>> {
        None
    }

    /// Refuses the request because there is nobody to run it: the service's `handle_refusal` may send a
    /// last word, then `shutdown_request`. Never unwinds.
    fn overloaded(self) -> Finished;

    /// What tells the handler of this job, in this process, that the server drains: for strategies that run jobs in other
    /// processes, which do not see it. The default tells nobody.
    fn drain_order(&self) -> Box<dyn FnOnce() + Send> {
        Box::new(|| ())
    }

    /// Closes this process's copy of a request that another process serves: what the parent does
    /// after a fork. No `shutdown_request`, so the connection itself stays up.
    fn close_request(self);
}

/// What became of a job that was run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Finished {
    /// The handler ran to a good end.
    Served,
    /// The handler failed, and `handle_error` was told.
    Failed,
    /// No handler ran: the request was refused.
    Refused,
    /// The handler asked to exit. What that ends is up to the strategy: the loop, the thread, the
    /// process.
    Exited(Exit),
    /// A hook of the service panicked, with this payload; the request is closed all the same.
    HookPanicked(Box<dyn Any + Send>),
}

/// What became of a job that a strategy took.
#[derive(Debug)]
#[non_exhaustive]
pub enum Dispatched {
    /// It was run here and now, in the serving thread.
    Finished(Finished),
    /// Somebody else runs it.
    Started,
}

/// A job that could not be run, and why.
pub struct Rejected<J> {
    job: J,
    error: io::Error,
}

impl<J> Rejected<J> {
    /// `job` could not be run because of `error`.
    pub fn new(job: J, error: io::Error) -> Self {
        Self { job, error }
    }

    /// Why it could not be run.
    pub fn error(&self) -> &io::Error {
        &self.error
    }

    /// The job and the reason.
    pub fn into_parts(self) -> (J, io::Error) {
        (self.job, self.error)
    }
}

impl<J> fmt::Debug for Rejected<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected").field("error", &self.error).finish_non_exhaustive()
    }
}
