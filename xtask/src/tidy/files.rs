//! Which files there are, and their text. What is wrong with them is decided elsewhere.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// One file of the tree.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// From the root, with `/` between the names on every platform.
    pub(super) path: String,
    pub(super) text: String,
}

impl SourceFile {
    #[cfg(test)]
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(super) fn has_extension(&self, extensions: &[&str]) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    pub(super) fn is_rust(&self) -> bool {
        self.has_extension(&["rs"])
    }

    /// Whether it lies in one of these folders of a package, such as `tests`; not somewhere in `src`.
    pub(super) fn is_in(&self, folders: &[&str]) -> bool {
        self.path.split('/').take_while(|name| *name != "src").any(|name| folders.contains(&name))
    }

    /// The lines with their numbers, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

/// The file with this path.
pub(super) fn find<'a>(files: &'a [SourceFile], path: &str) -> Option<&'a SourceFile> {
    files.iter().find(|file| file.path == path)
}

/// Every file that belongs to the tree: what git knows or would add, or else all but `target`.
pub(super) fn read_tree(root: &Path) -> io::Result<Vec<SourceFile>> {
    let mut paths = match list_with_git(root) {
        Some(paths) => paths,
        None => list_by_walking(root, "")?,
    };
    paths.sort();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths {
        let on_disk = root.join(&path);
        // git also lists what is deleted but not committed yet.
        if on_disk.is_file() {
            let text = String::from_utf8_lossy(&fs::read(on_disk)?).into_owned();
            files.push(SourceFile { path, text });
        }
    }
    Ok(files)
}

/// Nothing without git, outside a checkout, or in a checkout that ignores this tree.
fn list_with_git(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        // Set while a hook runs, and then not meant for this folder.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let list = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<_> =
        list.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    (output.status.success() && paths.iter().any(|path| path == "Cargo.toml")).then_some(paths)
}

fn list_by_walking(root: &Path, folder: &str) -> io::Result<Vec<String>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        // In a second work tree of a repository `.git` is a file.
        if name == "target" || name == ".git" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            paths.extend(list_by_walking(root, &path)?);
        } else {
            paths.push(path);
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_find_this_file() {
        let root = crate::project_root();
        let this = "xtask/src/tidy/files.rs";
        assert!(find(&read_tree(&root).unwrap(), this).is_some());
        let walked = list_by_walking(&root, "").unwrap();
        assert!(walked.iter().any(|path| path == this));
        assert!(
            !walked
                .iter()
                .any(|path| path.split('/').any(|name| name == "target" || name == ".git"))
        );
    }

    #[test]
    fn a_folder_that_is_no_project_is_not_listed_with_git() {
        assert!(list_with_git(&crate::project_root().join("xtask/src")).is_none());
    }

    #[test]
    fn kinds_and_places() {
        let file = |path| SourceFile::new(path, "");
        assert!(file("a/b.rs").is_rust());
        assert!(!file("a/rs").is_rust());
        assert!(!file("a.rs/b").is_rust());
        assert!(file("a/tests/common/mod.rs").is_in(&["tests"]));
        assert!(!file("a/src/tests/mod.rs").is_in(&["tests"]));
    }
}
