//! The arithmetic of deadlines: what of them is left for a call that would block. All times are given from outside.

use std::time::{Duration, Instant};

use crate::deadlines::{Deadline, Deadlines};

/// One of the two directions of a connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Direction {
    /// From the client.
    Receive,
    /// To the client.
    Send,
}

/// How long a connection has taken for what.
#[derive(Debug)]
pub(super) struct Timing {
    pub(super) deadlines: Deadlines,
    born: Instant,
    /// Something has been received.
    heard: bool,
    /// Since when the first byte is waited for.
    first_byte_since: Instant,
    /// How long a new connection waited for somebody to serve it, while its client could have sent.
    queued: Duration,
    receive: Side,
    send: Side,
}

/// One direction.
#[derive(Debug)]
struct Side {
    /// How many calls block now.
    blocked: usize,
    /// Up to when their time is counted.
    counted: Instant,
    /// How long calls have blocked since something moved.
    stalled: Duration,
    /// Whether that was an idle connection's wait.
    stalled_idle: bool,
    /// The account of the minimum rate runs.
    open: bool,
    /// How long calls have blocked on this account.
    waited: Duration,
    /// How much moved on it.
    moved: u64,
}

impl Timing {
    /// Who has sent so much before anybody received may have been unable to send more: less than any system's buffer.
    const FORGIVEN: u64 = 4096;

    /// Up to this part of a rate's grace sends that wait only fill the buffers of both systems.
    const FILLING: u32 = 4;

    /// After this part of its time a send that waits is to be tried once, ready or not.
    const TRIED: u32 = 8;

    pub(super) fn new(deadlines: Deadlines, born: Instant) -> Self {
        let side = || Side {
            blocked: 0,
            counted: born,
            stalled: Duration::ZERO,
            stalled_idle: false,
            open: true,
            waited: Duration::ZERO,
            moved: 0,
        };
        Self {
            deadlines,
            born,
            heard: false,
            first_byte_since: born,
            queued: Duration::ZERO,
            receive: side(),
            send: side(),
        }
    }

    /// Other deadlines hold from here on, for what was counted before too. `active` is when something last moved.
    pub(super) fn set(&mut self, deadlines: Deadlines, active: Instant) {
        if self.deadlines.is_empty() && !self.heard {
            // Nothing was noted up to here.
            self.first_byte_since = self.first_byte_since.max(active);
        }
        self.deadlines = deadlines;
    }

    /// Somebody begins to serve the connection.
    pub(super) fn begin(&mut self, now: Instant) {
        self.queued = now.saturating_duration_since(self.born);
    }

    /// A call begins to block.
    pub(super) fn block(&mut self, direction: Direction, idle: bool, now: Instant) {
        self.count(idle, now);
        let filling = self.deadlines.time(Deadline::Rate).unwrap_or_default() / Self::FILLING;
        let side = self.side(direction);
        side.blocked += 1;
        if direction == Direction::Send && side.waited <= filling {
            // So far the buffers of the systems took it all, and that says nothing about the client.
            side.moved = 0;
        }
    }

    /// It does no longer.
    pub(super) fn unblock(&mut self, direction: Direction, idle: bool, now: Instant) {
        self.count(idle, now);
        self.side(direction).blocked -= 1;
    }

    /// So many bytes came.
    pub(super) fn received(&mut self, bytes: usize, idle: bool, now: Instant) {
        self.count(idle, now);
        self.receive.stalled = Duration::ZERO;
        let begins = !self.heard || !self.receive.open;
        self.heard = true;
        // The first account of all has begun already.
        if !self.receive.open {
            self.receive.begin_account();
        }
        // Who sends while he is being answered cannot change what he owes.
        if begins && self.send.blocked == 0 {
            self.send.begin_account();
        }
        self.receive.moved += bytes as u64;
    }

    /// So many bytes went. That is an answer, or a question: whatever the client sends after it is something new.
    pub(super) fn sent(&mut self, bytes: usize, idle: bool, now: Instant) {
        self.count(idle, now);
        self.send.stalled = Duration::ZERO;
        self.send.moved += bytes as u64;
        self.receive.begin_account();
        self.receive.open = !self.heard;
        self.queued = Duration::ZERO;
        if !self.heard {
            self.first_byte_since = now;
        }
    }

