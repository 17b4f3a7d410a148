//! The peers that are written in Rust: what a competent engineer would write by hand, or with another runtime.

mod epoll;
mod forking;
mod listen;
mod packets;
mod tasks;
mod threads;

use crate::Outcome;
use crate::workload::Workload;

/// Serves until it is killed.
pub(crate) fn run(name: &str, workload: Workload) -> Outcome<()> {
    match name {
        "epoll" => epoll::run(workload),
        "std-spawn" => threads::spawn(workload),
        "std-pool" => threads::pool(workload),
        "std-sync" => threads::one_by_one(workload),
        "libc-fork" => forking::fork(workload),
        "libc-prefork" => forking::prefork(workload),
        "tokio" => tasks::run(workload, tasks::Blocking::InTheTask),
        "tokio-blocking" => tasks::run(workload, tasks::Blocking::Elsewhere),
        "recvfrom" => packets::recvfrom(),
        "recvmmsg" => packets::recvmmsg(),
        _ => Err(format!("no peer {name}").into()),
    }
}
