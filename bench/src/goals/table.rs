//! The table of goals, spelled out: one entry for each workload that it speaks of.

use super::{Goal, Limit, Verdict};
use crate::results::{Measure, Results};
use crate::subject;
use crate::workload::Workload;

/// The strategy that serves connections only while they have something to say.
const PARKED: &str = "leader-pool";
const KIBIBYTE: f64 = 1024.0;

/// Strategies, and the program of the same design that is written by hand.
const BY_HAND: [(&str, &str); 5] = [
    ("thread-per-request", "std-spawn"),
    ("pool", "std-pool"),
    ("sync", "std-sync"),
    ("fork", "libc-fork"),
    ("prefork", "libc-prefork"),
];

/// Strategies, and CPython's class of the same name.
const CPYTHON: [(&str, &str); 3] = [
    ("thread-per-request", "cpython-threading"),
    ("sync", "cpython-sync"),
    ("fork", "cpython-forking"),
];

/// What is said of all workloads that were played.
pub(crate) fn evaluate(results: &Results) -> Vec<Verdict> {
    let played = results.workloads();
    let mut goals = Vec::new();
    for workload in &played {
        goals.extend(of(*workload));
    }
    for workload in
        played.iter().filter(|workload| matches!(workload, Workload::Accept { idle } if *idle > 0))
    {
        goals.extend(accepting(*workload));
    }
    goals.iter().map(|goal| goal.judge(results)).collect()
}

/// The goals of one workload.
fn of(workload: Workload) -> Vec<Goal> {
    use Limit::{AtLeast, AtMost};
    use Measure::{BytesEach, CpuMicros, P99Micros, PerSecond};
    let beside = |measure, ours, peer, limit| Goal {
        measure,
        ours: (workload, ours),
        peer: Some((workload, peer)),
        limit,
    };
    let mut goals = match workload {
        Workload::Echo { connections: 16.. } => {
            let many = matches!(workload, Workload::Echo { connections: 1024.. });
            vec![
                beside(CpuMicros, PARKED, "epoll", AtMost(1.10)),
                beside(CpuMicros, PARKED, "tokio", AtMost(if many { 0.9 } else { 1.0 })),
                beside(PerSecond, PARKED, "tokio", AtLeast(1.0)),
                beside(P99Micros, PARKED, "tokio", AtMost(1.0)),
            ]
        }
        Workload::Mixed { one_in: 1000 } => vec![
            beside(PerSecond, PARKED, "tokio", AtLeast(1.0)),
            beside(P99Micros, PARKED, "tokio", AtMost(0.5)),
        ],
        Workload::Mixed { one_in: 100 } => vec![beside(PerSecond, PARKED, "tokio", AtLeast(2.0))],
        Workload::IdleMemory { .. } => vec![Goal {
            measure: BytesEach,
            ours: (workload, PARKED),
            peer: None,
            limit: AtMost(KIBIBYTE),
        }],
        Workload::Connect => vec![
            beside(CpuMicros, PARKED, "epoll", AtMost(1.15)),
            beside(CpuMicros, "pool", "epoll", AtMost(1.4)),
            beside(CpuMicros, "thread-per-request", "std-spawn", AtMost(0.42)),
        ],
        Workload::Udp { window: 1 } => vec![beside(CpuMicros, "sync", "recvfrom", AtMost(1.05))],
        Workload::Udp { window: 8 } => vec![beside(CpuMicros, "sync", "recvmmsg", AtMost(1.10))],
        _ => Vec::new(),
    };
    if has_requests(workload) {
        for (pairs, limit) in [(&BY_HAND[..], 1.05), (&CPYTHON[..], 1.0 / 8.0)] {
            let pairs = pairs.iter().filter(|(ours, peer)| {
                let has_own_goal = workload == Workload::Connect && *peer == "std-spawn";
                !has_own_goal && plays(ours, workload) && plays(peer, workload)
            });
            goals.extend(pairs.map(|(ours, peer)| beside(CpuMicros, ours, peer, AtMost(limit))));
        }
    }
    goals
}

/// The cost of a connection does not grow with those that are there.
fn accepting(crowded: Workload) -> Vec<Goal> {
    let ours = [PARKED, "thread-per-request", "pool"];
    let goal = |name| Goal {
        measure: Measure::CpuMicros,
        ours: (crowded, name),
        peer: Some((Workload::Accept { idle: 0 }, name)),
        limit: Limit::AtMost(1.10),
    };
    ours.map(goal).into()
}

/// Whether the server's time is read for each request.
fn has_requests(workload: Workload) -> bool {
    !matches!(workload, Workload::IdleMemory { .. } | Workload::Stop { .. })
}

