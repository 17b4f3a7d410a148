//! Holds a server's counts against what its hooks were seen to do: every request through one door, in the right column.

use socketserver::Counts;

use super::stage::Stage;
use crate::scenario::{Does, Hook, Strategy};

/// What is wrong with the counts of a server that has been closed.
pub(super) fn faults(stage: &Stage, counts: &Counts) -> Vec<String> {
    let refused = |does| matches!(does, Some(Does::Refuse | Does::RefuseByNone));
    let failed = |does| matches!(does, Some(Does::Error | Does::Panic | Does::SpawnFails));
    let processed = stage.count(Hook::ProcessRequest, |does| !failed(does));
    let unserved =
        stage.count(Hook::VerifyRequest, failed) + stage.count(Hook::ProcessRequest, failed);
    let forks = stage.scenario.strategy == Strategy::Fork;
    let columns = [
        ("accepted", counts.accepted, stage.count(Hook::VerifyRequest, |_| true)),
        ("served", counts.served, if forks { 0 } else { processed }),
        ("handed_over", counts.handed_over, if forks { processed } else { 0 }),
        ("refused", counts.refused, stage.count(Hook::VerifyRequest, refused)),
        ("unserved", counts.unserved, unserved),
        ("errors", counts.errors, stage.count(Hook::HandleError, |_| true)),
        (
            "accept_failures",
            counts.accept_failures,
            stage.count(Hook::GetRequest, |does| does == Some(Does::Error)),
        ),
    ];
    let wrong = columns.into_iter().filter(|(_, counted, seen)| counted != seen);
    wrong
        .map(|(name, counted, seen)| format!("{name} is {counted}, but {seen} were seen"))
        .collect()
}
