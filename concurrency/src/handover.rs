//! Handing work to threads that have done theirs: the work that waits, and the threads that wait for some.
//!
//! A thread that is called is not given a certain piece of work: it comes, and takes the one that has waited longest. So one
//! that has just finished takes that instead of going to sleep, and while more are on their way than there is work for,
//! nobody is woken for another piece. Of those that wait the last is called, whose memory is still warm; the others
//! wait longer and longer, and can leave.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// What waits for what. It is kept under a lock of its owner's.
pub(crate) struct Handover<W> {
    work: VecDeque<W>,
    /// Those that wait, the one that has done so longest first.
    idle: Vec<Arc<Bell>>,
    /// How many have been called and not come yet.
    coming: usize,
}

impl<W> Handover<W> {
    /// How often a thread lets others run, and looks whether there is work by then, before it sleeps. When there is much to do
    /// those others bring some, and to look costs less than to sleep and be woken; when there is little it is over at once.
    pub(crate) const LOOKS: u32 = 4;

    pub(crate) const fn new() -> Self {
        Self { work: VecDeque::new(), idle: Vec::new(), coming: 0 }
    }

    /// Makes work of `what` if there is a thread for it, which then is to be called when the lock is released. Else gives it
    /// back.
    pub(crate) fn offer<T>(&mut self, what: T, make: impl FnOnce(T) -> W) -> Result<Call, T> {
        let call = if self.coming > self.work.len() {
            Call(None)
        } else {
            let Some(bell) = self.idle.pop() else { return Err(what) };
            self.ring(&bell);
            Call(Some(bell))
        };
        self.work.push_back(make(what));
        Ok(call)
    }

    /// Adds work that waits until a thread has finished what it does; there must be one. It may also be that one has become
    /// idle: that is to be called then.
    pub(crate) fn add(&mut self, work: W) -> Call {
        self.offer(work, |work| work).unwrap_or_else(|work| {
            self.work.push_back(work);
            Call(None)
        })
    }

    /// For a thread that has nothing to do: the work that has waited longest.
    pub(crate) fn take(&mut self) -> Option<W> {
        self.work.pop_front()
    }

    /// A thread looks away for a moment and then again, before it waits: who brings work meanwhile need not wake it.
    pub(crate) fn look_away(&mut self) {
        self.coming += 1;
    }

    /// It looks again.
    pub(crate) fn look_again(&mut self) {
        self.coming -= 1;
    }

    /// A thread begins to wait for work. There is none, or it would have taken it.
    pub(crate) fn rest(&mut self, bell: &Arc<Bell>) {
        self.idle.push(Arc::clone(bell));
    }

    /// A thread has waited. Says what for; if for nothing it still counts as waiting.
    pub(crate) fn come(&mut self, bell: &Bell) -> Came {
        // The lock gives the order; and only who holds it changes the marks, so this need not be one step.
        if !bell.rung.load(Ordering::Relaxed) {
            return Came::Uncalled;
        }
        bell.rung.store(false, Ordering::Relaxed);
        if bell.dismissed.load(Ordering::Relaxed) {
            return Came::Dismissed;
        }
        self.coming -= 1;
        Came::Called
    }

    /// A thread that waits, and has not been called, does so no longer.
    pub(crate) fn leave(&mut self, bell: &Arc<Bell>) {
        // It is among the first: others have been called since.
        if let Some(index) = self.idle.iter().position(|other| Arc::ptr_eq(other, bell)) {
            self.idle.remove(index);
        }
    }

    /// Calls all that wait: for their end. They take no work that is there: others are on their way to it, and these may be
    /// waited for as having none.
    pub(crate) fn dismiss(&mut self) -> Vec<Call> {
        let idle = std::mem::take(&mut self.idle);
        for bell in &idle {
            bell.dismissed.store(true, Ordering::Relaxed);
            bell.rung.store(true, Ordering::Release);
        }
        idle.into_iter().map(|bell| Call(Some(bell))).collect()
    }

    /// How many pieces of work wait.
    pub(crate) fn waiting(&self) -> usize {
        self.work.len()
    }

    /// How many threads wait.
    pub(crate) fn idle(&self) -> usize {
        self.idle.len()
    }

    fn ring(&mut self, bell: &Bell) {
        self.coming += 1;
        // Release pairs with the acquire of the one that waits, which looks without the lock. What it then does it does
        // under the lock.
        bell.rung.store(true, Ordering::Release);
    }
}

impl<W> fmt::Debug for Handover<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handover")
            .field("waiting", &self.waiting())
            .field("idle", &self.idle())
            .field("coming", &self.coming)
            .finish_non_exhaustive()
    }
}

/// What a thread has waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Came {
    /// There is work, or was.
    Called,
    /// It is to end, with no other work.
    Dismissed,
    /// Nothing: its time is over.
    Uncalled,
}

/// What a thread waits by.
#[derive(Debug)]
pub(crate) struct Bell {
    thread: Thread,
    rung: AtomicBool,
    dismissed: AtomicBool,
    /// The thread's number in its [`JoinSet`](crate::join_set::JoinSet), if it is in one.
    number: Option<u64>,
}