    /// The handler has become idle: what comes now is something new.
    pub(super) fn idle(&mut self) {
        if self.heard {
            self.receive.open = false;
            self.queued = Duration::ZERO;
        }
    }

    /// What a call that would block has left, `None` for as long as it likes; or the deadline that is over.
    pub(super) fn left(
        &mut self,
        direction: Direction,
        idle: bool,
        now: Instant,
    ) -> Result<Option<Duration>, Deadline> {
        self.count(idle, now);
        let age = now.saturating_duration_since(self.born);
        let specific = match direction {
            Direction::Send => [
                self.left_of(Deadline::Write, self.send.stalled),
                self.left_of_rate(&self.send, Duration::ZERO),
            ],
            Direction::Receive if self.awaits_first_byte() => {
                let time = now.saturating_duration_since(self.first_byte_since);
                [self.left_of(Deadline::FirstByte, time), None]
            }
            Direction::Receive if idle => {
                [self.left_of(Deadline::Idle, self.receive.stalled), None]
            }
            Direction::Receive => [
                self.left_of(Deadline::Read, self.receive.stalled),
                self.left_of_rate(&self.receive, self.queued),
            ],
        };
        let all = specific.into_iter().chain([self.left_of(Deadline::Whole, age)]).flatten();
        // Of two that are equally near the first is told of.
        match all.min_by_key(|(_, left)| *left) {
            Some((deadline, left)) if left.is_zero() => Err(deadline),
            nearest => {
                let nearest = nearest.map(|(_, left)| left);
                Ok(nearest.into_iter().chain(self.left_until_tried(direction)).min())
            }
        }
    }

    /// Systems tell that there is room when there is much. What a stalled send could have had before would else be found
    /// when its time is over, and taken for something that the client did then.
    fn left_until_tried(&self, direction: Direction) -> Option<Duration> {
        let send = (direction == Direction::Send).then_some(&self.send)?;
        let all = [(Deadline::Write, send.stalled), (Deadline::Rate, send.waited)];
        let left = all.map(|(deadline, spent)| {
            let left = (self.deadlines.time(deadline)? / Self::TRIED).saturating_sub(spent);
            Some(left).filter(|left| !left.is_zero())
        });
        left.into_iter().flatten().min()
    }

    /// The one deadline that also holds for calls that would not block.
    pub(super) fn is_too_old(&self, now: Instant) -> bool {
        let whole = self.deadlines.time(Deadline::Whole);
        whole.is_some_and(|whole| now.saturating_duration_since(self.born) >= whole)
    }

    /// Notes that something was received, when no deadlines are set.
    pub(super) fn hear(&mut self) {
        self.heard = true;
    }

    fn awaits_first_byte(&self) -> bool {
        !self.heard && self.deadlines.time(Deadline::FirstByte).is_some()
    }

    fn left_of(&self, deadline: Deadline, spent: Duration) -> Option<(Deadline, Duration)> {
        let time = self.deadlines.time(deadline)?;
        Some((deadline, time.saturating_sub(spent)))
    }

    fn left_of_rate(&self, side: &Side, queued: Duration) -> Option<(Deadline, Duration)> {
        let time = self.deadlines.time_for(side.moved).filter(|_| side.open)?;
        let queued = if side.moved < Self::FORGIVEN { queued } else { Duration::ZERO };
        Some((Deadline::Rate, time.saturating_sub(side.waited.saturating_add(queued))))
    }

    /// Puts the time that has passed where it belongs.
    fn count(&mut self, idle: bool, now: Instant) {
        let receives_on_account = self.receive.open && !idle && !self.awaits_first_byte();
        self.receive.count(receives_on_account, idle, now);
        self.send.count(true, false, now);
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Receive => &mut self.receive,
            Direction::Send => &mut self.send,
        }
    }
}

impl Side {
    fn count(&mut self, on_account: bool, idle: bool, now: Instant) {
        let time = now.saturating_duration_since(self.counted);
        self.counted = self.counted.max(now);
        if self.blocked == 0 {
            return;
        }
        if self.stalled_idle != idle {
            self.stalled_idle = idle;
            self.stalled = Duration::ZERO;
        }
        self.stalled += time;
        if on_account {
            self.waited += time;
        }
    }

    fn begin_account(&mut self) {
        self.open = true;
        self.waited = Duration::ZERO;
        self.moved = 0;
    }
}

#[cfg(test)]
mod tests;
