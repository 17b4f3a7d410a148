//! The documents at the root: that they are there and agree with the rest. Their prose is not judged.

use super::Violation;
use super::files::{SourceFile, find};
use super::manifests::{ROOT, workspace_version};

const DOCUMENTS: [&str; 6] = [
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
];
const GATE: &str = "cargo xtask ci";
const GATE_SCRIPT: &str = ".ci/run";

/// Every document is there and says something.
pub(super) fn present(files: &[SourceFile]) -> Vec<Violation> {
    let there = |path| find(files, path).is_some_and(|file| !file.text.trim().is_empty());
    let missing = DOCUMENTS.iter().filter(|path| !there(path));
    missing.map(|path| Violation::new(path, 1, "missing or empty")).collect()
}

/// The version to be released has an entry.
pub(super) fn changelog_has_version(files: &[SourceFile]) -> Vec<Violation> {
    let Some(version) = workspace_version(files) else {
        return vec![Violation::new(ROOT, 1, "no version in [workspace.package]")];
    };
    let path = "CHANGELOG.md";
    let text = find(files, path).map_or("", |file| &file.text);
    let part_of_version = |c: char| c.is_alphanumeric() || ".-+".contains(c);
    let mut words = text.split(|c| !part_of_version(c)).map(|word| word.trim_end_matches('.'));
    if words.any(|word| word.trim_start_matches('v') == version) {
        return Vec::new();
    }
    vec![Violation::new(
        path,
        1,
        format!("does not mention {version}, the version of the workspace"),
    )]
}

/// README gives the gate as a line of its own, and the server runs that and nothing else.
pub(super) fn gate_command(files: &[SourceFile]) -> Vec<Violation> {
    let lines =
        |path| find(files, path).into_iter().flat_map(|file| file.text.lines().map(str::trim));
    let mut violations = Vec::new();
    if !lines("README.md").any(|line| line == GATE) {
        violations.push(Violation::new("README.md", 1, format!("has no line `{GATE}`")));
    }
    let commands =
        lines(GATE_SCRIPT).filter(|line| !line.starts_with('#') && line.contains("cargo"));
    let commands: Vec<_> = commands.map(|line| line.trim_start_matches("exec ")).collect();
    if commands != [GATE] {
        violations.push(Violation::new(GATE_SCRIPT, 1, format!("does not run exactly `{GATE}`")));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_empty_document_is_found() {
        let mut files = DOCUMENTS.map(|path| SourceFile::new(path, "Words.\n"));
        assert_eq!(present(&files), []);
        files[3].text = "\n".to_owned();
        files[0].path = "docs/LICENSE-MIT".to_owned();
        let missing: Vec<_> = present(&files).into_iter().map(|violation| violation.file).collect();
        assert_eq!(missing, ["LICENSE-MIT", "ARCHITECTURE.md"]);
    }

    #[test]
    fn the_changelog_has_the_version() {
        let files = |text| {
            let root = "[workspace.package]\nversion = \"0.2.0\"\n";
            [SourceFile::new(ROOT, root), SourceFile::new("CHANGELOG.md", text)]
        };
        for good in ["## [0.2.0] - soon\n", "## v0.2.0\n", "This is 0.2.0.\n"] {
            assert_eq!(changelog_has_version(&files(good)), [], "{good}");
        }
        for bad in ["", "## 10.2.0\n", "## 0.2.01\n", "## 0.2.0-rc.1\n", "## 0.1.0\n"] {
            assert_eq!(changelog_has_version(&files(bad)).len(), 1, "{bad}");
        }
        assert_eq!(changelog_has_version(&[]).len(), 1);
    }

    #[test]
    fn readme_and_script_give_the_same_command() {
        let files = |readme, script| {
            [SourceFile::new("README.md", readme), SourceFile::new(GATE_SCRIPT, script)]
        };
        let (readme, script) =
            ("Run\n\n    cargo xtask ci\n", "#!/bin/sh\n# not cargo\nexec cargo xtask ci\n");
        assert_eq!(gate_command(&files(readme, script)), []);
        assert_eq!(gate_command(&files("Run `cargo xtask ci`.\n", script))[0].file, "README.md");
        for bad in
            ["", "cargo xtask ci || true\n", "# cargo xtask ci\n", "cargo test\ncargo xtask ci\n"]
        {
            assert_eq!(gate_command(&files(readme, bad))[0].file, GATE_SCRIPT, "{bad}");
        }
    }
}
