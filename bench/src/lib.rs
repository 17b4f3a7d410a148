//! The benchmark: what a request costs the server, beside hand-written programs and other runtimes. `main` is all that
//! is public; README.md in this folder says what is measured and how.
#![cfg(target_os = "linux")]

mod child;
mod cli;
mod drive;
mod goals;
mod load;
mod machine;
mod measure;
mod peers;
mod plan;
mod profile;
mod protocol;
mod report;
mod results;
mod run;
mod serve;
mod stats;
mod subject;
mod workload;

use std::process::ExitCode;

/// What any part of the benchmark may fail with: it is shown, and ends the program or counts as an error of a subject.
type Error = Box<dyn std::error::Error + Send + Sync>;
type Outcome<T> = Result<T, Error>;

/// Reads the command line and does what it says. Exit code: 0 all is well, 1 a goal was missed, 2 it could not run.
pub fn main() -> ExitCode {
    cli::main()
}
