//! What all who have to do with one connection share.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use super::cut::CutReason;
use super::cuts::CutCounters;
use super::info::{ConnectionId, ConnectionInfo, ConnectionState};
use super::lazy_timing::LazyTiming;
use super::work::Work;
use crate::deadlines::Deadlines;
use crate::sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering, lock};

/// One live connection, as its transport, its handler and the server share it.
///
/// The transport gets it with [`Watched::watched_by`](crate::Watched::watched_by): it [counts](Self::count_received) bytes
/// and says how the connection is [cut](Self::cut_with). A stream handler says with [`idle`](Self::idle) that it waits
/// for nothing but the client.
pub struct Watch {
    id: ConnectionId,
    peer: Box<dyn fmt::Debug + Send + Sync>,
    pub(super) born: Instant,
    received: AtomicU64,
    sent: AtomicU64,
    /// When something was last received or sent, in microseconds after `born`.
    pub(super) active: AtomicU64,
    /// There are deadlines, or the connection was cut by one.
    pub(super) timed: AtomicBool,
    /// What is received next changes more than numbers: the connection is idle, or nothing was received yet.
    pub(super) alert: AtomicBool,
    pub(super) cuts: Arc<CutCounters>,
    pub(super) work: Work,
    pub(super) state: Mutex<State>,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct State {
    pub(super) idle: bool,
    /// Set once, by whoever ends the connection.
    pub(super) cut: Option<CutReason>,
    /// How it is cut; `None` for a transport that cannot.
    pub(super) cutter: Option<Cutter>,
    /// The server drains: a connection that becomes idle ends.
    pub(super) draining: bool,
    /// It was idle when the drain began.
    pub(super) was_idle: bool,
    /// Its request has left: it is not cut any more.
    pub(super) left: bool,
    /// Its client is waited for though nobody is in a receive, and that time is counted.
    pub(super) resting: bool,
    pub(super) timing: LazyTiming,
}

impl Watch {
    pub(super) fn new(
        id: ConnectionId,
        peer: Box<dyn fmt::Debug + Send + Sync>,
        draining: bool,
        deadlines: Deadlines,
        cuts: Arc<CutCounters>,
    ) -> Self {
        let born = Instant::now();
        let timing = LazyTiming::new(deadlines, born);
        let state = State {
            idle: false,
            cut: None,
            cutter: None,
            draining,
            was_idle: false,
            left: false,
            resting: false,
            timing,
        };
        Self {
            id,
            peer,
            born,
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            active: AtomicU64::new(0),
            timed: AtomicBool::new(!deadlines.is_empty()),
            alert: AtomicBool::new(true),
            cuts,
            work: Work::default(),
            state: Mutex::new(state),
        }
    }

    /// The number of the connection.
    pub const fn id(&self) -> ConnectionId {
        self.id
    }

    /// For the transport: says how the connection is ended from another thread, so that a blocked receive or send of it
    /// returns. It must not block, and not keep the connection open.
    ///
    /// For [`CutReason::Drained`] a blocked receive is enough: what the client has sent already should still be
    /// received, and be answered, where the system can do that: Linux does, others may discard it.
    pub fn cut_with(&self, cutter: impl Fn(CutReason) + Send + Sync + 'static) {
        let cutter: Cutter = Arc::new(cutter);
        let cut = {
            let mut state = lock(&self.state);
            state.cutter = Some(Arc::clone(&cutter));
            state.cut
        };
        if let Some(reason) = cut {
            // Ended before the transport knew it.
            cutter(reason);
        }
    }

    /// For the transport: so many bytes have been received. With them a connection that was [idle](Self::idle) has
    /// something to do.
    pub fn count_received(&self, bytes: usize) {
        let now = self.count(&self.received, bytes);
        if bytes > 0 {
            self.time_received(bytes, now);
        }
    }

    /// For the transport: so many bytes have been sent.
    pub fn count_sent(&self, bytes: usize) {
        let now = self.count(&self.sent, bytes);
        if bytes > 0 && self.is_timed() {
            self.time_sent(bytes, now);
        }
    }

