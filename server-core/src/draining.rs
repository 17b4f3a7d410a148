//! The stages of a drain, one after another; `drain` says what they are for.

use std::time::{Duration, Instant};

use crate::concurrency::{Concurrency, EndWorkers, Job};
use crate::drain::{Backlog, Drain, DrainReport};
use crate::job::ServiceJob;
use crate::observer::{DrainStage, Event};
use crate::patience::Patience;
use crate::serve::Serve;
use crate::server_handle::ServerHandle;
use crate::service::Service;
use crate::transport::Transport;

/// A drain in progress.
pub(crate) struct Draining {
    drain: Drain,
    start: Instant,
    deadline: Instant,
    /// How many requests had not been served before.
    refused: u64,
    report: DrainReport,
}

/// Who hurries once ends the wait for busy requests; twice, the grace.
const DEADLINE: usize = 1;
const GRACE: usize = 2;

impl Draining {
    pub(crate) fn begin(drain: Drain, server: &ServerHandle) -> Self {
        server.begin_drain();
        let start = Instant::now();
        let deadline = after(start, drain.get_deadline());
        let refused = server.counts().not_served();
        Self { drain, start, deadline, refused, report: DrainReport::default() }
    }

    /// Serves what is in the backlog, if that is wanted.
    pub(crate) fn backlog<T, C, S>(&self, serve: &mut Serve<'_, T, C, S>)
    where
        T: Transport,
        S: Service<T::Request>,
        C: Concurrency<ServiceJob<T::Request, S>>,
    {
        if self.drain.get_backlog() == Backlog::Serve {
            serve.backlog(self.deadline);
        }
    }

    /// All that comes when the listener is closed.
    pub(crate) fn finish<J, C>(mut self, server: &ServerHandle, concurrency: &C) -> DrainReport
    where
        J: Job,
        C: Concurrency<J>,
    {
        let registry = server.registry();
        server.announce_drain();
        concurrency.drain_begins();
        let connections = registry.tally.look().idle_ended;
        server.tell(|| Event::Draining(DrainStage::IdleEnded { connections }));
        let left = wait(server, concurrency, self.deadline, DEADLINE);
        self.report.workers_left = left;
        if registry.gate.inside() > 0 || left > 0 {
            registry.force();
            self.report.terminated = concurrency.end_workers(EndWorkers::Terminate);
            let (connections, processes) = (registry.tally.look().forced, self.report.terminated);
            server.tell(|| Event::Draining(DrainStage::Forced { connections, processes }));
            self.grace(server, concurrency);
            self.report.requests_left = registry.gate.inside();
            self.report.stuck = registry.list();
        }
        let Self { mut report, start, refused, .. } = self;
        let refused = server.counts().not_served().saturating_sub(refused);
        report.refused = usize::try_from(refused).unwrap_or(usize::MAX);
        let ends = registry.tally.take();
        (report.finished, report.idle_ended, report.forced) =
            (ends.finished, ends.idle_ended, ends.forced);
        report.time = start.elapsed();
        server.tell(|| Event::Draining(DrainStage::Done(&report)));
        report
    }

    fn grace<J, C>(&mut self, server: &ServerHandle, concurrency: &C)
    where
        J: Job,
        C: Concurrency<J>,
    {
        let grace = after(self.start, self.drain.get_grace());
        let mut left = wait(server, concurrency, grace, GRACE);
        if left > 0 {
            self.report.killed = concurrency.end_workers(EndWorkers::Kill);
            let processes = self.report.killed;
            if processes > 0 {
                server.tell(|| Event::Draining(DrainStage::Killed { processes }));
                // What is killed ends, but the system has to say so: who hurries does not end this.
                let end = after(self.start, self.drain.get_grace());
                left = wait(server, concurrency, end, usize::MAX);
            }
        }
        self.report.workers_left = left;
    }
}

/// Waits until nobody is at work, for no longer than that. Says how many workers are left.
fn wait<J: Job, C: Concurrency<J>>(
    server: &ServerHandle,
    concurrency: &C,
    deadline: Instant,
    hurried: usize,
) -> usize {
    let patience = server.patience(deadline, hurried);
    let gate = &server.registry().gate;
    gate.wait_until_or(0, Some(deadline), || patience.is_hurried());
    concurrency.wait_for_workers(&patience)
}

/// This time from now; if that is beyond the end of time, the end of time, nearly.
pub(crate) fn after(start: Instant, time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or_else(|| start + Duration::from_secs(u32::MAX.into()))
}

impl ServerHandle {
    /// A drain begins, unless it has been announced before: from here on it is counted how requests end.
    pub(crate) fn begin_drain(&self) {
        if self.registry().tally.begin() {
            let requests = self.live_requests();
            self.tell(|| Event::Draining(DrainStage::Begun { requests }));
        }
    }

    /// Patience to a deadline, or until somebody has hurried so often, for the serving thread.
    pub(crate) fn patience(&self, deadline: Instant, hurried: usize) -> Patience<'_> {
        let attending = self.common().interrupts.attending(self);
        Patience::until(deadline).unless_hurried(&self.common().hurry, hurried).attending(attending)
    }
}
