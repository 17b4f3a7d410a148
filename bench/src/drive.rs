//! Drives a server: its clients go round, and for a time what they see counts.

use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::child::Child;
use crate::load::{self, Mix, Phase, Shared, Tally};
use crate::workload::{CONNECTIONS, CONNECTORS, PACKET_CLIENTS, Workload};

/// How long the clients may take to have an answer each.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets the clients go round. When all have had an answer, and some time has passed, `window` says when it begins to
/// count, and when it ends, if not with itself.
pub(crate) fn drive<T>(
    child: &Child,
    workload: Workload,
    threads: usize,
    warm_up: Duration,
    window: impl FnOnce(&Shared) -> Outcome<T>,
) -> Outcome<(Tally, T)> {
    let shared = &Shared::default();
    let clients = clients(workload);
    let threads = threads.clamp(1, clients);
    thread::scope(|scope| {
        let loads: Vec<_> = (0..threads)
            .map(|at| {
                let share = clients / threads + usize::from(at < clients % threads);
                scope.spawn(move || load(shared, child, workload, share))
            })
            .collect();
        let begin = Instant::now();
        let ended = || loads.iter().any(thread::ScopedJoinHandle::is_finished);
        while shared.ready() < clients && !ended() && begin.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(2));
        }
        let slow = shared.ready() < clients;
        thread::sleep(warm_up);
        let seen = window(shared);
        shared.enter(Phase::Stop);
        let mut tally = Tally::new()?;
        for load in loads {
            tally.add(&load.join().map_err(|_| "the clients panicked")??)?;
        }
        if slow {
            tally.error("not every client had an answer in time");
        }
        Ok((tally, seen?))
    })
}

/// How many clients go round.
fn clients(workload: Workload) -> usize {
    match workload {
        Workload::Echo { connections } => connections,
        Workload::Udp { .. } => PACKET_CLIENTS,
        Workload::Connect | Workload::Accept { .. } => CONNECTORS,
        _ => CONNECTIONS,
    }
}

/// What one thread of the clients does, with its share of them.
fn load(shared: &Shared, child: &Child, workload: Workload, share: usize) -> Outcome<Tally> {
    match workload {
        Workload::Connect | Workload::Accept { .. } => load::connect(shared, &child.address, share),
        Workload::Udp { window } => load::datagrams(shared, &child.address, share, window),
        Workload::Mixed { one_in } => load::streams(shared, &child.address, share, Mix { one_in }),
        _ => load::streams(shared, &child.address, share, Mix { one_in: 0 }),
    }
}
