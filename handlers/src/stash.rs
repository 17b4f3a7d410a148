//! Buffers that connections take when they need one and give back when it is empty.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Buffers of one size, shared by all connections of a service.
#[derive(Clone)]
pub(crate) struct Stash {
    size: usize,
    free: Arc<Mutex<Vec<Box<[u8]>>>>,
}

impl Stash {
    /// So many are kept at most: as many as there may be threads at work. Others are freed.
    const MOST: usize = 64;

    /// So many bytes are kept at most.
    const MOST_BYTES: usize = 1 << 20;

    /// Buffers of `size` bytes.
    pub(crate) fn new(size: usize) -> Self {
        Self { size, free: Arc::default() }
    }

    /// How large the buffers are.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// A buffer, with whatever was in it.
    pub(crate) fn take(&self) -> Box<[u8]> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| vec![0; self.size].into_boxed_slice())
    }

    /// Somebody does not need it any more. An empty one is none.
    pub(crate) fn give_back(&self, buffer: Box<[u8]>) {
        if buffer.is_empty() {
            return;
        }
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < Self::MOST && free.len() * self.size < Self::MOST_BYTES {
            free.push(buffer);
        }
    }
}

impl fmt::Debug for Stash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stash").field("size", &self.size).finish_non_exhaustive()
    }
}
