//! `cargo xtask repeat`: the tests again and again, to find the one that fails now and then.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{self, ExitStatus};
use std::time::Instant;

use crate::ci::seconds;
use crate::{Failure, Outcome, cargo};

const RUNS: u32 = 50;

/// Builds once, then runs the tests up to the first failure.
pub(crate) fn run(args: &[&str]) -> Outcome {
    let (runs, extra) = parse(args)?;
    let nextest = cargo::has("nextest");
    if !nextest {
        println!("notice: cargo-nextest was not found: `cargo test` runs the tests");
    }
    let mut tests = cargo::tests(nextest);
    if extra.iter().any(|arg| arg.starts_with("-p") || arg.starts_with("--package")) {
        // With both, cargo would take the whole workspace.
        tests.retain(|arg| *arg != "--workspace");
    }
    cargo::run(&[&tests[..], &["--no-run"], extra].concat(), &[])?;

    let tests = [&tests[..], extra].concat();
    let log = log_path();
    let start = Instant::now();
    for number in 1..=runs {
        print!("run {number}/{runs}: ");
        // Only the display is late if this fails.
        let _ = io::stdout().flush();
        let begun = Instant::now();
        let status = run_into(&log, &tests).map_err(|error| {
            Failure::Broken(format!("cannot run {}: {error}", cargo::show(&tests, &[])))
        })?;
        let time = seconds(begun.elapsed());
        if !status.success() {
            println!("FAILED after {time}\n\n{}", read_lossy(&log));
            let command = cargo::show(&tests, &[]);
            let log = log.display();
            return Err(Failure::Check(format!(
                "repeat: run {number} of {runs} failed\n  command: {command} ({status})\n  output: {log}"
            )));
        }
        println!("passed in {time}");
    }
    println!("all {runs} runs passed in {}", seconds(start.elapsed()));
    // A log left behind does no harm.
    let _ = fs::remove_file(log);
    Ok(())
}

/// `[N] [-- args]`.
fn parse<'a>(args: &'a [&'a str]) -> Result<(u32, &'a [&'a str]), Failure> {
    let (runs, rest) = match *args {
        [] | ["--", ..] => (Some(RUNS), args),
        [number, ref rest @ ..] => (number.parse().ok().filter(|number| *number > 0), rest),
    };
    match (runs, rest) {
        (Some(runs), []) => Ok((runs, &[])),
        (Some(runs), ["--", extra @ ..]) => Ok((runs, extra)),
        _ => Err(Failure::Usage(format!("repeat: cannot make sense of: {}", args.join(" ")))),
    }
}

/// One run, its output in a file: what hangs can be read from there, and what passes is not shown.
fn run_into(log: &Path, tests: &[&str]) -> io::Result<ExitStatus> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let output = File::create(log)?;
    cargo::command(tests).stdout(output.try_clone()?).stderr(output).status()
}

/// Named after the process, so that two can run at the same time.
fn log_path() -> PathBuf {
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    target.join(format!("repeat-{}.log", process::id()))
}

fn read_lossy(path: &Path) -> String {
    let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    text.unwrap_or_else(|error| format!("(the output cannot be read: {error})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_arguments_are_optional() {
        let none: &[&str] = &[];
        assert_eq!(parse(&[]).unwrap(), (RUNS, none));
        assert_eq!(parse(&["3"]).unwrap(), (3, none));
        assert_eq!(parse(&["--", "stop"]).unwrap(), (RUNS, &["stop"][..]));
        assert_eq!(
            parse(&["3", "--", "-p", "x", "--", "y"]).unwrap(),
            (3, &["-p", "x", "--", "y"][..])
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for args in [&["0"][..], &["-1"], &["many"], &["3", "4"], &["3", "-p"]] {
            assert!(matches!(parse(args), Err(Failure::Usage(_))), "{args:?}");
        }
    }
}
