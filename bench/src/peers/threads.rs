//! Servers of the standard library's threads: one each, a pool, and none.

use std::thread;

use super::listen::{converse, listen};
use crate::Outcome;
use crate::workload::Workload;

/// A thread for each connection.
pub(super) fn spawn(workload: Workload) -> Outcome<()> {
    let listener = listen(workload)?;
    loop {
        let stream = listener.accept()?;
        thread::Builder::new().spawn(move || converse(&stream))?;
    }
}

/// A thread for each connection there can be, started once; connections come through a channel.
pub(super) fn pool(workload: Workload) -> Outcome<()> {
    let workers = workload.connections();
    let listener = listen(workload)?;
    let (sender, receiver) = crossbeam_channel::bounded(workers);
    for _ in 0..workers {
        let receiver = receiver.clone();
        thread::Builder::new().spawn(move || {
            for stream in receiver {
                converse(&stream);
            }
        })?;
    }
    loop {
        sender.send(listener.accept()?)?;
    }
}

/// One after another.
pub(super) fn one_by_one(workload: Workload) -> Outcome<()> {
    let listener = listen(workload)?;
    loop {
        converse(&listener.accept()?);
    }
}
