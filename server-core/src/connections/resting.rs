//! Connections that rest between two turns: idle, with nobody in a receive, and with their deadlines all the same.

use std::io;
use std::time::Instant;

use super::cut::CutReason;
use super::timing::Direction;
use super::watch::Watch;
use crate::sync::lock;

impl Watch {
    /// For sessions: the connection is idle from here on, until something is received, and its client is waited for though
    /// nobody is in a receive. Says when the first of its deadlines is over; to be asked again then, if nothing has come.
    ///
    /// # Errors
    ///
    /// If a deadline is over the connection is cut, and this is what its receive would have returned. So it is when it was
    /// cut by somebody else, except as idle in a drain: then something may still be received.
    pub fn rest(&self) -> io::Result<Option<Instant>> {
        let (left, now, draining) = {
            let mut state = lock(&self.state);
            if let Some(reason) = state.cut.filter(|reason| *reason != CutReason::Drained) {
                return Err(reason.into());
            }
            self.becomes_idle(&mut state);
            if self.is_timed() {
                let now = Instant::now();
                if !std::mem::replace(&mut state.resting, true) {
                    state.timing.block(Direction::Receive, true, now);
                }
                (state.timing.left(Direction::Receive, true, now), Some(now), state.draining)
            } else {
                (Ok(None), None, state.draining)
            }
        };
        if draining {
            self.cut(CutReason::Drained);
        }
        match left {
            Ok(left) => Ok(left.zip(now).and_then(|(left, now)| now.checked_add(left))),
            Err(deadline) => Err(self.cut_at(deadline)),
        }
    }

    /// For sessions: somebody looks whether something has come.
    pub fn rouse(&self) {
        if self.is_timed() {
            let mut state = lock(&self.state);
            if std::mem::take(&mut state.resting) {
                let idle = state.idle;
                state.timing.unblock(Direction::Receive, idle, Instant::now());
            }
        }
    }
}
