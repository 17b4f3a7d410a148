//! `cargo xtask loom`: the model checker tries every order in which threads can meet in the core.

use std::env;
use std::path::PathBuf;

use crate::{Failure, Outcome, cargo};

/// How often a thread may be interrupted at most, unless the arguments say otherwise.
const PREEMPTIONS: &str = "3";

/// In the gate: nearly every fault shows with two, and it takes seconds.
pub(crate) const IN_GATE: &str = "2";

/// Runs the models; the argument is how often a thread may be interrupted.
pub(crate) fn run(args: &[&str]) -> Outcome {
    let preemptions = match *args {
        [] => PREEMPTIONS,
        [number] if number.parse().is_ok_and(|number: u32| number > 0) => number,
        _ => {
            return Err(Failure::Usage(format!("loom: cannot make sense of: {}", args.join(" "))));
        }
    };
    // Built with another `cfg`, so in a folder of its own: else each build would throw the other away.
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let target = target.join("loom").display().to_string();
    let test = ["test", "--release", "--package", "socketserver-core", "--lib", "models"];
    cargo::run(
        &[&test[..], &["--target-dir", &target]].concat(),
        &[("RUSTFLAGS", "--cfg loom"), ("LOOM_MAX_PREEMPTIONS", preemptions)],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused() {
        for args in [&["0"][..], &["-1"], &["many"], &["2", "3"]] {
            assert!(matches!(run(args), Err(Failure::Usage(_))), "{args:?}");
        }
    }
}
