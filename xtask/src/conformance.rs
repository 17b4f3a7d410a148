//! `cargo xtask conformance`: builds and runs the harness, which is a program of its own so that this one stays small.

use crate::{Failure, Outcome, cargo};

/// What cargo is told, before the harness's own arguments.
pub(crate) const RUN: [&str; 5] = ["run", "--quiet", "--package", "socketserver-conformance", "--"];

/// Runs it with these arguments; its exit code tells what kind of failure it was.
pub(crate) fn run(args: &[&str]) -> Outcome {
    let args = [&RUN[..], args].concat();
    let shown = cargo::show(&args, &[]);
    let status = cargo::command(&args)
        .status()
        .map_err(|error| Failure::Broken(format!("{shown}: cannot start: {error}")))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(1) => Err(Failure::Check("conformance: not everything is as it should be".to_owned())),
        // It has said why itself, or cargo has.
        _ => Err(Failure::Broken(format!("{shown}: {status}"))),
    }
}
