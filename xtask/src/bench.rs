//! `cargo xtask bench`: builds and runs the benchmark, which is a program of its own, in a release build.

use crate::{Outcome, cargo};

/// What cargo is told, before the benchmark's own arguments.
const RUN: [&str; 6] = ["run", "--release", "--quiet", "--package", "socketserver-bench", "--"];

/// Runs it with these arguments; its exit code tells what kind of failure it was.
pub(crate) fn run(args: &[&str]) -> Outcome {
    cargo::run_tool(&[&RUN[..], args].concat(), "bench: not every goal is met")
}
