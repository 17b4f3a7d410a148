//! How many are inside from each source, and a limit on that.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The sources that have anybody inside. What it holds is bounded by that: a source is forgotten with its last.
#[derive(Debug)]
pub(crate) struct Tally<K: Eq + Hash>(Mutex<State<K>>);

#[derive(Debug)]
struct State<K> {
    most: usize,
    inside: HashMap<K, usize>,
}

/// One that is inside; dropping it lets it out.
#[derive(Debug)]
pub(crate) struct Inside<K: Eq + Hash + Copy> {
    tally: Arc<Tally<K>>,
    source: K,
}

impl<K: Eq + Hash + Copy> Tally<K> {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { most, inside: HashMap::new() })))
    }

    /// Lets one in, unless as many are inside as may be.
    pub(crate) fn enter(self: &Arc<Self>, source: K) -> Option<Inside<K>> {
        let mut state = self.lock();
        let inside = state.inside.get(&source).copied().unwrap_or(0);
        if inside >= state.most {
            return None;
        }
        state.inside.insert(source, inside + 1);
        Some(Inside { tally: Arc::clone(self), source })
    }

    pub(crate) fn most(&self) -> usize {
        self.lock().most
    }

    pub(crate) fn set_most(&self, most: usize) {
        self.lock().most = most;
    }

    pub(crate) fn inside(&self, source: K) -> usize {
        self.lock().inside.get(&source).copied().unwrap_or(0)
    }

    pub(crate) fn sources(&self) -> usize {
        self.lock().inside.len()
    }

    fn leave(&self, source: K) {
        let mut state = self.lock();
        match state.inside.get_mut(&source) {
            Some(inside) if *inside > 1 => *inside -= 1,
            _ => {
                state.inside.remove(&source);
                state.give_memory_back();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        // Nothing under this lock panics half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> State<K> {
    /// A crowd that has gone leaves an empty map behind, which is large. Halving it costs as much as it was filled with.
    fn give_memory_back(&mut self) {
        const SMALL: usize = 64;
        if self.inside.capacity() > SMALL && self.inside.len() < self.inside.capacity() / 4 {
            self.inside.shrink_to(self.inside.capacity() / 2);
        }
    }
}

impl<K: Eq + Hash + Copy> Drop for Inside<K> {
    fn drop(&mut self) {
        self.tally.leave(self.source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_has_its_own_limit_and_is_forgotten_with_its_last() {
        let tally = Tally::new(2);
        let mut inside: Vec<_> = ["a", "a", "b"].iter().filter_map(|it| tally.enter(it)).collect();
        assert!(tally.enter(&"a").is_none());
        assert_eq!((tally.inside(&"a"), tally.inside(&"b"), tally.sources()), (2, 1, 2));
        inside.remove(0);
        assert!(tally.enter(&"a").is_some());
        tally.set_most(1);
        assert!(tally.enter(&"a").is_none(), "who is inside stays, and counts");
        drop(inside);
        assert_eq!((tally.inside(&"a"), tally.sources(), tally.most()), (0, 0, 1));
    }

    #[test]
    fn a_crowd_that_has_gone_leaves_no_memory_behind() {
        let tally = Tally::new(1);
        let crowd: Vec<_> = (0..10_000).map(|number| tally.enter(number).unwrap()).collect();
        assert!(tally.lock().inside.capacity() >= 10_000);
        drop(crowd);
        assert!(tally.lock().inside.capacity() < 200, "{}", tally.lock().inside.capacity());
    }

    #[test]
    fn many_threads_never_let_one_too_many_in() {
        let tally = Tally::new(3);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for number in 0..1000 {
                        let inside = tally.enter(number % 2);
                        assert!(tally.inside(number % 2) <= 3);
                        drop(inside);
                    }
                });
            }
        });
        assert_eq!(tally.sources(), 0);
    }
}