fn plays(name: &str, workload: Workload) -> bool {
    subject::named(name).is_some_and(|subject| subject.plays(workload))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::made_up::add;

    /// The verdict on what begins so.
    fn verdict(results: &Results, what: &str) -> Verdict {
        let verdicts = evaluate(results);
        let mut found = verdicts.iter().filter(|verdict| verdict.what.starts_with(what));
        let verdict = found.next().unwrap_or_else(|| panic!("no {what} in {verdicts:?}")).clone();
        assert_eq!(found.next(), None, "{what}");
        verdict
    }

    #[test]
    fn a_ratio_is_met_missed_or_not_measured() {
        let goal = "connect: server CPU per request of pool / epoll";
        for (pool, missed, words) in [
            (vec![1.2, 1.3, 1.34], false, ["≤ 1.40", "1.30 (1.25–1.32)", "met"]),
            (vec![2.0, 2.1, 2.2], true, ["≤ 1.40", "2.10 (2.05–2.15)", "MISSED by 50 %"]),
            (vec![1.0, 1.3, 2.0], false, ["≤ 1.40", "1.30 (1.15–1.65)", "met, open"]),
            (vec![], true, ["≤ 1.40", "–", "NOT MEASURED"]),
        ] {
            let mut results = Results::default();
            add(&mut results, "connect", "epoll", Measure::CpuMicros, &[1.0, 1.0, 1.0]);
            add(&mut results, "connect", "pool", Measure::CpuMicros, &pool);
            let verdict = verdict(&results, goal);
            assert_eq!(verdict.is_missed(), missed, "{verdict:?}");
            assert_eq!(verdict.words(), words);
        }
    }

    #[test]
    fn more_is_better_for_throughput() {
        let mut results = Results::default();
        add(&mut results, "mixed-100", "tokio", Measure::PerSecond, &[10.0]);
        add(&mut results, "mixed-100", PARKED, Measure::PerSecond, &[15.0]);
        let missed = verdict(&results, "mixed-100: throughput");
        assert_eq!(missed.words(), ["≥ 2.00", "1.50 (1.50–1.50)", "MISSED by 25 %"]);
        add(&mut results, "mixed-100", PARKED, Measure::PerSecond, &[20.0]);
        assert!(!verdict(&results, "mixed-100: throughput").is_missed());
    }

    #[test]
    fn with_errors_nothing_is_met() {
        let goal = "udp-1: server CPU per request of sync / recvfrom";
        for (subject, at) in [("recvfrom", 0), ("sync", 1)] {
            let mut results = Results::default();
            add(&mut results, "udp-1", "recvfrom", Measure::CpuMicros, &[1.0, 1.0]);
            add(&mut results, "udp-1", "sync", Measure::CpuMicros, &[1.0, 1.0]);
            assert!(!verdict(&results, goal).is_missed());
            results.cells[at].rounds[1].errors = 3;
            assert!(verdict(&results, goal).is_missed(), "{subject}");
            assert_eq!(verdict(&results, goal).words()[2], "MISSED: 3 errors");
        }
    }

    #[test]
    fn a_value_by_itself() {
        let mut results = Results::default();
        add(&mut results, "idle-memory-10000", PARKED, Measure::BytesEach, &[1000.0]);
        assert!(!verdict(&results, "idle-memory-10000").is_missed());
        let mut results = Results::default();
        add(&mut results, "idle-memory-10000", PARKED, Measure::BytesEach, &[2048.0]);
        assert_eq!(verdict(&results, "idle-memory-10000").words()[2], "MISSED by 100 %");
    }

    #[test]
    fn across_workloads() {
        let mut results = Results::default();
        add(&mut results, "accept-0", "pool", Measure::CpuMicros, &[10.0]);
        assert!(evaluate(&results).iter().all(|verdict| !verdict.what.contains("in accept-0")));
        add(&mut results, "accept-10000", "pool", Measure::CpuMicros, &[12.0]);
        let goal = "accept-10000: server CPU per request of pool / pool in accept-0";
        assert_eq!(verdict(&results, goal).words()[2], "MISSED by 9 %");
        results.cells.remove(0);
        assert_eq!(verdict(&results, goal).words()[2], "NOT MEASURED");
    }

    #[test]
    fn what_was_not_played_is_not_judged() {
        assert_eq!(evaluate(&Results::default()), []);
        let mut results = Results::default();
        add(&mut results, "udp-1", "recvfrom", Measure::CpuMicros, &[1.0]);
        assert!(evaluate(&results).iter().all(|verdict| verdict.what.starts_with("udp-1")));
    }
}
