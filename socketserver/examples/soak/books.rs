//! The books of a round: what the server counted, what the clients saw, and whether that adds up.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use socketserver::Counts;

use crate::clients::{KINDS, Kind, Outcome};
use crate::round::Round;

/// How often something became of a client.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) tried: u64,
    pub(crate) done: u64,
    /// The connection ended too early, before the server was told to.
    pub(crate) cut_off: u64,
    /// The server was told to end, and did not serve it or not to the end.
    pub(crate) too_late: u64,
    pub(crate) no_port: u64,
    /// Nothing of this may happen.
    pub(crate) refused: u64,
    pub(crate) wrong: u64,
    pub(crate) hung: u64,
}

/// What became of all clients, by kind.
#[derive(Debug, Default)]
pub(crate) struct Clients(Mutex<[Tally; KINDS.len()]>);

impl Clients {
    /// `is_ending` if the server was told to end before the client was done.
    pub(crate) fn note(&self, kind: Kind, outcome: Outcome, is_ending: bool) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = &mut all[kind as usize];
        tally.tried += 1;
        *match outcome {
            Outcome::Done => &mut tally.done,
            Outcome::NoPort => &mut tally.no_port,
            Outcome::CutOff | Outcome::Refused if is_ending => &mut tally.too_late,
            Outcome::CutOff => &mut tally.cut_off,
            Outcome::Refused => &mut tally.refused,
            Outcome::Wrong => &mut tally.wrong,
            Outcome::Hung => &mut tally.hung,
        } += 1;
    }

    pub(crate) fn tallies(&self) -> [Tally; KINDS.len()] {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds those of a round to those of all.
    pub(crate) fn add(&self, round: &Self) {
        let round = round.tallies();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (sum, tally) in all.iter_mut().zip(round) {
            sum.tried += tally.tried;
            sum.done += tally.done;
            sum.cut_off += tally.cut_off;
            sum.too_late += tally.too_late;
            sum.no_port += tally.no_port;
            sum.refused += tally.refused;
            sum.wrong += tally.wrong;
            sum.hung += tally.hung;
        }
    }
}

/// All doors a request can leave through.
pub(crate) fn left(counts: &Counts) -> u64 {
    counts.served
        + counts.detached
        + counts.refused
        + counts.overloaded
        + counts.turned_away.total()
        + counts.unserved
        + counts.handed_over
}

/// Everything of a round that does not add up.
pub(crate) fn audit(round: &Round) -> Vec<String> {
    let Round { done, clients, seen, meddled, .. } = round;
    let mut faults = Vec::new();
    let mut check = |holds: bool, fault: String| {
        if !holds {
            faults.push(fault);
        }
    };
    let (counts, tallies) = (&done.counts, clients.tallies());
    let sum = |what: fn(&Tally) -> u64| tallies.iter().map(what).sum::<u64>();
    let honest = |what: fn(&Tally) -> u64| {
        KINDS
            .iter()
            .zip(&tallies)
            .filter(|(kind, _)| kind.is_honest())
            .map(|(_, tally)| what(tally))
            .sum::<u64>()
    };
    check(counts.accepted == left(counts), format!("not all that came has left: {counts:?}"));
    check(
        counts.hook_panics + counts.exhausted + counts.unserved + counts.detached == 0,
        format!("what should not happen did: {counts:?}"),
    );
    let alive = done.alive;
    check(alive == (0, 0), format!("of requests and connections are still there: {alive:?}"));
    let came = sum(|tally| tally.tried - tally.refused - tally.no_port);
    check(
        counts.accepted + counts.accept_failures <= came,
        format!("more were accepted than came, {came}: {counts:?}"),
    );
    let answered = honest(|tally| tally.done);
    check(answered <= counts.served, format!("{answered} were answered: {counts:?}"));
    let answers = seen.answers.load(Ordering::Relaxed);
    check(answered <= answers, format!("{answered} were answered, with {answers} answers"));
    let cuts = &done.cuts;
    let all_cuts = cuts.deadlines() + cuts.drained + cuts.forced + cuts.ended;
    check(
        seen.told.agrees(counts, all_cuts),
        format!("told was {:?}: {counts:?} {cuts:?}", seen.told),
    );
    let cut = honest(|tally| tally.cut_off);
    let refused = counts.overloaded + counts.turned_away.total();
    let excused = meddled.ended + cuts.deadlines() + refused;
    check(
        cut <= excused,
        format!("{cut} honest clients were cut off, and {excused} connections ended"),
    );
    let bad = sum(|tally| tally.refused + tally.wrong + tally.hung);
    check(bad == 0, format!("clients were refused, hung or got wrong answers: {tallies:?}"));
    let strange = seen.strange.lock().unwrap_or_else(PoisonError::into_inner);
    check(strange.is_empty(), format!("errors that nobody expects: {strange:?}"));
    if let Some(report) = &done.report {
        check(!report.is_stuck(), format!("the drain left something: {report}"));
    }
    faults
}
