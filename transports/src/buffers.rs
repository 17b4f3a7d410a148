//! Buffers for packets that are used again and again, so that a packet costs no allocation.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sys;

/// The buffers that are free, a few at most; all have the same size.
pub(crate) struct Buffers {
    packet_size: usize,
    /// How many are kept. One that comes back when there are as many is freed.
    kept: usize,
    free: Mutex<Vec<Box<[u8]>>>,
}

impl Buffers {
    /// Enough for the packets that a few workers have in hand.
    const IN_HAND: usize = 16;

    /// Buffers that show whether a packet was longer than `packet_size`; enough of them are kept for so many that are
    /// received ahead.
    pub(crate) const fn new(packet_size: usize, ahead: usize) -> Self {
        Self { packet_size, kept: Self::IN_HAND + ahead, free: Mutex::new(Vec::new()) }
    }

    /// The longest packet that is not cut.
    pub(crate) const fn packet_size(&self) -> usize {
        self.packet_size
    }

    /// A free one, or a new one.
    pub(crate) fn take(&self) -> Box<[u8]> {
        let free = self.lock().pop();
        free.unwrap_or_else(|| self.new_one())
    }

    /// Adds free ones, and new ones, until there are `count`.
    pub(crate) fn fill(&self, buffers: &mut Vec<Box<[u8]>>, count: usize) {
        let missing = count.saturating_sub(buffers.len());
        {
            let mut free = self.lock();
            let first = free.len().saturating_sub(missing);
            buffers.extend(free.drain(first..));
        }
        while buffers.len() < count {
            buffers.push(self.new_one());
        }
    }

    fn new_one(&self) -> Box<[u8]> {
        vec![0; sys::receive_buffer_size(self.packet_size)].into_boxed_slice()
    }

    /// Takes one back that is not needed any more.
    pub(crate) fn put_back(&self, buffer: Box<[u8]>) {
        let mut free = self.lock();
        if free.len() < self.kept {
            // All of it at the first time, so that later ones do not grow it.
            if free.capacity() == 0 {
                free.reserve_exact(self.kept);
            }
            free.push(buffer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Box<[u8]>>> {
        // No code that panics half-way runs under this lock.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers").field("packet_size", &self.packet_size).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_given_out_again_and_only_a_few_are_kept() {
        let buffers = Buffers::new(10, 0);
        let first = buffers.take();
        assert!(first.len() > 10, "one byte more shows that a packet was longer");
        let address = first.as_ptr();
        buffers.put_back(first);
        let again = buffers.take();
        assert_eq!(again.as_ptr(), address);
        let mut many = Vec::new();
        buffers.fill(&mut many, 3);
        assert_eq!(many.len(), 3);
        buffers.fill(&mut many, 100);
        assert_eq!(many.len(), 100);
        for buffer in many {
            buffers.put_back(buffer);
        }
        assert_eq!(buffers.lock().len(), Buffers::IN_HAND);
    }
}
