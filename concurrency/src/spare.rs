//! Threads that are kept for a while when they have done their work, and take on more.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::handover::{Bell, Call, Came, Handover};

/// The threads that are kept, and the work they are about to take on. There is never more of that than threads that are
/// on their way to it, so it waits for nobody's work to end.
#[derive(Debug, Default)]
pub(crate) struct Spare(Mutex<State>);

struct State {
    handover: Handover<Work>,
    /// No thread is kept any more.
    closed: bool,
}

type Work = Box<dyn FnOnce() + Send>;

impl Spare {
    /// Has a thread that is kept do `run` with `job`, which must not unwind; gives the job back if there is none.
    pub(crate) fn take_on<J: Send + 'static>(&self, job: J, run: fn(J)) -> Result<(), J> {
        let work = |job| Box::new(move || run(job)) as Work;
        let call = self.lock().handover.offer(job, work)?;
        call.make();
        Ok(())
    }

    /// For a thread that has done its work: does more as long as there is some at least once in `idle_time`. Its number is
    /// that in its [`JoinSet`](crate::join_set::JoinSet).
    pub(crate) fn stand_by(&self, idle_time: Duration, number: Option<u64>) {
        let bell = Bell::new(number);
        while let Some(work) = self.next(&bell, idle_time) {
            work();
        }
    }

    fn next(&self, bell: &Arc<Bell>, idle_time: Duration) -> Option<Work> {
        let mut state = self.lock();
        let mut looks = Handover::<Work>::LOOKS;
        loop {
            if let Some(work) = state.handover.take() {
                return Some(work);
            }
            if state.closed {
                return None;
            }
            if looks > 0 {
                looks -= 1;
                state.handover.look_away();
                drop(state);
                thread::yield_now();
                state = self.lock();
                state.handover.look_again();
                continue;
            }
            state.handover.rest(bell);
            drop(state);
            bell.wait(Some(idle_time));
            state = self.lock();
            match state.handover.come(bell) {
                Came::Called => {}
                Came::Dismissed => return None,
                Came::Uncalled => {
                    state.handover.leave(bell);
                    return None;
                }
            }
        }
    }

    /// Those that wait end at once. Gives their numbers.
    pub(crate) fn dismiss(&self) -> Vec<u64> {
        let calls = self.lock().handover.dismiss();
        Self::send_off(calls)
    }

    /// The same, and no other is kept any more.
    pub(crate) fn close(&self) -> Vec<u64> {
        let calls = {
            let mut state = self.lock();
            state.closed = true;
            state.handover.dismiss()
        };
        Self::send_off(calls)
    }

    fn send_off(calls: Vec<Call>) -> Vec<u64> {
        let numbers = calls.iter().filter_map(Call::number).collect();
        calls.into_iter().for_each(Call::make);
        numbers
    }

    /// How much work waits for a thread that is on its way.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().handover.waiting()
    }

    /// How many threads wait for work.
    pub(crate) fn idle(&self) -> usize {
        self.lock().handover.idle()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No user code runs under this lock, and nothing panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for State {
    fn default() -> Self {
        Self { handover: Handover::new(), closed: false }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("handover", &self.handover)
            .field("closed", &self.closed)
            .finish()
    }
}
