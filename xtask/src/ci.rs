//! `cargo xtask ci`, the gate: the steps in their order, up to the first that fails.

use std::fmt;
use std::time::{Duration, Instant};

use crate::{Failure, Outcome, cargo, conformance, loom, soak, tidy};

/// One step of the gate.
struct Step {
    name: &'static str,
    /// The cargo subcommand that may be missing from a bare toolchain, and the component with it.
    needs: Option<(&'static str, &'static str)>,
    args: Vec<&'static str>,
    env: &'static [(&'static str, &'static str)],
}

/// What became of a step.
#[derive(Debug, PartialEq)]
enum Verdict {
    Passed(Duration),
    Failed(Duration),
    NotChecked(String),
    NotReached,
}

type Row = (&'static str, Verdict);

/// A short pass: all layers, few generated scenarios, and always the same, so that a failure can be repeated.
const CONFORMANCE: [&str; 4] = ["--cases", "100", "--seed", "1"];

/// A short one, always the same choices.
const SOAK: [&str; 4] = ["--seconds", "10", "--seed", "1"];

const WARNINGS_FAIL: [&str; 3] = ["--", "-D", "warnings"];

/// Runs the gate.
pub(crate) fn run() -> Outcome {
    let start = Instant::now();
    let nextest = cargo::has("nextest");
    let mut notices = Vec::new();
    if !nextest {
        notices.push("cargo-nextest was not found: `cargo test` runs the tests");
    }
    if !cargo::has_program("python3") {
        notices.push("python3 was not found: tests that use CPython as a client are left out, and nothing is compared with it live");
    }
    if cfg!(target_os = "linux") && !cargo::has_program("strace") {
        notices.push("strace was not found: no system call is made to fail by the kernel");
    }
    for notice in &notices {
        println!("notice: {notice}");
    }
    let (rows, outcome) = walk(&steps(nextest), cargo::has, Step::run);
    println!("\n== summary, after {}", seconds(start.elapsed()));
    for (name, verdict) in &rows {
        println!("  {name:<28} {verdict}");
    }
    for notice in &notices {
        println!("  notice: {notice}");
    }
    outcome?;
    let left_out =
        rows.iter().filter(|(_, verdict)| matches!(verdict, Verdict::NotChecked(_))).count();
    match left_out {
        0 => println!("ci: passed"),
        count => println!("ci: passed, but {count} step(s) could not be checked here"),
    }
    Ok(())
}

/// The steps in their order.
fn steps(nextest: bool) -> Vec<Step> {
    let step =
        |name, args: &[&'static str]| Step { name, needs: None, args: args.to_vec(), env: &[] };
    let lint = |name, args: &[&'static str]| Step {
        needs: Some(("clippy", "clippy")),
        ..step(name, &[&["clippy", "--workspace", "--all-targets"], args, &WARNINGS_FAIL].concat())
    };
    vec![
        step("tidy", &["xtask", "tidy"]),
        Step { needs: Some(("fmt", "rustfmt")), ..step("format", &["fmt", "--all", "--check"]) },
        lint("clippy, all features", &["--all-features"]),
        lint("clippy, default features", &[]),
        step("examples", &["build", "--workspace", "--examples"]),
        step("tests", &cargo::tests(nextest)),
        step("doc tests", &["test", "--workspace", "--all-features", "--doc"]),
        Step {
            env: &[("RUSTDOCFLAGS", "-D warnings")],
            ..step("docs", &["doc", "--workspace", "--all-features", "--no-deps"])
        },
        step("models", &["xtask", "loom", loom::IN_GATE]),
        step("conformance", &[&conformance::RUN[..], &CONFORMANCE].concat()),
        step("soak", &[&soak::RUN[..], &SOAK].concat()),
    ]
}

impl Step {
    fn run(&self) -> Outcome {
        match self.args[..] {
            // Already running: no second process for it.
            ["xtask", "tidy"] => tidy::run(),
            ["xtask", "loom", ref rest @ ..] => loom::run(rest),
            _ => cargo::run(&self.args, self.env),
        }
    }
}

/// Walks the steps, and leaves what is not installed and all that follows a failure.
fn walk(
    steps: &[Step],
    has: impl Fn(&str) -> bool,
    run: impl Fn(&Step) -> Outcome,
) -> (Vec<Row>, Outcome) {
    let mut rows = Vec::new();
    let mut outcome = Ok(());
    for step in steps {
        if outcome.is_err() {
            rows.push((step.name, Verdict::NotReached));
            continue;
        }
        println!("\n== {}: {}", step.name, cargo::show(&step.args, step.env));
        let start = Instant::now();
        let verdict = match step.needs {
            Some((subcommand, component)) if !has(subcommand) => {
                Verdict::NotChecked(format!("{component} is not installed"))
            }
            _ => match run(step) {
                Ok(()) => Verdict::Passed(start.elapsed()),
                Err(failure) => {
                    outcome = Err(blame(step, failure));
                    Verdict::Failed(start.elapsed())
                }
            },
        };
        println!("== {}: {verdict}", step.name);
        rows.push((step.name, verdict));
    }
    (rows, outcome)
}

/// The failure, which names the command, with the step it belongs to.
fn blame(step: &Step, failure: Failure) -> Failure {
    let message = |cause: String| format!("\nci: step \"{}\" failed: {cause}", step.name);
    match failure {
        Failure::Check(cause) => Failure::Check(message(cause)),
        Failure::Broken(cause) | Failure::Usage(cause) => Failure::Broken(message(cause)),
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed(time) => write!(f, "passed in {}", seconds(*time)),
            Self::Failed(time) => write!(f, "FAILED after {}", seconds(*time)),
            Self::NotChecked(why) => write!(f, "not checked: {why}"),
            Self::NotReached => f.write_str("not reached"),
        }
    }
}

/// A time for people to read.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_in_its_order() {
        let shown: Vec<_> =
            steps(true).iter().map(|step| cargo::show(&step.args, step.env)).collect();
        assert_eq!(
            shown,
            [
                "cargo xtask tidy",
                "cargo fmt --all --check",
                "cargo clippy --workspace --all-targets --all-features -- -D warnings",
                "cargo clippy --workspace --all-targets -- -D warnings",
                "cargo build --workspace --examples",
                "cargo nextest run --workspace --all-features",
                "cargo test --workspace --all-features --doc",
                "RUSTDOCFLAGS=\"-D warnings\" cargo doc --workspace --all-features --no-deps",
                "cargo xtask loom 2",
                "cargo run --quiet --package socketserver-conformance -- --cases 100 --seed 1",
                "cargo run --release --quiet --package socketserver --example soak -- --seconds 10 --seed 1",
            ]
        );
        assert_eq!(
            cargo::show(&steps(false)[5].args, &[]),
            "cargo test --workspace --all-features --lib --bins --tests --examples"
        );
    }

    #[test]
    fn a_failure_stops_it_and_is_named() {
        let (rows, outcome) = walk(
            &steps(true),
            |_| true,
            |step| match step.name {
                "examples" => Err(Failure::Check("cargo build: broken".to_owned())),
                _ => Ok(()),
            },
        );
        assert!(matches!(rows[3].1, Verdict::Passed(_)));
        assert!(matches!(rows[4].1, Verdict::Failed(_)));
        assert!(rows[5..].iter().all(|row| row.1 == Verdict::NotReached));
        let Err(Failure::Check(message)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(message, "\nci: step \"examples\" failed: cargo build: broken");
    }

    #[test]
    fn a_bare_toolchain_is_told_what_was_not_checked() {
        let (rows, outcome) = walk(&steps(true), |_| false, |_| Ok(()));
        assert!(outcome.is_ok());
        let missing: Vec<_> = rows
            .iter()
            .filter(|row| matches!(row.1, Verdict::NotChecked(_)))
            .map(|row| row.0)
            .collect();
        assert_eq!(missing, ["format", "clippy, all features", "clippy, default features"]);
        assert_eq!(rows[1].1.to_string(), "not checked: rustfmt is not installed");
    }
}
