//! What is told of it: on the terminal, and as files.

mod html;
mod markdown;
mod plot;
mod tables;
mod terminal;

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::Outcome;
use crate::goals::Verdict;
use crate::machine::Machine;
use crate::results::Results;

pub(crate) use terminal::terminal;

/// How to read it.
const HOW_TO_READ: &str = "The ratios are the result: they say how subjects compare on the same machine in the same \
minutes. The absolute numbers belong to this machine and this load.";

/// All there is to tell.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) effort: String,
    pub(crate) notices: Vec<String>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) results: Results,
}

/// Writes the files into a folder, which is made if it is not there.
pub(crate) fn write(report: &Report, folder: &Path) -> Outcome<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("results.json"), serde_json::to_string_pretty(report)?)?;
    fs::write(folder.join("RESULTS.md"), markdown::page(report))?;
    fs::write(folder.join("index.html"), html::page(report)?)?;
    Ok(())
}