    fn count(&self, counter: &AtomicU64, bytes: usize) -> Instant {
        // Numbers to look at: no order with anything else is needed.
        counter.fetch_add(bytes as u64, Ordering::Relaxed);
        let now = Instant::now();
        self.active.store(self.micros(now), Ordering::Relaxed);
        self.returned(now);
        now
    }

    /// For the transport: what a receive gives that found no more data, or failed.
    ///
    /// If the connection was cut while it was idle it ends like any other, `Ok(0)`; if it was at work, with an error that
    /// says why.
    ///
    /// # Errors
    ///
    /// An error with the [`CutReason`] in it, of the kind [`TimedOut`](io::ErrorKind::TimedOut) for a deadline and
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted) for others; else the one that was given.
    pub fn ended(&self, result: io::Result<usize>) -> io::Result<usize> {
        self.returned(Instant::now());
        match self.cut_reason() {
            None => result,
            Some(CutReason::Drained) => Ok(0),
            Some(reason) => Err(reason.into()),
        }
    }

    /// For the transport: what a failed send says. If the connection was cut it says why.
    pub fn failed(&self, error: io::Error) -> io::Error {
        self.returned(Instant::now());
        self.cut_reason().map_or(error, io::Error::from)
    }

    /// Bytes received and sent so far.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed))
    }

    /// Why the server ended the connection, if it did.
    pub fn cut_reason(&self) -> Option<CutReason> {
        lock(&self.state).cut
    }

    /// Says that the handler waits for the client and holds nothing that could be lost: a server that drains ends the
    /// connection then, at once. It is so as long as the guard lives and nothing has been
    /// [received](Self::count_received): from the first byte on a request has begun, and is waited for.
    pub fn idle(&self) -> IdleGuard<'_> {
        let draining = {
            let mut state = lock(&self.state);
            self.becomes_idle(&mut state);
            state.draining
        };
        if draining {
            self.cut(CutReason::Drained);
        }
        IdleGuard { watch: self }
    }

    pub(super) fn becomes_idle(&self, state: &mut State) {
        state.idle = true;
        state.timing.idle();
        // Under the lock, and before what is waited for can come.
        self.alert.store(true, Ordering::Release);
    }

    pub(super) fn is_idle(&self) -> bool {
        lock(&self.state).idle
    }

    /// The client's address.
    pub(crate) fn peer(&self) -> &(dyn fmt::Debug + Send + Sync) {
        &*self.peer
    }

    fn busy(&self) {
        lock(&self.state).idle = false;
    }

    /// What can be told about it now.
    pub(super) fn info(&self) -> ConnectionInfo {
        let age = self.born.elapsed();
        let active = Duration::from_micros(self.active.load(Ordering::Relaxed));
        let (cut, idle) = {
            let state = lock(&self.state);
            (state.cut, state.idle)
        };
        let state = match (cut, idle) {
            (Some(_), _) => ConnectionState::Ending,
            (None, true) => ConnectionState::Idle,
            (None, false) => ConnectionState::Busy,
        };
        ConnectionInfo {
            id: self.id,
            peer: format!("{:?}", self.peer),
            state,
            age,
            quiet: age.saturating_sub(active),
            at_work: self.at_work(idle),
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
        }
    }
}

type Cutter = Arc<dyn Fn(CutReason) + Send + Sync>;

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("info", &self.info()).finish_non_exhaustive()
    }
}

/// Says that a connection is idle, as long as it lives and nothing is received; made by [`Watch::idle`].
#[derive(Debug)]
#[must_use = "the connection is idle only as long as this lives"]
pub struct IdleGuard<'a> {
    watch: &'a Watch,
}

impl Drop for IdleGuard<'_> {
    fn drop(&mut self) {
        self.watch.busy();
    }
}

/// A watch that nobody else knows, for tests of transports.
#[cfg(feature = "testing")]
impl Watch {
    /// A watch of its own, which ends with `reason` at [`end`](Self::end_with).
    pub fn alone() -> Arc<Self> {
        Arc::new(Self::new(
            ConnectionId(0),
            Box::new("alone"),
            false,
            Deadlines::new(),
            Arc::default(),
        ))
    }

    /// Ends the connection as a server would.
    pub fn end_with(&self, reason: CutReason) {
        self.cut(reason);
    }
}
