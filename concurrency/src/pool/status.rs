//! A pool as other threads see it while it works.

use std::fmt;
use std::sync::Arc;

/// What can be read of a pool; the kind of job does not matter here.
pub(crate) trait Watch: Send + Sync {
    fn workers(&self) -> usize;
    fn in_progress(&self) -> usize;
    fn queued_and_busy(&self) -> (usize, usize);
    fn refused(&self) -> u64;
}

/// A live view of a [`ThreadPool`](crate::ThreadPool): each call reads the number of the moment.
#[derive(Clone)]
pub struct PoolStatus(Arc<dyn Watch>);

impl PoolStatus {
    pub(crate) fn new(pool: Arc<dyn Watch>) -> Self {
        Self(pool)
    }

    /// How many threads there are.
    pub fn workers(&self) -> usize {
        self.0.workers()
    }

    /// How many requests the pool has: those that wait and those that a worker has.
    pub fn in_progress(&self) -> usize {
        self.0.in_progress()
    }

    /// How many requests wait for a worker; for a moment this includes one that an idle worker is about
    /// to take.
    pub fn queued(&self) -> usize {
        self.0.queued_and_busy().0
    }

    /// How many workers have a request.
    pub fn busy(&self) -> usize {
        self.0.queued_and_busy().1
    }

    /// How many requests were refused because there was no room.
    pub fn refused(&self) -> u64 {
        self.0.refused()
    }
}

impl fmt::Debug for PoolStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (queued, busy) = self.0.queued_and_busy();
        f.debug_struct("PoolStatus")
            .field("workers", &self.workers())
            .field("queued", &queued)
            .field("busy", &busy)
            .field("refused", &self.refused())
            .finish()
    }
}
