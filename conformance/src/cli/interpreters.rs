//! Which interpreters there are to compare with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Failure, Options};
use crate::subject::{Command, Process, Subject};

/// The versions whose behaviour is known, newest last.
const MINORS: std::ops::RangeInclusive<u32> = 8..=14;

/// A CPython.
#[derive(Clone, Debug)]
pub(super) struct Interpreter {
    pub(super) command: Command,
    /// As the oracle tells it, `CPython 3.11.7`.
    pub(super) version: String,
}

/// Those that are asked for, else all that are found; what is missing is noted.
///
/// # Errors
///
/// When one that is asked for is not there, does not work or is not CPython.
pub(super) fn find(
    options: &Options,
    notices: &mut Vec<String>,
) -> Result<Vec<Interpreter>, Failure> {
    if options.no_python {
        notices.push(
            "as asked for, nothing was compared with CPython itself, only with what was recorded of it"
                .to_owned(),
        );
        return Ok(Vec::new());
    }
    let mut found = BTreeMap::new();
    let asked = !options.python.is_empty();
    let candidates: Vec<PathBuf> = if asked {
        options.python.clone()
    } else {
        let numbered = MINORS.map(|minor| format!("python3.{minor}"));
        numbered.chain(["python3".to_owned()]).map(PathBuf::from).collect()
    };
    for program in candidates {
        let command = Command::python(&program);
        match Process::start(&command) {
            Ok(process) if process.version().starts_with("CPython") => {
                let version = process.version().to_owned();
                found.entry(version.clone()).or_insert(Interpreter { command, version });
            }
            Ok(process) => {
                let what = format!("{} is {}, not CPython", program.display(), process.version());
                if asked {
                    return Err(what.into());
                }
                notices.push(format!("{what}: not compared with"));
            }
            Err(error) if asked => {
                return Err(format!("cannot compare with {}: {error}", program.display()).into());
            }
            // Most versions are not there on most machines.
            Err(_) => {}
        }
    }
    if found.is_empty() {
        notices.push(
            "no CPython was found: the catalogue was compared with what was recorded of one, and no scenarios were generated"
                .to_owned(),
        );
    }
    Ok(found.into_values().collect())
}
