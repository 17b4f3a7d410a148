//! The project's own commands, `cargo xtask …`: one arm per command, each command in its own file.

#![expect(clippy::print_stdout, reason = "a command line tool reports on standard output")]
#![expect(clippy::print_stderr, reason = "a command line tool reports failures on standard error")]

mod bench;
mod cargo;
mod ci;
mod conformance;
mod loom;
mod repeat;
mod soak;
mod tidy;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  bench [args]            what a request costs the server, beside other programs; --help tells the arguments
  ci                      the gate: tidy, format, lints, examples, tests, doc tests, docs, models, conformance, soak
  conformance [args]      holds the servers against CPython; --help tells the arguments
  loom [N]                the models of what threads share, in every order in which they can meet, with at most
                          N interruptions of a thread, 3 unless given
  tidy                    only the checks of the source tree
  repeat [N] [-- args]    the tests (without doc tests) N times in a row, 50 unless given, up to the
                          first failure; args go to the test command
  soak [--seconds N] [--seed S]
                          servers and clients of all sorts for a minute, or N seconds: fails if something
                          is left of them, or their counts do not add up
  help                    this text

exit code: 0 all is well, 1 a check failed, 2 wrong usage or the command could not run";

/// Why a command ended without success; each kind has its exit code.
#[derive(Debug)]
enum Failure {
    /// What was checked is not in order.
    Check(String),
    /// The command could not do its work.
    Broken(String),
    /// The command line makes no sense.
    Usage(String),
}

type Outcome = Result<(), Failure>;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Check(message)) => {
            eprintln!("{message}");
            ExitCode::from(1)
        }
        Err(Failure::Broken(message)) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
        Err(Failure::Usage(message)) => {
            eprintln!("{message}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &[&str]) -> Outcome {
    let root = project_root();
    env::set_current_dir(&root)
        .map_err(|error| Failure::Broken(format!("cannot enter {}: {error}", root.display())))?;
    match *args {
        ["bench", ref rest @ ..] => bench::run(rest),
        ["ci"] => ci::run(),
        ["conformance", ref rest @ ..] => conformance::run(rest),
        ["loom", ref rest @ ..] => loom::run(rest),
        ["tidy"] => tidy::run(),
        ["repeat", ref rest @ ..] => repeat::run(rest),
        ["soak", ref rest @ ..] => soak::run(rest),
        ["help" | "-h" | "--help"] => {
            println!("{USAGE}");
            Ok(())
        }
        [] => Err(Failure::Usage("no command given".to_owned())),
        _ => Err(Failure::Usage(format!("not a command: {}", args.join(" ")))),
    }
}

/// The folder that holds the workspace: the parent of this package's.
fn project_root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), Path::to_path_buf)
}
