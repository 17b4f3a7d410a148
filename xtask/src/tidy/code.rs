//! What must not stand in Rust code. The words are looked for in comments and strings as well, so
//! here they are put together from halves.

use super::Violation;
use super::files::SourceFile;

/// The files that may hold unsafe code; each keeps a comment at every block.
const UNSAFE_ALLOWED: &[&str] = &["concurrency/src/fork/sys.rs", "bench/src/peers/forking.rs"];

const UNSAFE: [&str; 6] = [
    concat!("unsa", "fe {"),
    concat!("unsa", "fe fn"),
    concat!("unsa", "fe impl"),
    concat!("unsa", "fe trait"),
    concat!("unsa", "fe extern"),
    concat!("unsa", "fe("),
];

const LEFTOVERS: [(&str, &str); 6] = [
    (concat!("to", "do!("), "finish it"),
    (concat!("unimple", "mented!("), "finish it"),
    (concat!("db", "g!("), "remove it"),
    (concat!("#[ig", "nore"), "a test runs or is removed"),
    (concat!("#[al", "low("), "use `expect` with a reason"),
    (concat!("#![al", "low("), "use `expect` with a reason"),
];

const SLEEP: &str = concat!("thread::", "sleep");

/// Unsafe code stays in the files that are listed for it.
pub(super) fn unsafe_code(files: &[SourceFile]) -> Vec<Violation> {
    unsafe_code_outside(files, UNSAFE_ALLOWED)
}

fn unsafe_code_outside(files: &[SourceFile], allowed: &[&str]) -> Vec<Violation> {
    let found = UNSAFE.map(|needle| (needle, "not in a file that may hold unsafe code"));
    search(files, |file| !allowed.contains(&file.path.as_str()), &found)
}

/// Nothing unfinished, nothing switched off.
pub(super) fn leftovers(files: &[SourceFile]) -> Vec<Violation> {
    search(files, |_| true, &LEFTOVERS)
}

/// Tests wait for what they expect, not for time to pass.
pub(super) fn sleeping_tests(files: &[SourceFile]) -> Vec<Violation> {
    let advice = "wait for the state itself: a channel, a barrier, a script";
    search(files, |file| file.is_in(&["tests"]), &[(SLEEP, advice)])
}

/// The lines with one of the needles, in the Rust files that are judged.
fn search(
    files: &[SourceFile],
    judged: impl Fn(&SourceFile) -> bool,
    needles: &[(&str, &str)],
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && judged(file)) {
        for (number, line) in file.lines() {
            for (needle, advice) in needles.iter().filter(|(needle, _)| line.contains(needle)) {
                violations.push(Violation::new(
                    &file.path,
                    number,
                    format!("`{needle}`: {advice}"),
                ));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "//! Good.\n#![deny(unsafe_code)]\n#[expect(x, reason = \"y\")]\nfn allow() {}\n";

    fn with(path: &str, needle: &str) -> [SourceFile; 1] {
        [SourceFile::new(path, &format!("{GOOD}    {needle}\n"))]
    }

    #[test]
    fn unsafe_code_is_found_unless_listed() {
        for needle in UNSAFE {
            let files = with("a/src/b.rs", needle);
            assert_eq!(unsafe_code(&files)[0].line, 5, "{needle}");
            assert_eq!(unsafe_code_outside(&files, &["a/src/b.rs"]), []);
        }
        assert_eq!(unsafe_code(&with("a/src/b.rs", "safe {}")), []);
        assert_eq!(unsafe_code(&with("a.md", UNSAFE[0])), []);
    }

    #[test]
    fn leftovers_are_found() {
        for (needle, _) in LEFTOVERS {
            assert_eq!(leftovers(&with("a/src/b.rs", needle))[0].line, 5, "{needle}");
        }
        assert_eq!(leftovers(&with("a/src/b.rs", "// to do: nothing")), []);
    }

    #[test]
    fn a_sleeping_test_is_found() {
        assert_eq!(sleeping_tests(&with("a/tests/b.rs", SLEEP))[0].line, 5);
        assert_eq!(sleeping_tests(&with("a/src/b.rs", SLEEP)), []);
        assert_eq!(sleeping_tests(&with("a/tests/b.rs", "barrier.wait();")), []);
    }
}
