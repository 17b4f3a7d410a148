//! `cargo xtask tidy`: what holds for the source tree as a whole. Each check is a function in a file
//! beside this one, from files to violations; here they are put together.

mod code;
mod dependencies;
mod documents;
mod files;
mod manifests;
mod snapshots;
mod text;

use std::fmt;
use std::io;
use std::path::Path;

use self::files::SourceFile;
use crate::{Failure, Outcome};

/// A place in the tree, and what is wrong there.
#[derive(Debug, PartialEq)]
struct Violation {
    file: String,
    line: usize,
    message: String,
}

impl Violation {
    fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

type Check = fn(&[SourceFile]) -> Vec<Violation>;

const CHECKS: &[Check] = &[
    text::header,
    text::length,
    text::whitespace,
    code::unsafe_code,
    code::leftovers,
    code::sleeping_tests,
    dependencies::siblings,
    dependencies::without_dependencies,
    dependencies::core_stays_clear,
    dependencies::peers_stay_outside,
    manifests::lints,
    snapshots::owned,
    documents::present,
    documents::changelog_has_version,
    documents::gate_command,
];

/// Checks the current folder and lists every violation.
pub(crate) fn run() -> Outcome {
    let violations = check(Path::new(".")).map_err(|error| {
        Failure::Broken(format!("cargo xtask tidy: cannot read the tree: {error}"))
    })?;
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        count => {
            Err(Failure::Check(format!("cargo xtask tidy: {count} violation(s), listed above")))
        }
    }
}

/// Every check, over the tree at `root`.
fn check(root: &Path) -> io::Result<Vec<Violation>> {
    let files = files::read_tree(root)?;
    Ok(CHECKS.iter().flat_map(|check| check(&files)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let violations = check(&crate::project_root()).unwrap();
        let list: Vec<_> = violations.iter().map(Violation::to_string).collect();
        assert!(list.is_empty(), "\n{}\n", list.join("\n"));
    }

    #[test]
    fn a_violation_reads_as_file_line_message() {
        assert_eq!(Violation::new("a/b.rs", 3, "too long").to_string(), "a/b.rs:3: too long");
    }
}
