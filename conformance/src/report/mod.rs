//! Shows what a run found: a table for the terminal, and files to read, to search and to keep. Judges nothing itself.

mod cases;
mod difference;
mod html;
mod json;
mod markdown;
#[cfg(test)]
mod sample;
mod side_by_side;
mod table;
mod tally;
mod words;

use std::fs;
use std::io;
use std::path::Path;

use crate::results::Results;

pub use difference::difference;
pub use side_by_side::side_by_side;
pub use table::table;

/// How many characters wide a report in plain text is.
pub const WIDTH: usize = 100;

/// Writes `index.html`, `report.md` and `report.json` into a folder, which is made if need be.
///
/// # Errors
///
/// When the folder or a file cannot be written.
pub fn write(results: &Results, dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    fs::write(dir.join("index.html"), html::page(results))?;
    fs::write(dir.join("report.md"), markdown::markdown(results))?;
    fs::write(dir.join("report.json"), json::json(results)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_written_into_a_new_folder() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("a/b");
        write(&sample::results(), &dir).unwrap();
        for (name, begin) in
            [("index.html", "<!DOCTYPE html>"), ("report.md", "# "), ("report.json", "{")]
        {
            assert!(fs::read_to_string(dir.join(name)).unwrap().starts_with(begin), "{name}");
        }
    }
}
