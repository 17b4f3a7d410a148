//! What the one who measures and the threads of the clients share: the phase, and who is ready.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// What the clients are to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// Go round, without counting.
    WarmUp,
    /// Go round, and count.
    Measure,
    /// Begin nothing more, and wait for the answers that are due.
    Stop,
}

/// Shared by reference; both are read and written alone, so the weakest ordering does.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    phase: AtomicU8,
    ready: AtomicUsize,
}

impl Shared {
    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::WarmUp,
            1 => Phase::Measure,
            _ => Phase::Stop,
        }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// One more client has had its first answer.
    pub(crate) fn one_is_ready(&self) {
        self.ready.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ready(&self) -> usize {
        self.ready.load(Ordering::Relaxed)
    }
}
