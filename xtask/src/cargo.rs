//! Calling cargo and asking what is installed; no shell, and no terminal expected.

use std::env;
use std::process::{Command, Stdio};

use crate::{Failure, Outcome};

/// The cargo that runs this program, or the one on the path.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs cargo to its end, its output passed through.
pub(crate) fn run(args: &[&str], env: &[(&str, &str)]) -> Outcome {
    let shown = show(args, env);
    match command(args).envs(env.iter().copied()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::Check(format!("{shown}: {status}"))),
        Err(error) => Err(Failure::Broken(format!("{shown}: cannot start: {error}"))),
    }
}

/// Runs a program of the project's to its end, whose exit code tells what kind of failure it was: 1 is `failed`.
pub(crate) fn run_tool(args: &[&str], failed: &str) -> Outcome {
    let shown = show(args, &[]);
    let status = command(args)
        .status()
        .map_err(|error| Failure::Broken(format!("{shown}: cannot start: {error}")))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(1) => Err(Failure::Check(failed.to_owned())),
        // It has said why itself, or cargo has.
        _ => Err(Failure::Broken(format!("{shown}: {status}"))),
    }
}

/// The command as one would type it.
pub(crate) fn show(args: &[&str], env: &[(&str, &str)]) -> String {
    let mut words: Vec<_> = env.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    words.push("cargo".to_owned());
    words.extend(args.iter().map(|arg| (*arg).to_owned()));
    words.join(" ")
}

/// Whether `cargo NAME --version` works.
pub(crate) fn has(name: &str) -> bool {
    answers(command(&[name, "--version"]))
}

/// Whether `PROGRAM --version` works.
pub(crate) fn has_program(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    answers(command)
}

fn answers(mut command: Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// What runs all tests but the doc tests.
pub(crate) fn tests(nextest: bool) -> Vec<&'static str> {
    if nextest {
        vec!["nextest", "run", "--workspace", "--all-features"]
    } else {
        let targets = ["--lib", "--bins", "--tests", "--examples"];
        [&["test", "--workspace", "--all-features"][..], &targets].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_a_command_as_one_would_type_it() {
        assert_eq!(
            show(&["doc", "--no-deps"], &[("FLAGS", "-D w")]),
            "FLAGS=\"-D w\" cargo doc --no-deps"
        );
    }

    // Tests for Windows may be run where there is no Cargo for Windows.
    #[cfg(not(windows))]
    #[test]
    fn knows_what_is_there_and_what_is_not() {
        assert!(answers(command(&["--version"])));
        assert!(!has("no-such-subcommand"));
        assert!(!has_program("no-such-program"));
    }

    // Tests for Windows may be run where there is no Cargo for Windows.
    #[cfg(not(windows))]
    #[test]
    fn a_command_that_fails_is_named() {
        let Err(Failure::Check(message)) = run(&["no-such-subcommand"], &[]) else {
            panic!("cargo has no such subcommand");
        };
        assert!(message.starts_with("cargo no-such-subcommand: "), "{message}");
    }
}
