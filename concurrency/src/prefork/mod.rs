//! Long-lived worker processes that accept on one listener, and the parent that looks after them.

mod draining;
mod pause;
mod workers;

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use socketserver_core::{
    Concurrency, Drain, DrainReport, Ended, ServeError, Server, Service, ServiceJob, Supervision,
    Transport,
};

use crate::fork::sys::{self, Promise};
use crate::fork::{ChildExit, Notifier, SignalHandlers, tell};
use draining::Reports;
use rustix::process::Signal;
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
/// workers know, who finish the requests they have, and waits for them, without a limit of time: a worker whose client
/// stays silent keeps it from ending. [`serve_and_drain`](Self::serve_and_drain) has a limit. Workers also stop when the
/// parent dies, however it does.
///
/// Workers do not have the parent's handlers of `SIGTERM` and `SIGINT`, as [children of `Fork`](crate::Fork#what-a-child-inherits)
/// have not: so a Ctrl-C, which all processes of the terminal get, is for the parent alone.
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
    signal_handlers: SignalHandlers,
    on_worker_exit: Option<Box<dyn Fn(ChildExit) + Send + Sync>>,
}

impl PreFork {
    /// So many worker processes, at least one.
    pub fn new(workers: usize) -> Self {
        Self::made(workers, None)
    }

    pub(crate) fn made(workers: usize, promise: Option<Promise>) -> Self {
        Self {
            promise,
            workers: workers.max(1),
            signal_handlers: SignalHandlers::Reset,
            on_worker_exit: None,
        }
    }

    /// Whether workers keep the parent's handlers for `SIGTERM` and `SIGINT`, instead of ending by the one and ignoring the
    /// other. The default is not to.
    pub fn inherit_signal_handlers(mut self, inherit: bool) -> Self {
        self.signal_handlers = SignalHandlers::inherited(inherit);
        self
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
            let ended = self.look_after(&mut workers, &notifier, supervision, None);
            // Whatever happened: their word to stop, and none is left behind.
            tell(self.on_worker_exit.as_deref(), workers.stop());
            ended
        })
    }

    /// The same, but when the server is asked to stop, all of it is [drained](Server::drain), and closed. Says how.
    ///
    /// 1. The parent closes its listener and lets the workers know. Each of them drains the requests it has, in its
    ///    own process, by the same `drain`: so its idle connections end at once, and its busy ones get until the deadline.
    ///    Workers have half of the grace, so that they have ended when it is over.
    /// 2. Workers that are there after the deadline and the grace get `SIGTERM`, which ends them.
    /// 3. After another grace those that are still there get `SIGKILL`.
    ///
    /// [`ServerHandle::force_drain`](socketserver_core::ServerHandle::force_drain) in the parent has workers
    /// terminated at once; a second call, killed.
    ///
    /// The report adds up what the workers reported; one that was terminated or killed has not, and counts as such. One that
    /// crashes meanwhile shows in [`on_worker_exit`](Self::on_worker_exit) only.
    /// Connections are not among `stuck`: what is stuck in a worker ends with it, and was forced.
    ///
    /// # Errors
    ///
    /// Those of [`serve`](Self::serve). Workers that run are drained first.
    ///
    /// # Panics
    ///
    /// With the panic of the service's `service_actions` in the parent, or of the hook as long as the parent was not asked to
    /// stop. Workers are told to stop then, and not waited for.
    pub fn serve_and_drain<T, C, S>(
        &self,
        server: &mut Server<T, C, S>,
        drain: Drain,
    ) -> Result<(Ended, DrainReport), ServeError>
    where
        T: Transport,
        S: Service<T::Request>,
        C: Concurrency<ServiceJob<T::Request, S>>,
    {
        let mut report = DrainReport::default();
        let ended = server.supervise(|supervision| {
            let notifier = Notifier::new().map_err(ServeError::StartWorker)?;
            let mut workers = Workers::new(self.workers).map_err(ServeError::StartWorker)?;
            let reports = Reports::new().map_err(ServeError::StartWorker)?;
            let how = Some((draining::of_worker(drain), &reports));
            let ended = self.look_after(&mut workers, &notifier, supervision, how);
            let start = Instant::now();
            reports.clear();
            supervision.begin_drain();
            workers.tell_to_stop();
            for stage in draining::stages(drain) {
                let patience = supervision.patience(stage.time, stage.hurried);
                report.workers_left = workers.wait_for(&patience, &notifier, |ended| {
                    reports.add_to(&mut report);
                    // The rest of the workers are waited for all the same.
                    let _ = catch_unwind(AssertUnwindSafe(|| {
                        tell(self.on_worker_exit.as_deref(), ended);
                    }));
                });
                match stage.signal.filter(|_| report.workers_left > 0) {
                    Some(Signal::KILL) => report.killed += workers.signal(Signal::KILL),
                    Some(signal) => report.terminated += workers.signal(signal),
                    None => break,
                }
            }
            reports.add_to(&mut report);
            report.time = start.elapsed();
            ended
        })?;
        Ok((ended, report))
    }

    fn look_after<T, C, S>(
        &self,
        workers: &mut Workers,
        notifier: &Notifier,
        supervision: &mut Supervision<'_, T, C, S>,
        drain: Option<(Drain, &Reports)>,
    ) -> Result<Ended, ServeError>
    where
        T: Transport,
        S: Service<T::Request>,
        C: Concurrency<ServiceJob<T::Request, S>>,
    {
        let mut first = true;
        while !supervision.stop_ordered() {
            while workers.one_is_due() && !supervision.stop_ordered() {
                match self.start(workers, notifier, supervision, drain) {
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
        drain: Option<(Drain, &Reports)>,
    ) -> io::Result<()>
    where
        T: Transport,
        S: Service<T::Request>,
        C: Concurrency<ServiceJob<T::Request, S>>,
    {
        let pid = sys::fork(self.promise, self.signal_handlers, || {
            let server = supervision.handle();
            let how = drain.map(|(drain, _)| drain);
            if workers.heed_parent(move || draining::stop_worker(&server, how)).is_err() {
                return 1;
            }
            let ended = match drain {
                None => supervision.serve_in_child(),
                Some((drain, reports)) => {
                    supervision.serve_and_drain_in_child(drain).map(|(ended, report)| {
                        reports.send(&report);
                        ended
                    })
                }
            };
            match ended {
                Ok(Ended::Exited(exit)) => exit.code(),
                Ok(_) => 0,
                Err(_) => 1,
            }
        })?;
        workers.started(pid, notifier);
        Ok(())
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
