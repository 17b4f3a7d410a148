//! The states of a server and the legal moves between them: who serves, who asked it to stop, who
//! waits for that.
//!
//! One mutex guards all of it; nothing here knows what serving means.

use std::time::{Duration, Instant};

use crate::shutdown::StopOrder;
use crate::sync::{Condvar, Mutex, ThreadId, current_thread, lock, wait, wait_timeout};
use crate::transport::Waker;

/// The state a server shares with its handles.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    state: Mutex<State>,
    /// Signalled when a verb ends and when a stop is ordered.
    changed: Condvar,
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
    /// How many runs have ended: verbs that a stop order is used up by. A handle remembers the
    /// number it was made at.
    runs: u64,
    closed: bool,
}

impl Lifecycle {
    pub(crate) fn new(waker: Waker) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), waker }
    }

    /// How many runs have ended so far.
    pub(crate) fn runs(&self) -> u64 {
        lock(&self.state).runs
    }

    /// Orders a stop on behalf of a handle made when `born` runs had ended.
    pub(crate) fn order_stop(&self, born: u64) -> StopOrder {
        let mut state = lock(&self.state);
        let order = if state.serving.is_some() {
            StopOrder::Delivered
        } else if state.runs == born && !state.closed {
            StopOrder::Kept
        } else {
            return StopOrder::TooLate;
        };
        state.stop_ordered = true;
        self.changed.notify_all();
        drop(state);
        self.waker.wake();
        order
    }

    /// Waits until the verb that is in progress has ended, if there is one. Says whether it did
    /// before `deadline`; `None` when this is the very thread that serves.
    pub(crate) fn await_end(&self, deadline: Option<Instant>) -> Option<bool> {
        let mut state = lock(&self.state);
        if state.serving == Some(current_thread()) {
            return None;
        }
        let verb = state.verbs;
        while state.serving.is_some() && state.verbs == verb {
            state = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                None => wait(&self.changed, state),
                Some(Duration::ZERO) => return Some(false),
                Some(left) => wait_timeout(&self.changed, state, left),
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

    /// Sleeps for `pause`, or until a stop is ordered.
    pub(crate) fn pause(&self, pause: Duration) {
        let Some(deadline) = Instant::now().checked_add(pause) else { return };
        let mut state = lock(&self.state);
        while !state.stop_ordered {
            match deadline.saturating_duration_since(Instant::now()) {
                Duration::ZERO => return,
                left => state = wait_timeout(&self.changed, state, left),
            }
        }
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

    pub(crate) fn pause(&self, pause: Duration) {
        self.lifecycle.pause(pause);
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
        self.lifecycle.changed.notify_all();
    }
}
