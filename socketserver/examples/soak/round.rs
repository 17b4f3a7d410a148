//! One round: a server, clients, somebody who meddles, and an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::StopOrder;

use crate::books::Clients;
use crate::clients::{Kind, Outcome};
use crate::meddler::Meddled;
use crate::random::Random;
use crate::service::Seen;
use crate::site::{Done, Plan, Site};
use crate::wire::Place;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// How many clients there are at a time.
const CLIENTS: u64 = 8;

/// What came of a round.
pub(crate) struct Round {
    pub(crate) plan: Plan,
    pub(crate) done: Done,
    pub(crate) clients: Clients,
    pub(crate) meddled: Meddled,
    pub(crate) seen: Arc<Seen>,
}

/// What the threads of a round have in common.
#[derive(Default)]
struct Stage {
    clients: Clients,
    /// The server was told to end.
    is_ending: AtomicBool,
    /// No more clients are to come.
    is_over: AtomicBool,
    /// How many threads have clients that come and go.
    busy: AtomicU64,
}

/// A thread that has clients, up to its end.
struct Busy<'a>(&'a AtomicU64);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Round {
    /// Plays the round of this number, for about `time`.
    /// `tell` is told what it is at, for the case that it hangs.
    pub(crate) fn play(
        seed: u64,
        number: u64,
        time: Duration,
        tell: &dyn Fn(String),
    ) -> Result<Self, Error> {
        let mut random = Random::new(seed, number * (CLIENTS + 1));
        let plan = Plan::new(&mut random);
        let site = Site::start(&plan, number)?;
        let tell = |at: &str| tell(format!("round {number}, {at}: {plan:?}"));
        let stage = Stage::default();
        let service = Arc::clone(&site.seen);
        let mut meddled = Meddled::default();
        let done = thread::scope(|scope| {
            for client in 1..=CLIENTS {
                let mut random = Random::new(seed, number * (CLIENTS + 1) + client);
                let (stage, place) = (&stage, site.place.clone());
                stage.busy.fetch_add(1, Ordering::SeqCst);
                scope.spawn(move || {
                    let _busy = Busy(&stage.busy);
                    while !stage.is_over.load(Ordering::SeqCst) {
                        stage.run_one(Kind::any(&mut random), &place, &mut random);
                    }
                });
            }
            let result = stage.direct(site, (&plan, time), &mut meddled, &mut random, &tell);
            // Also if something went wrong: nobody could wait for the clients otherwise.
            stage.is_ending.store(true, Ordering::SeqCst);
            stage.is_over.store(true, Ordering::SeqCst);
            tell("the clients end");
            result
        })?;
        Ok(Self { plan, done, clients: stage.clients, meddled, seen: service })
    }
}

impl Stage {
    fn run_one(&self, kind: Kind, place: &Place, random: &mut Random) {
        let outcome = kind.run(place, random);
        self.clients.note(kind, outcome, self.is_ending.load(Ordering::SeqCst));
        if matches!(outcome, Outcome::Refused | Outcome::NoPort) {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Lets the server run, stop and begin again, and end.
    fn direct(
        &self,
        site: Site,
        (plan, time): (&Plan, Duration),
        meddled: &mut Meddled,
        random: &mut Random,
        tell: &dyn Fn(&str),
    ) -> Result<Done, Error> {
        let begun = Instant::now();
        let runs = u32::try_from(plan.restarts + 1)?;
        for run in 1..runs {
            tell("it serves");
            meddled.meddle(&site.handle, random, begun + time / runs * run)?;
            tell("it is to begin again");
            stop(&site);
        }
        tell("it serves");
        meddled.meddle(&site.handle, random, begun + time)?;
        if plan.drain.is_some() {
            // In the middle of everything.
            self.is_ending.store(true, Ordering::SeqCst);
            tell("it stops");
            stop(&site);
            tell("it drains");
            return site.wait();
        }
        // All who have come are served to their end.
        self.is_over.store(true, Ordering::SeqCst);
        tell("the clients go");
        while self.busy.load(Ordering::SeqCst) > 0 {
            thread::sleep(Duration::from_millis(1));
        }
        tell("it stops");
        stop(&site);
        tell("it closes");
        site.wait()
    }
}

/// Stops the run that is in progress, or about to begin.
fn stop(site: &Site) {
    while !site.is_finished() {
        match site.stop.shutdown() {
            // It has not begun yet. Two such stops would be one, so the run this is for is waited for.
            Ok(StopOrder::Kept) => {
                while site.stop.is_requested() && !site.is_finished() {
                    thread::yield_now();
                }
                return;
            }
            // The run before has ended just now, and this one has not begun.
            Ok(StopOrder::TooLate) => thread::yield_now(),
            _ => return,
        }
    }
}
