//! What the manifests say: the members and their lints, the version. Dependencies are read elsewhere.

use super::Violation;
use super::files::{SourceFile, find};

pub(super) const ROOT: &str = "Cargo.toml";

/// Every member takes its lints from the workspace.
pub(super) fn lints(files: &[SourceFile]) -> Vec<Violation> {
    let members = find(files, ROOT).map(members).unwrap_or_default();
    if members.is_empty() {
        return vec![Violation::new(ROOT, 1, "no members found")];
    }
    let mut violations = Vec::new();
    for member in members {
        let path = format!("{member}/Cargo.toml");
        match find(files, &path) {
            None => violations.push(Violation::new(&path, 1, "missing")),
            Some(file) if value(file, "[lints]", "workspace") == Some("true") => {}
            Some(file) => {
                violations.push(Violation::new(
                    &file.path,
                    1,
                    "no `[lints]` with `workspace = true`",
                ));
            }
        }
    }
    violations
}

/// The version that all members share.
pub(super) fn workspace_version(files: &[SourceFile]) -> Option<&str> {
    let version = value(find(files, ROOT)?, "[workspace.package]", "version")?;
    Some(version.trim_matches('"'))
}

/// The folders in `members = [ … ]`.
fn members(root: &SourceFile) -> Vec<&str> {
    let mut members = Vec::new();
    let mut lines = root.text.lines().map(without_comment);
    while let Some(line) = lines.find(|line| line.starts_with("members =")) {
        let mut line = Some(line);
        while let Some(part) = line {
            members.extend(part.split('"').skip(1).step_by(2));
            line = if part.ends_with(']') { None } else { lines.next() };
        }
    }
    members
}

/// What stands behind `key =` in a section.
fn value<'a>(file: &'a SourceFile, section: &str, key: &str) -> Option<&'a str> {
    let lines = file.text.lines().map(without_comment);
    let inside = lines.skip_while(|line| *line != section).skip(1);
    let mut pairs =
        inside.take_while(|line| !line.starts_with('[')).filter_map(|l| l.split_once('='));
    pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
}

fn without_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &str = "[workspace]\nmembers = [\n    \"a\", # [one]\n    \"b\",\n]\n\n\
        [workspace.package]\nedition = \"2024\"\nversion = \"1.2.3\" # \"9\"\n";

    fn tree(b: &str) -> Vec<SourceFile> {
        vec![
            SourceFile::new(ROOT, WORKSPACE),
            SourceFile::new("a/Cargo.toml", "[lints]\n# all\nworkspace = true\n"),
            SourceFile::new("b/Cargo.toml", b),
        ]
    }

    #[test]
    fn members_with_the_workspace_lints_pass() {
        assert_eq!(lints(&tree("[package]\nname = \"b\"\n\n[lints]\nworkspace = true\n")), []);
    }

    #[test]
    fn a_member_without_them_is_found() {
        for b in [
            "[package]\nname = \"b\"\n",
            "[lints]\nworkspace = false\n",
            "# [lints]\n# workspace = true\n",
            "[lints]\n\n[other]\nworkspace = true\n",
        ] {
            let violations = lints(&tree(b));
            assert_eq!(violations.len(), 1, "{b}");
            assert_eq!(violations[0].file, "b/Cargo.toml");
        }
        assert_eq!(lints(&tree("")[..2])[0].message, "missing");
        assert_eq!(lints(&[])[0].file, ROOT);
    }

    #[test]
    fn reads_the_version_and_members_on_one_line() {
        assert_eq!(workspace_version(&tree("")), Some("1.2.3"));
        assert_eq!(workspace_version(&[]), None);
        assert_eq!(
            members(&SourceFile::new(ROOT, "members = [\"a\", \"b/c\"]\nx = [\"d\"]\n")),
            ["a", "b/c"]
        );
    }
}
