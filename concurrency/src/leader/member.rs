//! A thread of the pool: what it does, and whether it is stalled.

use std::thread::Thread;

use super::state_of_thread::StateOfThread;

/// What a thread of the pool does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    /// It gives jobs their turns, and polls when none waits for one. There is one such thread; a few more while stalls are
    /// frequent; none when all are stalled.
    Leads,
    /// It looks now and then whether one that leads is stalled in a turn, and then takes over.
    StandsBy,
    /// It has been in a turn for so long that another leads instead.
    Stalled,
    /// It waits until it is needed.
    Sits,
}

/// A thread of the pool.
pub(super) struct Member {
    pub(super) thread: Thread,
    /// Odd while it is in a turn.
    pub(super) turn: u64,
    /// Which turn that was when somebody last looked, and how often he has seen it.
    pub(super) seen: u64,
    pub(super) looks: u32,
    pub(super) state: StateOfThread,
}

impl Member {
    /// A turn that was seen so often and is not over is too long, whatever the thread does.
    const PATIENT_LOOKS: u32 = 8;

    pub(super) const fn is_in_turn(&self) -> bool {
        self.turn % 2 == 1
    }

    /// Whether it is in a turn that others should not wait for; to be asked at intervals.
    pub(super) fn is_stalled(&mut self) -> bool {
        if !self.is_in_turn() || self.seen != self.turn {
            (self.seen, self.looks) = (self.turn, 0);
            return false;
        }
        self.looks += 1;
        self.looks > Self::PATIENT_LOOKS || self.state.is_waiting() != Some(false)
    }
}
