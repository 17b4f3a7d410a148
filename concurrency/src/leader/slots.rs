//! The jobs of a pool that parks: where each of them is, and what has been heard of it meanwhile.

use std::sync::Arc;
use std::time::Instant;

use socketserver_core::Pollable;

/// All jobs that are alive.
pub(super) struct Slots<J> {
    entries: Vec<Entry<J>>,
    free: Vec<u32>,
}

/// The name of a job, never used again for another.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Key(u64);

impl Key {
    pub(super) const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    pub(super) const fn raw(self) -> u64 {
        self.0
    }

    const fn new(index: u32, generation: u32) -> Self {
        Self((generation as u64) << 32 | index as u64)
    }

    #[expect(clippy::cast_possible_truncation, reason = "that is its lower half")]
    const fn index(self) -> usize {
        self.0 as u32 as usize
    }
}

/// A job and what is known of it.
pub(super) struct Entry<J> {
    generation: u32,
    pub(super) place: Place<J>,
    /// So many more turns it is to have, for its client has sent something since the last one began.
    pub(super) news: u8,
    /// It came when nobody was free, and has not had a turn.
    pub(super) in_vain: bool,
    /// What the poller watches.
    pub(super) watched: Option<Arc<dyn Pollable>>,
    /// When its turn is due without news.
    pub(super) due: Option<Instant>,
    /// The first time at which somebody looks whether it is due.
    pub(super) alarm: Option<Instant>,
}

impl<J> Entry<J> {
    /// A job that rests waits for its turn from here on. Says whether there was one.
    pub(super) fn rouse(&mut self) -> bool {
        match std::mem::replace(&mut self.place, Place::Out) {
            Place::Resting(job) => {
                self.place = Place::Queued(job);
                true
            }
            other => {
                self.place = other;
                false
            }
        }
    }
}

/// Where a job is.
pub(super) enum Place<J> {
    /// There is none.
    Free,
    /// Somebody has it: it is having its turn, say.
    Out,
    /// It waits for its client.
    Resting(Box<J>),
    /// It waits for its turn.
    Queued(Box<J>),
}

impl<J> Slots<J> {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }

    /// A place for a job that somebody has.
    pub(super) fn add(&mut self) -> Key {
        let index = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry {
                generation: 0,
                place: Place::Free,
                news: 0,
                in_vain: false,
                watched: None,
                due: None,
                alarm: None,
            });
            // More connections than that no system has.
            u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
        });
        let entry = &mut self.entries[index as usize];
        entry.place = Place::Out;
        (entry.news, entry.in_vain) = (0, false);
        (entry.due, entry.alarm) = (None, None);
        Key::new(index, entry.generation)
    }

    /// `None` if the job has left.
    pub(super) fn get(&mut self, key: Key) -> Option<&mut Entry<J>> {
        let entry = self.entries.get_mut(key.index())?;
        let is_it = Key::new(0, entry.generation).raw() >> 32 == key.raw() >> 32;
        (is_it && !matches!(entry.place, Place::Free)).then_some(entry)
    }

    /// The job has left. Gives back what was watched of it.
    pub(super) fn remove(&mut self, key: Key) -> Option<Arc<dyn Pollable>> {
        let entry = self.get(key)?;
        entry.place = Place::Free;
        entry.generation = entry.generation.wrapping_add(1);
        let watched = entry.watched.take();
        // Its index fits: it came from one.
        self.free.push(u32::try_from(key.index()).unwrap_or(u32::MAX));
        watched
    }

    /// How many are in such a place.
    pub(super) fn count(&self, is_it: impl Fn(&Place<J>) -> bool) -> usize {
        self.entries.iter().filter(|entry| is_it(&entry.place)).count()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_used_again() {
        let mut slots: Slots<()> = Slots::new();
        let (a, b) = (slots.add(), slots.add());
        assert!(slots.get(a).is_some() && slots.len() == 2);
        assert!(slots.remove(a).is_none() && slots.get(a).is_none() && slots.len() == 1);
        let c = slots.add();
        assert!(
            c.index() == a.index() && c != a && slots.get(a).is_none() && slots.get(b).is_some()
        );
    }
}
