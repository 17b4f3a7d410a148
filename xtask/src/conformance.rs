//! `cargo xtask conformance`: builds and runs the harness, which is a program of its own so that this one stays small.

use crate::{Outcome, cargo};

/// What cargo is told, before the harness's own arguments.
pub(crate) const RUN: [&str; 5] = ["run", "--quiet", "--package", "socketserver-conformance", "--"];

/// Runs it with these arguments; its exit code tells what kind of failure it was.
pub(crate) fn run(args: &[&str]) -> Outcome {
    cargo::run_tool(&[&RUN[..], args].concat(), "conformance: not everything is as it should be")
}
