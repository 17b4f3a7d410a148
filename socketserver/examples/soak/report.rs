//! What the soak did, for people to read.

use std::fmt;

use crate::books::{Clients, Tally};
use crate::clients::KINDS;
use crate::meddler::Meddled;
use crate::round::Round;
use crate::site::Strategy;

/// The sums over all rounds.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rounds: u64,
    strategies: [u64; 4],
    unix: u64,
    drained: u64,
    restarts: usize,
    forced: usize,
    idle_ended: usize,
    accepted: u64,
    served: u64,
    overloaded: u64,
    turned_away: u64,
    too_slow: u64,
    errors: u64,
    clients: Clients,
    meddled: Meddled,
}

impl Report {
    pub(crate) fn add(&mut self, round: &Round) {
        let (plan, counts) = (&round.plan, &round.done.counts);
        self.rounds += 1;
        let strategy = match plan.strategy {
            Strategy::Synchronous => 0,
            Strategy::Threads => 1,
            Strategy::Pool { .. } => 2,
            Strategy::Leader { .. } => 3,
        };
        self.strategies[strategy] += 1;
        self.unix += u64::from(plan.unix);
        self.restarts += plan.restarts;
        if let Some(report) = &round.done.report {
            self.drained += 1;
            self.forced += report.forced;
            self.idle_ended += report.idle_ended;
        }
        self.accepted += counts.accepted;
        self.served += counts.served;
        self.overloaded += counts.overloaded;
        self.turned_away += counts.turned_away.total();
        self.too_slow += round.done.cuts.deadlines();
        self.errors += counts.errors;
        self.clients.add(&round.clients);
        self.meddled.add(&round.meddled);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, unix, drained, restarts, meddled, .. } = self;
        let [synchronous, threads, pools, leaders] = self.strategies;
        writeln!(
            f,
            "rounds     {rounds}: {synchronous} one after another, {threads} with threads, {pools} with pools, \
             {leaders} with pools that park; \
             {unix} on Unix sockets\n           \
             {drained} drained ({} idle ended, {} forced), {} closed, {restarts} restarts",
            self.idle_ended,
            self.forced,
            rounds - drained
        )?;
        writeln!(
            f,
            "clients    {:>10} {:>10} {:>10} {:>10}",
            "came", "done", "cut off", "too late"
        )?;
        for (kind, tally) in KINDS.iter().zip(self.clients.tallies()) {
            let Tally { tried, done, cut_off, too_late, .. } = tally;
            let name = format!("{kind:?}");
            writeln!(f, "{name:<10} {tried:>10} {done:>10} {cut_off:>10} {too_late:>10}")?;
        }
        writeln!(
            f,
            "meddling   {} limits, {} suspensions, {} lists (with up to {}), {} connections ended",
            meddled.limits, meddled.suspended, meddled.lists, meddled.most, meddled.ended
        )?;
        write!(
            f,
            "servers    {} accepted: {} served, {} overloaded, {} turned away; {} cut by deadlines, {} errors of handlers",
            self.accepted,
            self.served,
            self.overloaded,
            self.turned_away,
            self.too_slow,
            self.errors
        )
    }
}
