//! Long-lived worker processes that accept on one listener, and the parent that looks after them.

mod workers;

use std::fmt;
use std::io;
use std::time::Duration;

use socketserver_core::{
    Concurrency, Ended, ServeError, Server, Service, ServiceJob, Supervision, Transport,
};

use crate::fork::sys::{self, Promise};
use crate::fork::{ChildExit, Notifier, tell};
use workers::Workers;

/// Serves with a fixed number of worker processes, which accept on the same listener, each with its copy
/// of the server. CPython has no such thing.
///
/// The service stays the same; one line changes: `PreFork::new(4).serve(&mut server)` instead of
/// `server.serve_forever()`. In each worker the server's own strategy runs the requests: with
/// [`Synchronous`](crate::Synchronous) there are as many requests at a time as workers.
///
/// What a worker changes, the others do not see. A worker that crashes costs the requests it had; the parent
/// starts another one, after a pause that grows if workers die young: from 50 milliseconds to ten seconds.
///
/// # How it stops
///
/// A stop is asked of the parent, with its [`ShutdownHandle`](socketserver_core::ShutdownHandle). It lets the
/// workers know, who finish the requests they have, and waits for them, without a limit of time. Workers
/// also stop when the parent dies, however it does.
///
/// # Processes and threads
///
/// The rules of [`Fork`](crate::Fork#threads) hold for the parent: it must have one thread, unless made by
/// [`with_other_threads`](Self::with_other_threads). A worker has one thread more than its strategy needs: it waits for
/// the parent's word.
///
/// The parent does not accept. It calls the service's `service_actions` at the poll interval, as the workers
/// do.
///
/// ```no_run
/// use socketserver_concurrency::PreFork;
/// # use socketserver_concurrency::Synchronous;
/// # use socketserver_core::testing::{RecordingService, ScriptedTransport};
/// # let mut server = socketserver_core::Server::new(
/// #     ScriptedTransport::new(), Synchronous, RecordingService::new());
///
/// PreFork::new(4).on_worker_exit(|worker| eprintln!("{worker}")).serve(&mut server)?;
/// # Ok::<(), socketserver_core::ServeError>(())
/// ```
#[must_use]
pub struct PreFork {
    promise: Option<Promise>,
    workers: usize,
    on_worker_exit: Option<Box<dyn Fn(ChildExit) + Send + Sync>>,
}

impl PreFork {
    /// So many worker processes, at least one.
    pub fn new(workers: usize) -> Self {
        Self::made(workers, None)
    }

    pub(crate) fn made(workers: usize, promise: Option<Promise>) -> Self {
        Self { promise, workers: workers.max(1), on_worker_exit: None }
    }

    /// Calls `hook` in the parent for each worker that has ended.
    pub fn on_worker_exit(mut self, hook: impl Fn(ChildExit) + Send + Sync + 'static) -> Self {
        self.on_worker_exit = Some(Box::new(hook));
        self
    }

    /// Starts the workers and looks after them until the server is asked to stop.
    ///
    /// # Errors
    ///
    /// [`ServeError::StartWorker`] when the first workers cannot be started: because this process has other
    /// threads, say. [`ServeError::Closed`] and [`ServeError::Wait`] as for
    /// [`serve_forever`](Server::serve_forever). Workers that run are stopped, and waited for, first.
    ///
    /// # Panics
    ///
    /// With the panic of the hook, or of the service's `service_actions` in the parent.
    pub fn serve<T, C, S>(&self, server: &mut Server<T, C, S>) -> Result<Ended, ServeError>
    where
        T: Transport,
        S: Service<T::Request>,
        C: Concurrency<ServiceJob<T::Request, S>>,
    {
        server.supervise(|supervision| {
            let notifier = Notifier::new().map_err(ServeError::StartWorker)?;
            let mut workers = Workers::new(self.workers).map_err(ServeError::StartWorker)?;
            let ended = self.look_after(&mut workers, &notifier, supervision);
            // Whatever happened: their word to stop, and none is left behind.
            tell(self.on_worker_exit.as_deref(), workers.stop());
            ended
        })
    }

    fn look_after<T, C, S>(
        &self,
        workers: &mut Workers,
        notifier: &Notifier,
        supervision: &mut Supervision<'_, T, C, S>,
    ) -> Result<Ended, ServeError>
    where
        T: Transport,
        S: Service<T::Request>,
        C: Concurrency<ServiceJob<T::Request, S>>,
    {
        let mut first = true;
        while !supervision.stop_ordered() {
            while workers.one_is_due() && !supervision.stop_ordered() {
                match self.start(workers, notifier, supervision) {
                    Ok(()) => {}
                    Err(error) if first => return Err(ServeError::StartWorker(error)),
                    // It gets better, or it does not: tried again, ever more seldom.
                    Err(_) => workers.not_started(),
                }
            }
            first = false;
            supervision.turn(notifier.source(), workers.next_due())?;
            tell(self.on_worker_exit.as_deref(), workers.reap(notifier));
        }
        Ok(Ended::Shutdown)
    }

    /// Makes one worker, which serves and never comes back from here.
    fn start<T, C, S>(
        &self,
        workers: &mut Workers,
        notifier: &Notifier,
        supervision: &mut Supervision<'_, T, C, S>,
    ) -> io::Result<()>
    where
        T: Transport,
        S: Service<T::Request>,
        C: Concurrency<ServiceJob<T::Request, S>>,
    {
        let pid = sys::fork(self.promise, || {
            let server = supervision.handle();
            if workers.heed_parent(move || _ = server.request_shutdown()).is_err() {
                return 1;
            }
            match supervision.serve_in_child() {
                Ok(Ended::Exited(exit)) => exit.code(),
                Ok(_) => 0,
                Err(_) => 1,
            }
        })?;
        workers.started(pid, notifier);
        Ok(())
    }
}

/// How long to wait before a worker is started again.
#[derive(Debug)]
struct Pause {
    next: Duration,
}

impl Pause {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(10);

    const fn new() -> Self {
        Self { next: Self::FIRST }
    }

    /// The pause after a worker that lived for `life`: longer each time, unless it had a long life.
    fn after(&mut self, life: Duration) -> Duration {
        if life >= Self::LONGEST {
            self.next = Self::FIRST;
        }
        let pause = self.next;
        self.next = (pause * 2).min(Self::LONGEST);
        pause
    }
}

impl fmt::Debug for PreFork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreFork")
            .field("with_other_threads", &self.promise.is_some())
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_that_die_young_are_started_ever_later() {
        let mut pause = Pause::new();
        let pauses: Vec<_> =
            (0..10).map(|_| pause.after(Duration::from_secs(1)).as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000]);
        assert_eq!(pause.after(Duration::from_secs(60)), Pause::FIRST);
    }
}
