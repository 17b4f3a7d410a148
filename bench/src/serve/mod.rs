//! The other side of the benchmark: `serve SUBJECT WORKLOAD` is one server, in a process of its own. It prints its
//! address, and serves until it is killed.

mod ours;
mod stop;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit,
};

use crate::Outcome;
use crate::peers;
use crate::subject::{Program, Subject};
use crate::workload::Workload;

/// Serves; comes back only with an error, or when it was asked to stop.
pub(crate) fn run(subject: &Subject, workload: Workload) -> Outcome<()> {
    // Whatever becomes of the one who measures, nothing is left behind.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    raise_descriptor_limit()?;
    match (subject.program, workload) {
        (Program::Ours, Workload::Stop { .. }) => stop::run(subject.name, workload),
        (Program::Ours, _) => ours::run(subject.name, workload),
        (Program::Rust, _) => peers::run(subject.name, workload),
        (Program::Python | Program::Go, _) => Err("not a part of this program".into()),
    }
}

/// Says on standard output where the server is.
pub(crate) fn announce(kind: &str, address: impl fmt::Display) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{kind} {address}")?;
    out.flush()
}

/// A path for a Unix socket, of this process alone. The one who measures removes it.
pub(crate) fn socket_path() -> PathBuf {
    std::env::temp_dir().join(format!("socketserver-bench-{}.sock", std::process::id()))
}

/// As many descriptors as the system lets this process have.
pub(crate) fn raise_descriptor_limit() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(())
}
