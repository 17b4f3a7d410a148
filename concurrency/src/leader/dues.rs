//! When somebody has to look after jobs that rest: a heap that is not touched when a time moves further off.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::slots::{Entry, Key, Place};

/// The times at which to look.
#[derive(Debug, Default)]
pub(super) struct Dues(BinaryHeap<Reverse<(Instant, Key)>>);

impl Dues {
    /// So many that nobody needs are not worth looking for.
    const SPARE: usize = 64;

    pub(super) const fn new() -> Self {
        Self(BinaryHeap::new())
    }

    /// The next time.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((time, _))| *time)
    }

    /// The job rests, up to its due time at most. Says whether that is the next time of all.
    ///
    /// A job has its alarm rung once too often rather than moved with each of its requests.
    pub(super) fn set<J>(&mut self, key: Key, entry: &mut Entry<J>) -> bool {
        let Some(due) = entry.due else { return false };
        if entry.alarm.is_some_and(|alarm| alarm <= due) {
            return false;
        }
        entry.alarm = Some(due);
        let is_next = self.next().is_none_or(|next| due < next);
        self.0.push(Reverse((due, key)));
        is_next
    }

    /// Forgets the alarms of those that have left or have earlier ones, if there are many more than `jobs`.
    pub(super) fn forget(&mut self, jobs: usize, mut is_set: impl FnMut(Instant, Key) -> bool) {
        if self.0.len() > Self::SPARE + 2 * jobs {
            self.0.retain(|Reverse((time, key))| is_set(*time, *key));
        }
    }

    /// A job whose alarm rings by now.
    pub(super) fn ring(&mut self, now: Instant) -> Option<(Instant, Key)> {
        let first = self.0.peek_mut().filter(|first| first.0.0 <= now)?;
        Some(std::collections::binary_heap::PeekMut::pop(first).0)
    }

    /// Looks after a job whose alarm has rung. If its turn is due it waits for that from here on; says whether it does.
    pub(super) fn look<J>(&mut self, (time, key): (Instant, Key), entry: &mut Entry<J>) -> bool {
        if entry.alarm != Some(time) {
            // It has an earlier one.
            return false;
        }
        entry.alarm = None;
        if !matches!(entry.place, Place::Resting(_)) {
            return false;
        }
        if entry.due.is_some_and(|due| due <= time) {
            return entry.rouse();
        }
        self.set(key, entry);
        false
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::slots::Slots;
    use super::*;

    #[test]
    fn those_that_have_left_are_forgotten_before_their_time() {
        let (mut dues, mut slots) = (Dues::new(), Slots::<()>::new());
        let due = Instant::now() + Duration::from_secs(3600);
        let stays = slots.add();
        for _ in 0..10_000 {
            for key in [stays, slots.add()] {
                let entry = slots.get(key).unwrap();
                entry.due = Some(due);
                dues.set(key, entry);
                if key != stays {
                    slots.remove(key);
                }
            }
            let jobs = slots.len();
            dues.forget(jobs, |time, key| slots.get(key).is_some_and(|it| it.alarm == Some(time)));
        }
        assert!(dues.0.len() <= Dues::SPARE + 2, "{}", dues.0.len());
        let (time, key) = dues.ring(due).unwrap();
        assert_eq!((time, key == stays), (due, true), "what is alive is not");
    }
}
