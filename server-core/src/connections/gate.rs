//! How many requests are in progress, how many there may be, and who waits for there to be fewer.
//!
//! One mutex guards all of it. Only the serving thread lets requests in, and it asks before it accepts, so the limit is
//! exact: there is no moment at which one too many is in.

use std::fmt;
use std::time::Instant;

use crate::refusal::AtLimit;
use crate::sync::{Condvar, Mutex, lock, wait, wait_timeout};
use crate::transport::Waker;

/// The way in and out for requests.
pub(crate) struct Gate {
    state: Mutex<State>,
    fewer: Condvar,
    /// Ends the loop's wait, so that it asks again whether there is room.
    waker: Waker,
}

#[derive(Default)]
struct State {
    inside: usize,
    most: Option<usize>,
    at_limit: AtLimit,
    suspended: bool,
    /// The loop found that it has to wait, and sleeps.
    loop_waits: bool,
    /// The loop found that something has run out, and rests until somebody leaves, who may have set it free.
    loop_rests: bool,
    /// How many have left since a place was taken last.
    left: usize,
    /// Those who wait want no more than so many inside, the most patient of them; nobody is woken before.
    awaited: Option<usize>,
}

/// What the loop may do about the next request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Room {
    /// Let it in.
    Free,
    /// Turn it away: the limit is reached.
    Full,
    /// Leave it where it is.
    Shut,
}

impl State {
    fn room(&self) -> Room {
        match (self.most, self.at_limit) {
            _ if self.suspended => Room::Shut,
            (Some(most), AtLimit::Wait) if self.inside >= most => Room::Shut,
            (Some(most), AtLimit::Refuse) if self.inside >= most => Room::Full,
            _ => Room::Free,
        }
    }

    /// Whether the loop has to be woken: it waits, and need not any more.
    fn wakes_loop(&mut self) -> bool {
        let wakes = self.loop_waits && self.room() != Room::Shut;
        self.loop_waits &= !wakes;
        wakes
    }
}

impl Gate {
    pub(crate) fn new(waker: Waker) -> Self {
        Self { state: Mutex::default(), fewer: Condvar::new(), waker }
    }

    /// Asked by the loop before it waits for a request. If that is to stay where it is, the loop will be woken when it
    /// need not any more.
    pub(crate) fn room(&self) -> Room {
        let mut state = lock(&self.state);
        let room = state.room();
        state.loop_waits = room == Room::Shut;
        room
    }

    /// Takes a place for a request that is about to be accepted. Who suspends the server after this finds somebody
    /// inside.
    pub(crate) fn try_enter(&self) -> bool {
        let mut state = lock(&self.state);
        let free = state.room() == Room::Free;
        state.inside += usize::from(free);
        // A rest is over with the next attempt, whatever ended it.
        (state.loop_rests, state.left) = (false, 0);
        free
    }

    pub(crate) fn leave(&self) {
        let (wakes_loop, wakes_others) = {
            let mut state = lock(&self.state);
            state.inside -= 1;
            state.left += 1;
            let reached = state.awaited.is_some_and(|most| state.inside <= most);
            if reached {
                // Who waits for still fewer says so again.
                state.awaited = None;
            }
            let ends_rest = std::mem::take(&mut state.loop_rests);
            (state.wakes_loop() || ends_rest, reached)
        };
        if wakes_others {
            self.fewer.notify_all();
        }
        // A transport's code, so not under the lock.
        if wakes_loop {
            self.waker.wake();
        }
    }

    /// An attempt has shown that something has run out, and if it had a place that `was_given_up`. Says whether the loop has
    /// to rest: the next request that leaves ends that, and one that has left meanwhile makes it needless.
    pub(crate) fn begin_rest(&self, was_given_up: bool) -> bool {
        let mut state = lock(&self.state);
        // Who gave his place up is among those who left.
        state.loop_rests = state.left <= usize::from(was_given_up);
        state.left = 0;
        state.loop_rests
    }

    /// Whether nobody has left since the rest began.
    pub(crate) fn is_resting(&self) -> bool {
        lock(&self.state).loop_rests
    }

    pub(crate) fn inside(&self) -> usize {
        lock(&self.state).inside
    }

