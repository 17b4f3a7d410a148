//! `cargo xtask bench`: builds and runs the benchmark, which is a program of its own, in a release build.

use crate::{Failure, Outcome, cargo};

/// What cargo is told, before the benchmark's own arguments.
const RUN: [&str; 6] = ["run", "--release", "--quiet", "--package", "socketserver-bench", "--"];

/// Runs it with these arguments; its exit code tells what kind of failure it was.
pub(crate) fn run(args: &[&str]) -> Outcome {
    let args = [&RUN[..], args].concat();
    let shown = cargo::show(&args, &[]);
    let status = cargo::command(&args)
        .status()
        .map_err(|error| Failure::Broken(format!("{shown}: cannot start: {error}")))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(1) => Err(Failure::Check("bench: not every goal is met".to_owned())),
        // It has said why itself, or cargo has.
        _ => Err(Failure::Broken(format!("{shown}: {status}"))),
    }
}
