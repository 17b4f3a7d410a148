//! What test programs print: which tests there are, and what became of each.

/// What a test program said of one of its tests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Said {
    Ok,
    Failed,
    Ignored,
}

/// The tests that `--list` tells of.
pub(super) fn listed(output: &str) -> Vec<&str> {
    output.lines().filter_map(|line| line.strip_suffix(": test")).collect()
}

/// Whether the program that listed its tests so is one of the standard harness, which takes many names at
/// once; others take one.
pub(super) fn takes_many_names(list: &str) -> bool {
    list.lines().any(|line| line.contains(" tests, ") || line.contains(" test, "))
}

/// What was said of each test, in the order it was printed.
pub(super) fn results(output: &str) -> impl Iterator<Item = (&str, Said)> {
    output.lines().filter_map(result)
}

fn result(line: &str) -> Option<(&str, Said)> {
    let (name, said) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let said = match said.split([' ', ',']).next()? {
        "ok" => Said::Ok,
        "FAILED" => Said::Failed,
        "ignored" => Said::Ignored,
        _ => return None,
    };
    let name = name.trim_end();
    Some((name.strip_suffix(" - should panic").unwrap_or(name), said))
}

/// Whether the name of an example in the documentation, as rustdoc prints it, belongs to this file or
/// module: `src/a.rs - a::B (line 7) - compile fail` belongs to `src/a.rs` and to `a::B`.
pub(super) fn is_example_of(printed: &str, file_or_item: &str) -> bool {
    let Some((file, rest)) = printed.split_once(" - ") else { return false };
    let item = rest.split_once("(line ").map_or(rest, |(item, _)| item).trim_end();
    file == file_or_item || (!item.is_empty() && item == file_or_item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_both_harnesses_are_read() {
        let standard = "a::b: test\nc: test\nd: benchmark\n\n2 tests, 1 benchmarks\n";
        assert_eq!(listed(standard), ["a::b", "c"]);
        assert!(takes_many_names(standard));
        let other = "a: test\nb: test\n";
        assert_eq!(listed(other), ["a", "b"]);
        assert!(!takes_many_names(other));
    }

    #[test]
    fn results_of_both_harnesses_are_read() {
        let output = "\nrunning 5 tests\n\
            test a::b ... ok\n\
            a test may print this\n\
            test c ... FAILED\n\
            test d ... ignored, for a reason\n\
            test e - should panic ... ok\n\
            test padded   ... ok\n\
            test f has been running for over 60 seconds\n\
            test result: FAILED. 3 passed; 1 failed\n";
        let expected = [
            ("a::b", Said::Ok),
            ("c", Said::Failed),
            ("d", Said::Ignored),
            ("e", Said::Ok),
            ("padded", Said::Ok),
        ];
        assert_eq!(results(output).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn examples_belong_to_their_file_and_their_item() {
        let output = "test src/a.rs - a::B (line 7) - compile fail ... ok\n\
            test src/lib.rs - (line 3) ... ok\n\
            test src/c.rs - c (line 9) - compile ... FAILED\n";
        let said: Vec<_> = results(output).collect();
        assert_eq!(said.len(), 3);
        assert!(is_example_of(said[0].0, "src/a.rs") && is_example_of(said[0].0, "a::B"));
        assert!(!is_example_of(said[0].0, "a") && !is_example_of(said[0].0, "B"));
        assert!(is_example_of(said[1].0, "src/lib.rs") && !is_example_of(said[1].0, ""));
        assert_eq!(said[2].1, Said::Failed);
        assert!(!is_example_of("a", "a"));
    }
}
