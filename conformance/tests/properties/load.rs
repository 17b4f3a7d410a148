//! What the properties about stopping under load have in common: who comes, what becomes of each, when the stop
//! comes, and which books must balance.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use proptest::prelude::*;
use socketserver::concurrency::{AtClose, ThreadPerRequest, ThreadPool, WhenFull};
use socketserver_core::{Counts, Job, ShutdownHandle};

/// Nothing takes this long: what waits longer is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What becomes of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    Served,
    Refused,
    Fails,
    Panics,
    Detaches,
    /// Its handler stops the server, and then serves it.
    Stops,
}

/// When the stop comes that is not a handler's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StopAt {
    /// Before the server serves.
    Before,
    /// From another thread, when so many clients have come.
    Come(usize),
    /// Out of `service_actions`, when so many requests have been accepted.
    Accepted(u64),
}

/// Who runs the requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who {
    Loop,
    Threads,
    Pool { workers: usize, queue: usize, when_full: WhenFull, at_close: AtClose },
}

#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// One for each client that comes before the stop or around it.
    pub(crate) fates: Vec<Fate>,
    pub(crate) stop: StopAt,
    pub(crate) who: Who,
    /// How many clients come when the server has stopped.
    pub(crate) late: usize,
}

pub(crate) fn load(most: usize) -> impl Strategy<Value = Load> {
    let fate = prop_oneof![
        6 => Just(Fate::Served),
        1 => Just(Fate::Refused),
        1 => Just(Fate::Fails),
        1 => Just(Fate::Panics),
        1 => Just(Fate::Detaches),
        1 => Just(Fate::Stops),
    ];
    (prop::collection::vec(fate, 1..=most), who(), 0..3_usize).prop_flat_map(
        |(fates, who, late)| {
            let clients = fates.len();
            let stop = prop_oneof![
                1 => Just(StopAt::Before),
                4 => (0..=clients).prop_map(StopAt::Come),
                4 => (1..=clients).prop_map(|count| StopAt::Accepted(count as u64)),
            ];
            stop.prop_map(move |stop| Load { fates: fates.clone(), stop, who, late })
        },
    )
}

/// So many cases, and no search for a shorter one that takes for ever because each waits in vain.
pub(crate) fn patient(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_time: 30_000, ..ProptestConfig::default() }
}

fn who() -> impl Strategy<Value = Who> {
    let full = prop::sample::select(&[WhenFull::Wait, WhenFull::Refuse, WhenFull::RunInLoop][..]);
    let close = prop::sample::select(&[AtClose::Serve, AtClose::Discard][..]);
    let pool =
        (1..4_usize, 0..4_usize, full, close).prop_map(|(workers, queue, when_full, at_close)| {
            Who::Pool { workers, queue, when_full, at_close }
        });
    prop_oneof![1 => Just(Who::Loop), 1 => Just(Who::Threads), 2 => pool]
}

/// Deals the fates out in the order in which the requests are verified.
#[derive(Debug)]
pub(crate) struct Fates {
    dealt: Vec<Fate>,
    verified: AtomicUsize,
    begun: AtomicUsize,
}

impl Fates {
    pub(crate) fn new(fates: &[Fate]) -> Self {
        let (verified, begun) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { dealt: fates.to_vec(), verified, begun }
    }

    /// Whether the next one is let in. Those that nobody has foreseen are.
    pub(crate) fn verify(&self) -> bool {
        let number = self.verified.fetch_add(1, Ordering::SeqCst);
        self.dealt.get(number) != Some(&Fate::Refused)
    }

    /// The fate of the next one that a handler meets.
    pub(crate) fn begin(&self) -> Fate {
        let number = self.begun.fetch_add(1, Ordering::SeqCst);
        let mut fates = self.dealt.iter().filter(|fate| **fate != Fate::Refused);
        fates.nth(number).copied().unwrap_or(Fate::Served)
    }

    /// How many met this fate, which is not to be refused.
    fn met(&self, fate: Fate) -> u64 {
        let let_in = self.dealt.iter().filter(|fate| **fate != Fate::Refused);
        let begun = self.begun.load(Ordering::SeqCst);
        let_in.take(begun).filter(|other| **other == fate).count() as u64
    }

    fn refused(&self) -> u64 {
        let verified = self.dealt.iter().take(self.verified.load(Ordering::SeqCst));
        verified.filter(|fate| **fate == Fate::Refused).count() as u64
    }
}

/// Waits for the thread that serves, which drops the sender of `ended` at its end. If that does not come in time
/// the server is stopped, so that the test fails rather than hangs.
pub(crate) fn join<T>(
    serving: ScopedJoinHandle<'_, T>,
    ended: &Receiver<()>,
    stop: &ShutdownHandle,
) -> T {
    let in_time = ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Disconnected);
    stop.request();
    let result = serving.join().unwrap();
    assert!(in_time, "nothing has stopped it");
    result
}

pub(crate) fn threads() -> ThreadPerRequest {
    ThreadPerRequest::new()
}

/// A pool as the load wants it, if it wants one.
pub(crate) fn pool<J: Job + Send + 'static>(who: Who) -> Option<ThreadPool<J>> {
    let Who::Pool { workers, queue, when_full, at_close } = who else { return None };
    Some(ThreadPool::new(workers).queue(queue).when_full(when_full).at_close(at_close))
}

/// Every request that came in has left by one door, and by the right one. `then` are the books of the moment at
/// which the stop was through, `now` those after the close.
pub(crate) fn check_books(then: Counts, now: Counts, fates: &Fates) {
    let doors = [now.served, now.refused, now.overloaded, now.unserved, now.detached];
    let left = doors.iter().sum::<u64>() + now.handed_over;
    assert_eq!(now.accepted, left, "{now:?}");
    assert_eq!(now.in_progress(), 0, "{now:?}");
    assert_eq!(then.accepted, now.accepted, "somebody was let in after the stop");
    assert_eq!(fates.begun.load(Ordering::SeqCst) as u64, now.served + now.detached, "{now:?}");
    assert_eq!(now.refused, fates.refused(), "{now:?}");
    assert_eq!(now.detached, fates.met(Fate::Detaches), "{now:?}");
    assert_eq!(now.errors, fates.met(Fate::Fails) + fates.met(Fate::Panics), "{now:?}");
    assert_eq!(now.handed_over, 0, "{now:?}");
}