impl Bell {
    /// The bell of the calling thread.
    pub(crate) fn new(number: Option<u64>) -> Arc<Self> {
        let (rung, dismissed) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { thread: thread::current(), rung, dismissed, number })
    }

    /// Waits until it is called, or for so long, `None` for as long as it takes.
    pub(crate) fn wait(&self, time: Option<Duration>) {
        let begun = Instant::now();
        let mut left = time;
        // Whoever else knows the thread may have woken it, for reasons of a handler that is gone.
        while !self.rung.load(Ordering::Acquire) {
            match left {
                None => thread::park(),
                Some(Duration::ZERO) => break,
                Some(left) => thread::park_timeout(left),
            }
            left = time.map(|time| time.saturating_sub(begun.elapsed()));
        }
    }
}

/// A thread to be woken, if one has to be.
#[derive(Debug)]
#[must_use = "the thread sleeps on"]
pub(crate) struct Call(Option<Arc<Bell>>);

impl Call {
    /// Wakes it; not under the lock, which it takes first of all.
    pub(crate) fn make(self) {
        if let Some(bell) = self.0 {
            bell.thread.unpark();
        }
    }

    /// The number of the thread in its [`JoinSet`](crate::join_set::JoinSet).
    pub(crate) fn number(&self) -> Option<u64> {
        self.0.as_ref().and_then(|bell| bell.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(handover: &mut Handover<u8>, work: u8) -> Result<Call, u8> {
        handover.offer(work, |work| work)
    }

    #[test]
    fn the_last_that_came_is_called_first_and_takes_what_has_waited_longest() {
        let mut handover = Handover::new();
        assert_eq!(offer(&mut handover, 1).unwrap_err(), 1, "nobody is there");
        let (first, last) = (Bell::new(Some(1)), Bell::new(Some(2)));
        handover.rest(&first);
        handover.rest(&last);
        assert_eq!(offer(&mut handover, 1).unwrap().number(), Some(2));
        assert_eq!(offer(&mut handover, 2).unwrap().number(), Some(1));
        assert_eq!(offer(&mut handover, 3).unwrap_err(), 3, "both are on their way");
        assert_eq!([handover.come(&first), handover.come(&last)], [Came::Called; 2]);
        assert_eq!((handover.take(), handover.take(), handover.take()), (Some(1), Some(2), None));
    }

    #[test]
    fn one_thread_is_called_again_and_again() {
        let mut handover = Handover::new();
        let bell = Bell::new(Some(1));
        for work in 0..3 {
            handover.rest(&bell);
            assert_eq!(offer(&mut handover, work).unwrap().number(), Some(1));
            bell.wait(None);
            assert_eq!(handover.come(&bell), Came::Called);
            assert_eq!(handover.take(), Some(work));
        }
    }

    #[test]
    fn nobody_is_woken_while_somebody_comes_for_nothing() {
        let mut handover = Handover::new();
        let bells = [Bell::new(Some(1)), Bell::new(Some(2))];
        for bell in &bells {
            handover.rest(bell);
        }
        assert_eq!(offer(&mut handover, 1).unwrap().number(), Some(2));
        assert_eq!(handover.take(), Some(1), "another had just finished");
        assert_eq!(offer(&mut handover, 2).unwrap().number(), None);
        assert_eq!(offer(&mut handover, 3).unwrap().number(), Some(1));
    }

    #[test]
    fn who_leaves_is_not_called_and_who_is_called_does_not_leave() {
        let mut handover = Handover::new();
        let (one, other) = (Bell::new(Some(1)), Bell::new(Some(2)));
        handover.rest(&one);
        handover.rest(&other);
        one.wait(Some(Duration::from_millis(1)));
        assert_eq!(handover.come(&one), Came::Uncalled);
        handover.leave(&one);
        assert_eq!(offer(&mut handover, 1).unwrap().number(), Some(2));
        other.wait(None);
        assert_eq!([handover.come(&other), handover.come(&other)], [Came::Called, Came::Uncalled]);
        assert_eq!((handover.idle(), handover.waiting()), (0, 1));
    }

    #[test]
    fn who_is_dismissed_leaves_the_work_to_the_one_that_was_called() {
        let mut handover = Handover::new();
        let (one, other) = (Bell::new(Some(1)), Bell::new(Some(2)));
        handover.rest(&one);
        handover.rest(&other);
        let _call = offer(&mut handover, 1).unwrap();
        let dismissed = handover.dismiss();
        assert_eq!(dismissed.iter().filter_map(Call::number).collect::<Vec<_>>(), [1]);
        assert_eq!(handover.come(&one), Came::Dismissed);
        assert_eq!(offer(&mut handover, 2).unwrap_err(), 2, "only one is on its way");
        assert_eq!(handover.come(&other), Came::Called);
        assert_eq!(handover.take(), Some(1));
    }

    #[test]
    fn a_stale_wake_is_no_call() {
        let bell = Bell::new(None);
        bell.thread.unpark();
        bell.wait(Some(Duration::from_millis(1)));
        assert_eq!(Handover::<u8>::new().come(&bell), Came::Uncalled);
    }
}
