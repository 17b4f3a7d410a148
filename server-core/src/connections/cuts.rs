//! How many connections the server ended, and why.

use super::cut::CutReason;
use crate::concurrency::Concurrency;
use crate::deadlines::Deadline;
use crate::job::ServiceJob;
use crate::server::Server;
use crate::server_handle::ServerHandle;
use crate::service::Service;
use crate::sync::{AtomicU64, Ordering};
use crate::transport::Transport;

/// How many connections the server ended by itself, for each [`CutReason`], up to now.
///
/// Each is counted once, when it is cut. One that was let to end as idle in a drain and had to be cut for another reason
/// after that is counted under that one then, and no longer as drained. These are no doors: a connection that was cut
/// leaves through one like every other, see [`Counts`](crate::Counts).
///
/// What forked children and worker processes cut is not counted here.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Cuts {
    /// [`CutReason::Drained`].
    pub drained: u64,
    /// [`CutReason::Forced`].
    pub forced: u64,
    /// [`CutReason::Ended`].
    pub ended: u64,
    /// [`Deadline::FirstByte`].
    pub first_byte: u64,
    /// [`Deadline::Idle`].
    pub idle: u64,
    /// [`Deadline::Read`].
    pub read: u64,
    /// [`Deadline::Write`].
    pub write: u64,
    /// [`Deadline::Rate`].
    pub rate: u64,
    /// [`Deadline::Whole`].
    pub whole: u64,
}

impl Cuts {
    /// How many were cut by deadlines, all kinds together.
    pub const fn deadlines(&self) -> u64 {
        self.first_byte + self.idle + self.read + self.write + self.rate + self.whole
    }
}

impl<T, C, S> Server<T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// How many connections the server has cut, and why, up to now.
    pub fn cuts(&self) -> Cuts {
        self.common.connections.cuts()
    }
}

impl ServerHandle {
    /// How many connections the server has cut, and why, up to now.
    pub fn cuts(&self) -> Cuts {
        self.registry().cuts()
    }
}

/// The counters behind [`Cuts`]. Numbers to look at: relaxed order is enough.
#[derive(Debug, Default)]
pub(crate) struct CutCounters {
    drained: AtomicU64,
    forced: AtomicU64,
    ended: AtomicU64,
    first_byte: AtomicU64,
    idle: AtomicU64,
    read: AtomicU64,
    write: AtomicU64,
    rate: AtomicU64,
    whole: AtomicU64,
}

impl CutCounters {
    /// A connection was cut, and perhaps for another reason before.
    pub(super) fn count(&self, before: Option<CutReason>, reason: CutReason) {
        self.of(reason).fetch_add(1, Ordering::Relaxed);
        if let Some(before) = before {
            self.of(before).fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn of(&self, reason: CutReason) -> &AtomicU64 {
        match reason {
            CutReason::Drained => &self.drained,
            CutReason::Forced => &self.forced,
            CutReason::Ended => &self.ended,
            CutReason::Deadline(Deadline::FirstByte) => &self.first_byte,
            CutReason::Deadline(Deadline::Idle) => &self.idle,
            CutReason::Deadline(Deadline::Read) => &self.read,
            CutReason::Deadline(Deadline::Write) => &self.write,
            CutReason::Deadline(Deadline::Rate) => &self.rate,
            CutReason::Deadline(Deadline::Whole) => &self.whole,
        }
    }

    pub(crate) fn snapshot(&self) -> Cuts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Cuts {
            drained: get(&self.drained),
            forced: get(&self.forced),
            ended: get(&self.ended),
            first_byte: get(&self.first_byte),
            idle: get(&self.idle),
            read: get(&self.read),
            write: get(&self.write),
            rate: get(&self.rate),
            whole: get(&self.whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_firmer_reason_takes_the_place_of_a_softer_one() {
        let counters = CutCounters::default();
        counters.count(None, CutReason::Drained);
        counters.count(None, CutReason::Drained);
        counters.count(Some(CutReason::Drained), CutReason::Forced);
        counters.count(None, CutReason::Deadline(Deadline::Rate));
        let expected = Cuts { drained: 1, forced: 1, rate: 1, ..Cuts::default() };
        assert_eq!((counters.snapshot(), expected.deadlines()), (expected, 1));
    }
}
