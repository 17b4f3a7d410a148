//! The form of a file: its first line, its length, its blanks. What the code says is not looked at.

use super::Violation;
use super::files::SourceFile;

const LONGEST: usize = 300;
/// For tests, examples and benchmarks.
const LONGEST_ASIDE: usize = 500;

/// Every Rust file begins with a line that says what belongs there.
pub(super) fn header(files: &[SourceFile]) -> Vec<Violation> {
    let says = |file: &SourceFile| {
        let first = file.text.lines().next().unwrap_or_default();
        first.strip_prefix("//!").is_some_and(|rest| !rest.trim().is_empty())
    };
    let silent = files.iter().filter(|file| file.is_rust() && !says(file));
    let message = "the first line is not a `//!` that says what belongs here";
    silent.map(|file| Violation::new(&file.path, 1, message)).collect()
}

/// One idea per file.
pub(super) fn length(files: &[SourceFile]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let aside = file.is_in(&["tests", "examples", "benches"]);
        let longest = if aside { LONGEST_ASIDE } else { LONGEST };
        let count = file.text.lines().count();
        if count > longest {
            let message = format!("{count} lines, more than {longest}: split it by what it holds");
            violations.push(Violation::new(&file.path, longest + 1, message));
        }
    }
    violations
}

/// No blanks at the end of a line, no tabs in Rust, and a newline at the end.
pub(super) fn whitespace(files: &[SourceFile]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.has_extension(&["rs", "toml", "md"])) {
        for (number, line) in file.lines() {
            if line.ends_with(char::is_whitespace) {
                violations.push(Violation::new(
                    &file.path,
                    number,
                    "blanks at the end of the line",
                ));
            }
            if file.is_rust() && line.contains('\t') {
                violations.push(Violation::new(&file.path, number, "a tab"));
            }
        }
        if !file.text.ends_with('\n') {
            let last = file.text.lines().count().max(1);
            violations.push(Violation::new(&file.path, last, "no newline at the end of the file"));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(check: fn(&[SourceFile]) -> Vec<Violation>, path: &str, text: &str) -> Vec<usize> {
        check(&[SourceFile::new(path, text)]).iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn a_file_says_what_belongs_there() {
        assert_eq!(lines(header, "a/tests/b.rs", "//! What.\nfn b() {}\n"), []);
        for text in ["", "\n//! What.\n", "//!\n", "// What.\n", "/// What.\n", "fn b() {}\n"] {
            assert_eq!(lines(header, "a/tests/b.rs", text), [1], "{text:?}");
        }
        assert_eq!(lines(header, "README.md", "# Title\n"), []);
    }

    #[test]
    fn a_file_is_short() {
        assert_eq!(lines(length, "a/src/b.rs", &"x\n".repeat(300)), []);
        assert_eq!(lines(length, "a/src/b.rs", &"x\n".repeat(301)), [301]);
        assert_eq!(lines(length, "a/src/tests/b.rs", &"x\n".repeat(301)), [301]);
        assert_eq!(lines(length, "a/benches/b.rs", &"x\n".repeat(500)), []);
        assert_eq!(lines(length, "a/examples/b.rs", &"x\n".repeat(501)), [501]);
        assert_eq!(lines(length, "README.md", &"x\n".repeat(900)), []);
    }

    #[test]
    fn blanks_are_where_they_belong() {
        assert_eq!(lines(whitespace, "a.rs", "fn a() {\n    1;\n}\n"), []);
        assert_eq!(lines(whitespace, "a.rs", "fn a() {\n\t1;\n} \n"), [2, 3]);
        assert_eq!(lines(whitespace, "a.toml", "[a] \nb = 1"), [1, 2]);
        assert_eq!(lines(whitespace, "a.md", "- a\n\t- b\r\n"), []);
        assert_eq!(lines(whitespace, "run", "a \n\tb"), []);
    }
}
