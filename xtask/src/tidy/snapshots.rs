//! Snapshots: none is pending, and each belongs to a test that is there.

use super::Violation;
use super::files::{SourceFile, find};

/// A snapshot that somebody has to look at, or that no test asks for any more.
pub(super) fn owned(files: &[SourceFile]) -> Vec<Violation> {
    files.iter().filter_map(|file| fault(file, files)).collect()
}

fn fault(file: &SourceFile, files: &[SourceFile]) -> Option<Violation> {
    let name = file.path.rsplit('/').next()?;
    if name.ends_with(".snap.new") {
        return Some(Violation::new(&file.path, 1, "pending: accept or delete it"));
    }
    let name = name.strip_suffix(".snap")?;
    let source = file.lines().find_map(|(_, line)| line.strip_prefix("source: "));
    let Some(source) = source.and_then(|path| find(files, path.trim_matches('"'))) else {
        return Some(Violation::new(&file.path, 2, "the source it names is not there"));
    };
    // A name without its module was given by the test itself, which looks after it.
    let (_, test) = name.rsplit_once("__")?;
    // A test with several snapshots numbers them.
    let test = test.trim_end_matches(|end: char| end == '-' || end.is_ascii_digit());
    let is_there = source.text.contains(&format!("fn {test}("));
    (!is_there).then(|| Violation::new(&file.path, 1, format!("no test {test} in {}", source.path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_and_orphaned_snapshots_are_found() {
        let files = [
            SourceFile::new("a/src/b.rs", "//! x\nfn shown() {}\n"),
            SourceFile::new("a/src/snapshots/a__b__shown.snap", "---\nsource: a/src/b.rs\n---\n"),
            SourceFile::new("a/src/snapshots/a__b__shown-2.snap", "---\nsource: a/src/b.rs\n---\n"),
            SourceFile::new("a/golden/c.snap", "---\nsource: a/src/b.rs\n---\n"),
        ];
        assert_eq!(owned(&files), []);
        let bad = [
            SourceFile::new("a/src/b.rs", "//! x\n"),
            SourceFile::new("a/src/snapshots/a__b__shown.snap", "---\nsource: a/src/b.rs\n---\n"),
            SourceFile::new("a/src/snapshots/a__c__d.snap", "---\nsource: a/src/c.rs\n---\n"),
            SourceFile::new("a/golden/c.snap.new", ""),
        ];
        let found: Vec<_> = owned(&bad).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "a/src/snapshots/a__b__shown.snap:1: no test shown in a/src/b.rs",
                "a/src/snapshots/a__c__d.snap:2: the source it names is not there",
                "a/golden/c.snap.new:1: pending: accept or delete it",
            ]
        );
    }
}