    pub(crate) fn most(&self) -> Option<usize> {
        lock(&self.state).most
    }

    pub(crate) fn set_most(&self, most: Option<usize>) {
        self.change(|state| state.most = most);
    }

    pub(crate) fn at_limit(&self) -> AtLimit {
        lock(&self.state).at_limit
    }

    pub(crate) fn set_at_limit(&self, at_limit: AtLimit) {
        let mut new = false;
        self.change(|state| new = std::mem::replace(&mut state.at_limit, at_limit) != at_limit);
        if new {
            // It may be waiting for a token, which those who are refused need not.
            self.waker.wake();
        }
    }

    pub(crate) fn is_suspended(&self) -> bool {
        lock(&self.state).suspended
    }

    /// Says whether that was new.
    pub(crate) fn set_suspended(&self, suspended: bool) -> bool {
        let mut new = false;
        self.change(|state| new = std::mem::replace(&mut state.suspended, suspended) != suspended);
        if suspended {
            // It may be waiting for a request that it must not take any more.
            self.waker.wake();
        }
        new
    }

    /// Whether nothing is accepted, however few are inside.
    pub(crate) fn is_shut(&self) -> bool {
        let state = lock(&self.state);
        state.suspended || (state.most == Some(0) && state.at_limit == AtLimit::Wait)
    }

    /// Lets those who wait look once more.
    pub(crate) fn nudge(&self) {
        // Who looks and finds nothing does not let go of the lock before it sleeps.
        drop(lock(&self.state));
        self.fewer.notify_all();
    }

    /// Has the loop look once more.
    pub(crate) fn wake_loop(&self) {
        self.waker.wake();
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let wakes_loop = {
            let mut state = lock(&self.state);
            change(&mut state);
            state.wakes_loop()
        };
        if wakes_loop {
            self.waker.wake();
        }
    }

    /// Waits until no more than `most` are inside; says whether that came before the deadline.
    pub(crate) fn wait_until(&self, most: usize, deadline: Option<Instant>) -> bool {
        self.wait_until_or(most, deadline, || false)
    }

    /// The same, but no longer than `enough` says, which is asked again after each [`nudge`](Self::nudge).
    pub(crate) fn wait_until_or(
        &self,
        most: usize,
        deadline: Option<Instant>,
        enough: impl Fn() -> bool,
    ) -> bool {
        let mut state = lock(&self.state);
        while state.inside > most {
            if enough() {
                return false;
            }
            state.awaited = state.awaited.max(Some(most));
            state = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                None => wait(&self.fewer, state),
                Some(left) if left.is_zero() => return false,
                Some(left) => wait_timeout(&self.fewer, state, left),
            };
        }
        true
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("inside", &self.inside())
            .field("most", &self.most())
            .field("suspended", &self.is_suspended())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{Arc, AtomicU64, Ordering};

    /// A gate with somebody inside, and how often it has woken the loop.
    fn gate() -> (Gate, Arc<AtomicU64>) {
        let wakes = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&wakes);
        let gate = Gate::new(Waker::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        }));
        assert!(gate.try_enter());
        (gate, wakes)
    }

    #[test]
    fn who_leaves_ends_a_rest_once() {
        let (gate, wakes) = gate();
        assert!(gate.try_enter());
        assert!(gate.try_enter());
        gate.leave();
        assert!(gate.begin_rest(true) && gate.is_resting());
        assert_eq!(wakes.load(Ordering::Relaxed), 0);
        gate.leave();
        assert!(!gate.is_resting());
        gate.leave();
        assert_eq!(wakes.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn who_gives_his_place_up_does_not_wake_himself() {
        let (gate, wakes) = gate();
        for _ in 0..3 {
            assert!(gate.try_enter());
            gate.leave();
            assert!(gate.begin_rest(true));
        }
        assert_eq!(wakes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn there_is_no_rest_if_somebody_left_meanwhile() {
        let (gate, wakes) = gate();
        assert!(gate.try_enter());
        // The other one, then the one that found that something had run out.
        gate.leave();
        gate.leave();
        assert!(!gate.begin_rest(true) && !gate.is_resting());
        assert_eq!(wakes.load(Ordering::Relaxed), 0);
    }
}
