//! How deadlines are kept: by the receives and sends themselves, which ask how long they may wait.

use std::io;
use std::time::{Duration, Instant};

use super::cut::CutReason;
use super::timing::Direction;
use super::watch::Watch;
use crate::deadlines::{Deadline, Deadlines};
use crate::sync::{Ordering, lock};

impl Watch {
    /// The deadlines of this connection: those of its server, unless its handler has set others.
    pub fn deadlines(&self) -> Deadlines {
        lock(&self.state).timing.deadlines()
    }

    /// Sets other deadlines for this connection. They hold at once, also for the time that has passed, as far as it was
    /// counted: while there were none, only how old the connection is and when something last moved. A call in another
    /// thread that waits already notices when the time it had is over, or something moves.
    pub fn set_deadlines(&self, deadlines: Deadlines) {
        let active = Duration::from_micros(self.active.load(Ordering::Relaxed));
        let mut state = lock(&self.state);
        state.timing.set(deadlines, self.born + active);
        if deadlines.is_empty() && std::mem::take(&mut state.resting) {
            // From here on nobody counts.
            state.timing.unblock(Direction::Receive, true, Instant::now());
        }
        let cut = matches!(state.cut, Some(CutReason::Deadline(_)));
        // Under the lock, so that of two who set them the same one is last here and there.
        self.timed.store(!deadlines.is_empty() || cut, Ordering::Relaxed);
    }

    /// For the transport: whether receives and sends have to keep deadlines. If not, they may block as they like.
    ///
    /// If so, each asks whether it is [on time](Self::on_time), then tries without blocking; if that would block it
    /// [waits](Self::wait) for no longer than is [left](Waiting::left), and tries again.
    pub fn is_timed(&self) -> bool {
        // A call that begins while deadlines are being set may miss them; nothing else depends on it.
        self.timed.load(Ordering::Relaxed)
    }

    /// For the transport: whether a receive or send may still begin.
    ///
    /// # Errors
    ///
    /// If the connection was cut by a deadline, or is now because the time of the whole is over: that one.
    pub fn on_time(&self) -> io::Result<()> {
        let too_old = {
            let state = lock(&self.state);
            if let Some(reason @ CutReason::Deadline(_)) = state.cut {
                return Err(reason.into());
            }
            state.timing.is_too_old(Instant::now())
        };
        if too_old { Err(self.cut_at(Deadline::Whole)) } else { Ok(()) }
    }

    /// For the transport: a receive or send has to wait. It does as long as what this returns lives.
    pub fn wait(&self, direction: Direction) -> Waiting<'_> {
        let mut state = lock(&self.state);
        let idle = state.idle;
        state.timing.block(direction, idle, Instant::now());
        Waiting { watch: self, direction }
    }

    /// Somebody begins to serve the connection.
    pub(super) fn begin(&self) {
        self.begin_work();
        let mut state = lock(&self.state);
        // It may have rested up to here, and is at work now, with its client or without.
        state.idle = false;
        if std::mem::take(&mut state.resting) {
            state.timing.unblock(Direction::Receive, true, Instant::now());
        } else if self.is_timed() {
            state.timing.begin(Instant::now());
        }
    }

    /// With a byte from the client the connection is busy, timed or not.
    pub(super) fn time_received(&self, bytes: usize, now: Instant) {
        // Acquire pairs with the release of who becomes idle. Who does so at this very moment in another thread is idle after
        // this, as if it had been under the lock.
        if !self.is_timed() && !self.alert.load(Ordering::Acquire) {
            return;
        }
        let mut state = lock(&self.state);
        self.alert.store(false, Ordering::Relaxed);
        let idle = std::mem::take(&mut state.idle);
        if self.is_timed() {
            state.timing.received(bytes, idle, now);
        } else {
            state.timing.hear();
        }
    }

    pub(super) fn time_sent(&self, bytes: usize, now: Instant) {
        let mut state = lock(&self.state);
        let idle = state.idle;
        state.timing.sent(bytes, idle, now);
    }

    pub(super) fn cut_at(&self, deadline: Deadline) -> io::Error {
        self.cut(CutReason::Deadline(deadline));
        // Somebody else may have been faster, for another reason.
        self.failed(io::ErrorKind::TimedOut.into())
    }
}

/// A receive or send that waits; made by [`Watch::wait`].
#[derive(Debug)]
#[must_use = "it waits only as long as this lives"]
pub struct Waiting<'a> {
    watch: &'a Watch,
    direction: Direction,
}

impl Waiting<'_> {
    /// How long it may go on until the next attempt, `None` for as long as it likes. To be asked again after each attempt
    /// that would block.
    ///
    /// # Errors
    ///
    /// If a deadline is over the connection is cut, and this is the error that the receive or send returns. So it is when
    /// the connection was cut by somebody else, except as idle in a drain: then something may still be received.
    pub fn left(&self) -> io::Result<Option<Duration>> {
        let left = {
            let mut state = lock(&self.watch.state);
            if let Some(reason) = state.cut.filter(|reason| *reason != CutReason::Drained) {
                return Err(reason.into());
            }
            let idle = state.idle;
            state.timing.left(self.direction, idle, Instant::now())
        };
        left.map_err(|deadline| self.watch.cut_at(deadline))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.watch.state);
        let idle = state.idle;
        state.timing.unblock(self.direction, idle, Instant::now());
    }
}
