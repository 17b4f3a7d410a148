//! How a connection is ended from outside, once, and counted before anybody can notice.

use super::cut::CutReason;
use super::watch::Watch;
use crate::sync::lock;

impl Watch {
    /// Ends the connection, unless that has been done as firmly before. Says whether this did.
    pub(super) fn cut(&self, reason: CutReason) -> bool {
        self.cut_counted(reason, |_| ())
    }

    /// The same; `count` is told whether it was idle when the drain began, before anybody can notice the end.
    pub(super) fn cut_counted(&self, reason: CutReason, count: impl FnOnce(bool)) -> bool {
        let cutter = {
            let mut state = lock(&self.state);
            match state.cut {
                _ if state.left => return false,
                None => {}
                // It was let to end as an idle one does, and has not.
                Some(CutReason::Drained) if reason != CutReason::Drained => {}
                Some(_) => return false,
            }
            self.cuts.count(state.cut.replace(reason), reason);
            count(state.was_idle);
            state.cutter.clone()
        };
        // A transport's code, so not under the lock.
        if let Some(cutter) = cutter {
            cutter(reason);
        }
        true
    }

    /// The server drains from here on: it ends when it becomes idle. Says whether it is.
    pub(super) fn heed_drain(&self) -> bool {
        let mut state = lock(&self.state);
        state.draining = true;
        state.idle && state.cut.is_none()
    }

    /// Ends the connection if it is idle; `count` is called then, before anybody can notice.
    pub(super) fn end_idle(&self, count: impl FnOnce()) {
        let cutter = {
            let mut state = lock(&self.state);
            if !state.idle || state.left || state.cut.is_some() {
                return;
            }
            state.was_idle = true;
            self.cuts.count(state.cut.replace(CutReason::Drained), CutReason::Drained);
            count();
            state.cutter.clone()
        };
        if let Some(cutter) = cutter {
            cutter(CutReason::Drained);
        }
    }

    /// Its request leaves, or has left. Says whether a drain ended it: because it was idle, or by force.
    pub(super) fn leave(&self) -> bool {
        let mut state = lock(&self.state);
        state.left = true;
        state.was_idle || state.cut == Some(CutReason::Forced)
    }
}
