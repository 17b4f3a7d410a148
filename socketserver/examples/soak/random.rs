//! Choices that are the same for the same seed: a generator of numbers of our own.

use std::ops::Range;
use std::time::Duration;

/// A source of choices.
pub(crate) struct Random(u64);

impl Random {
    /// The choices of one part of the run: other parts, other choices.
    pub(crate) fn new(seed: u64, part: u64) -> Self {
        let mut random = Self(seed ^ part.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        random.next();
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in `range`, which must not be empty.
    pub(crate) fn number(&mut self, range: Range<usize>) -> usize {
        let width = (range.end - range.start) as u64;
        range.start + usize::try_from(self.next() % width).unwrap_or_default()
    }

    pub(crate) fn millis(&mut self, range: Range<usize>) -> Duration {
        Duration::from_millis(self.number(range) as u64)
    }

    /// Whether it happens, so many times in a hundred.
    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.number(0..100) < chance
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.number(0..all.len())]
    }
}
