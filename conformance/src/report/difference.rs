//! How a difference is put before people's eyes: which two texts stand side by side, and what has to be said besides.

use std::fmt::Write as _;

use crate::compare::Difference;

use super::side_by_side::side_by_side;
use super::words;

/// What stands over a text, and the text.
pub(super) type Side<'a> = (&'a str, &'a str);

/// A difference, ready to be shown.
#[derive(Debug)]
pub(super) enum View<'a> {
    /// There is but one text: nothing was traced.
    Text(&'a str),
    /// Two texts.
    Sides {
        /// What should be.
        left: Side<'a>,
        /// What is.
        right: Side<'a>,
        /// What else there is to know.
        besides: Option<Side<'a>>,
    },
}

impl<'a> View<'a> {
    /// Finds the two texts that differ where the fault is.
    pub(super) fn of(difference: &'a Difference) -> Self {
        let Difference { cpython, here, expected } = difference;
        if cpython.is_empty() && expected.is_empty() {
            return Self::Text(here);
        }
        let right = ("here", here.as_str());
        let plain = ("CPython", cpython.as_str());
        if cpython == expected {
            Self::Sides { left: plain, right, besides: None }
        } else if expected.starts_with('{') {
            // Side by side with CPython's own trace, the listed differences would be marked as well.
            let left = ("CPython, with the listed differences", expected.as_str());
            Self::Sides { left, right, besides: Some(("CPython", cpython)) }
        } else {
            Self::Sides { left: plain, right, besides: Some(("expected", expected)) }
        }
    }
}

/// A difference in plain text, `width` characters wide: what should be on the left, what is on the right.
pub fn difference(difference: &Difference, width: usize) -> String {
    match View::of(difference) {
        View::Text(text) => format!("{}\n", words::shorten(text.trim_end())),
        View::Sides { left, right, besides } => {
            let mut text = side_by_side([left.0, right.0], [left.1, right.1], width);
            // A whole trace more would hide what matters; the page has it.
            if let Some((title, besides)) = besides.filter(|(_, text)| !text.contains('\n')) {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{title}: {besides}");
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(cpython: &str, here: &str, expected: &str) -> String {
        let [cpython, here, expected] = [cpython, here, expected].map(str::to_owned);
        difference(&Difference { cpython, here, expected }, 60)
    }

    #[test]
    fn a_text_alone_stands_alone() {
        assert_eq!(shown("", "panicked\nat 3", ""), "panicked\nat 3\n");
    }

    #[test]
    fn what_should_have_been_is_on_the_left() {
        let text = shown("{\n1\n}", "{\n3\n}", "{\n2\n}");
        assert!(text.starts_with("CPython, with the listed"), "{text}");
        assert!(text.contains('2') && !text.contains('1'), "{text}");
    }

    #[test]
    fn a_remark_follows() {
        let text = shown("hangs after\n{}", "{}", "a scenario that ends");
        assert!(text.starts_with("CPython  "), "{text}");
        assert!(text.ends_with("\nexpected: a scenario that ends\n"), "{text}");
    }
}
