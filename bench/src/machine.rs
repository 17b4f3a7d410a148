//! Where it was measured, and with what: without that a number says little.

use std::fs;
use std::process::Command;
use std::thread;

use serde::Serialize;

use crate::child::folder;

/// Names and values, in the order of the report.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) facts: Vec<(&'static str, String)>,
}

impl Machine {
    /// This one. What cannot be found out is left out.
    pub(crate) fn here() -> Self {
        let cores = thread::available_parallelism().map(|cores| cores.to_string()).ok();
        let lock = fs::read_to_string(folder().join("../Cargo.lock")).unwrap_or_default();
        let facts = [
            ("processors", cores),
            ("model", model(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default())),
            ("kernel", fs::read_to_string("/proc/sys/kernel/osrelease").ok()),
            ("load before it began, with what else ran", fs::read_to_string("/proc/loadavg").ok()),
            ("rustc", said(&["rustc", "--version"])),
            ("tokio", locked(&lock, "tokio")),
            ("crossbeam-channel", locked(&lock, "crossbeam-channel")),
            ("CPython", said(&["python3", "--version"])),
            ("Go", said(&["go", "version"])),
        ];
        let known = facts.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Self { facts: known.map(|(name, value)| (name, value.trim().to_owned())).collect() }
    }
}

fn model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, model)| model.to_owned())
}

/// The version of a package in a lock file.
fn locked(lock: &str, name: &str) -> Option<String> {
    let (_, rest) = lock.split_once(&format!("\nname = \"{name}\"\nversion = \""))?;
    rest.split('"').next().map(str::to_owned)
}

fn said(words: &[&str]) -> Option<String> {
    let (program, arguments) = words.split_first()?;
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_found_in_their_files() {
        assert_eq!(model("x: y\nmodel name\t: A 1\n").as_deref(), Some(" A 1"));
        assert_eq!(model(""), None);
        let lock = "[[package]]\nname = \"tokio\"\nversion = \"1.2.3\"\nsource = \"x\"\n";
        assert_eq!(locked(lock, "tokio").as_deref(), Some("1.2.3"));
        assert_eq!(locked(lock, "toki"), None);
    }
}
