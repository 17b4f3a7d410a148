//! `cargo xtask soak`: builds and runs the soak, an example of the facade, in a release build.

use crate::{Outcome, cargo};

/// What cargo is told, before the soak's own arguments.
pub(crate) const RUN: [&str; 8] =
    ["run", "--release", "--quiet", "--package", "socketserver", "--example", "soak", "--"];

/// Runs it with these arguments.
pub(crate) fn run(args: &[&str]) -> Outcome {
    cargo::run(&[&RUN[..], args].concat(), &[])
}
