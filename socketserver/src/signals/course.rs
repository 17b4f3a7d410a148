//! What has come so far while a server serves until a signal comes, and what the next one does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use socketserver_core::{Backlog, Counts, Drain, DrainReport, Ended, ServerHandle, ShutdownHandle};

use super::{Signal, Signalled};

/// One server's way from its first signal to its end.
pub(crate) struct Course {
    stop: Box<dyn Fn() + Send + Sync>,
    drain: Drain,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    first: Option<Signal>,
    signals: usize,
    /// The server drains, and sees to the deadline itself.
    draining: bool,
    /// When whatever is still in the serving thread is cut.
    deadline: Option<Instant>,
}

/// What a wait for a signal came to.
pub(crate) enum Event {
    Signal(Signal),
    /// The time is over.
    TimedOut,
    /// Nobody wants to know any more.
    End,
}

impl Course {
    pub(crate) fn new(stop: ShutdownHandle, drain: Drain) -> Arc<Self> {
        Arc::new(Self::stopped_by(move || _ = stop.request(), drain))
    }

    pub(crate) fn stopped_by(stop: impl Fn() + Send + Sync + 'static, drain: Drain) -> Self {
        Self { stop: Box::new(stop), drain, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A signal has come.
    pub(crate) fn signal(&self, signal: Signal, server: &ServerHandle) {
        let first = {
            let mut state = self.state();
            state.signals += 1;
            if state.signals == 1 {
                state.first = Some(signal);
                state.deadline = Instant::now().checked_add(self.drain.get_deadline());
            }
            state.signals == 1
        };
        if !first {
            server.force_drain();
            return;
        }
        (self.stop)();
        // The loop may be inside a handler, whose connection is idle. What waits in the backlog is to be served as before.
        if self.drain.get_backlog() == Backlog::Leave {
            server.announce_drain();
        }
    }

    /// The loop has ended, and the server is about to drain.
    pub(crate) fn drain_begins(&self) {
        self.state().draining = true;
    }

    /// Acts on what `next` says, which waits until the time that it is given, until that is the end.
    pub(crate) fn follow(
        &self,
        server: &ServerHandle,
        mut next: impl FnMut(Option<Instant>) -> Event,
    ) {
        loop {
            let deadline = self.state().deadline;
            match next(deadline) {
                Event::Signal(signal) => self.signal(signal, server),
                Event::End => break,
                Event::TimedOut => {
                    let in_loop = {
                        let mut state = self.state();
                        state.deadline = None;
                        !state.draining
                    };
                    if in_loop {
                        server.force_drain();
                    }
                }
            }
        }
    }

    pub(crate) fn outcome(&self, ended: Ended, report: DrainReport, counts: Counts) -> Signalled {
        let state = self.state();
        Signalled::new(state.first, state.signals, ended, report, counts)
    }
}
