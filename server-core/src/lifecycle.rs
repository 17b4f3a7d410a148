//! The states of a server and the legal moves between them: who serves, who asked it to stop, who
//! waits for that.
//!
//! One mutex guards all of it; nothing here knows what serving means.

use std::time::{Duration, Instant};

use crate::shutdown::StopOrder;
use crate::sync::{
    Arc, AtomicU64, Condvar, Mutex, Ordering, ThreadId, current_thread, lock, wait, wait_timeout,
};
use crate::transport::Waker;

/// The state a server shares with its handles.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    state: Mutex<State>,
    /// Signalled when a verb ends.
    ended: Condvar,
    waker: Waker,
}

#[derive(Debug, Default)]
struct State {
    /// The thread inside a serving verb.
    serving: Option<ThreadId>,
    /// Somebody asked to stop and no verb has heeded it yet.
    stop_ordered: bool,
    /// How many verbs have ended: tells waiters that theirs has.
    verbs: u64,
    /// How many runs have ended: verbs that a stop order is used up by.
    runs: u64,
    closed: bool,
}

impl Lifecycle {
    pub(crate) fn new(waker: Waker) -> Self {
        Self { state: Mutex::default(), ended: Condvar::new(), waker }
    }

    /// How many runs have ended so far.
    pub(crate) fn runs(&self) -> u64 {
        lock(&self.state).runs
    }

    /// Orders a stop within `scope`. Says what became of it and, if a verb is in progress that heeds
    /// it, which one: to wait for with [`await_end`](Self::await_end).
    pub(crate) fn order_stop(&self, scope: &Scope) -> (StopOrder, Option<VerbNumber>) {
        let mut state = lock(&self.state);
        let serving = state.serving.is_some();
        let too_late = state.closed
            || match scope {
                Scope::Run(run) => *run != state.runs,
                // A repeat: the run that the last stop of this family was for is the last that ended.
                Scope::Server(last) => !serving && state.runs > 0 && last.get() == state.runs,
            };
        if too_late {
            return (StopOrder::TooLate, None);
        }
        if let Scope::Server(last) = scope {
            last.set(state.runs + 1);
        }
        state.stop_ordered = true;
        let verb = serving.then_some(VerbNumber(state.verbs));
        drop(state);
        self.waker.wake();
        (if serving { StopOrder::Delivered } else { StopOrder::Kept }, verb)
    }

    /// Waits until `verb` has ended. Says whether it did before `deadline`; `None` when this is the very
    /// thread that is in it.
    pub(crate) fn await_end(&self, verb: VerbNumber, deadline: Option<Instant>) -> Option<bool> {
        let mut state = lock(&self.state);
        if state.verbs == verb.0 && state.serving == Some(current_thread()) {
            return None;
        }
        while state.verbs == verb.0 {
            state = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                None => wait(&self.ended, state),
                Some(Duration::ZERO) => return Some(false),
                Some(left) => wait_timeout(&self.ended, state, left),
            };
        }
        Some(true)
    }

    pub(crate) fn stop_ordered(&self) -> bool {
        lock(&self.state).stop_ordered
    }

    /// Whether the run that began when `born` runs had ended is told to stop, or over.
    pub(crate) fn is_over(&self, born: u64) -> bool {
        let state = lock(&self.state);
        state.stop_ordered || state.runs != born || state.closed
    }

    /// Uses up a stop order, if there is one.
    pub(crate) fn take_order(&self) -> bool {
        let mut state = lock(&self.state);
        let ordered = std::mem::take(&mut state.stop_ordered);
        state.runs += u64::from(ordered);
        ordered
    }

    /// No verb will ever run again: orders from now on are too late.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
    }

    /// The calling thread enters a serving verb. The server's `&mut self` sees to it that there is
    /// only one at a time.
    pub(crate) fn begin(&self, verb: Verb) -> Serving<'_> {
        lock(&self.state).serving = Some(current_thread());
        Serving { lifecycle: self, verb }
    }
}

/// What a handle's stop is meant for.
#[derive(Clone, Debug)]
pub(crate) enum Scope {
    /// The run that began, or will begin, when this many had ended; no other.
    Run(u64),
    /// Whatever run there is, else the next. The number, shared by all clones of a handle, is that of the run
    /// (counted from 1) that their last stop was for: it tells a late repeat from a new stop.
    Server(Arc<LastStop>),
}

/// The run that the last stop of a family of handles was for; 0 for none yet.
#[derive(Debug, Default)]
pub(crate) struct LastStop(AtomicU64);

impl LastStop {
    // Only read and written under the lifecycle's lock, which gives the order; it is atomic because handles
    // share it.
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, run: u64) {
        self.0.store(run, Ordering::Relaxed);
    }
}

/// A verb in progress, told from those before and after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VerbNumber(u64);

/// Which verb is in progress.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verb {
    ServeForever,
    HandleRequest,
}

/// The calling thread is inside a serving verb; dropping this, also by a panic, ends the verb and
/// releases all who wait for it.
#[derive(Debug)]
pub(crate) struct Serving<'a> {
    lifecycle: &'a Lifecycle,
    verb: Verb,
}

impl Serving<'_> {
    pub(crate) fn stop_ordered(&self) -> bool {
        self.lifecycle.stop_ordered()
    }

    pub(crate) fn take_order(&self) -> bool {
        self.lifecycle.take_order()
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.lifecycle.state);
        state.serving = None;
        state.verbs += 1;
        if self.verb == Verb::ServeForever {
            // However the loop ended, the order is used up with it.
            state.stop_ordered = false;
            state.runs += 1;
        }
        self.lifecycle.ended.notify_all();
    }
}
