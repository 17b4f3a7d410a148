//! Two texts next to one another, and where they differ. What the texts are about does not matter here.

use std::fmt::Write as _;
use std::ops::Range;

use similar::{Algorithm, ChangeTag, DiffOp, TextDiff, capture_diff_slices};

use super::words;

/// How two lines that stand next to one another relate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Relation {
    /// They are equal.
    Same,
    /// They differ.
    Changed,
    /// There is none on the right.
    OnlyLeft,
    /// There is none on the left.
    OnlyRight,
}

/// A part of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Piece<'a> {
    /// What it says.
    pub(super) text: &'a str,
    /// Whether the other line does not have it.
    pub(super) differs: bool,
}

/// Two lines next to one another.
#[derive(Clone, Debug)]
pub(super) struct Pair<'a> {
    /// How they relate.
    pub(super) relation: Relation,
    /// The left one in pieces; an empty one if there is no line.
    pub(super) left: Vec<Piece<'a>>,
    /// The right one.
    pub(super) right: Vec<Piece<'a>>,
}

impl Relation {
    /// What stands between the lines.
    pub(super) const fn marker(self) -> &'static str {
        match self {
            Self::Same => " ",
            Self::Changed => "≠",
            Self::OnlyLeft => "<",
            Self::OnlyRight => ">",
        }
    }
}

/// Finds which lines of two texts belong together.
pub(super) fn align<'a>(left: &'a str, right: &'a str) -> Vec<Pair<'a>> {
    let left: Vec<&str> = left.lines().collect();
    let right: Vec<&str> = right.lines().collect();
    let mut pairs = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &left, &right) {
        let same = matches!(op, DiffOp::Equal { .. });
        let mut rights = right[op.new_range()].iter().copied();
        for left in &left[op.old_range()] {
            let Some(skipped) = rights.clone().position(|right| same || is_alike(left, right))
            else {
                pairs.push(pair(Relation::OnlyLeft, left, ""));
                continue;
            };
            let before = rights.by_ref().take(skipped);
            pairs.extend(before.map(|right| pair(Relation::OnlyRight, "", right)));
            pairs.extend(rights.next().map(|right| {
                if same { pair(Relation::Same, left, right) } else { compare_words(left, right) }
            }));
        }
        pairs.extend(rights.map(|right| pair(Relation::OnlyRight, "", right)));
    }
    pairs
}

/// Whether two lines could be the same line before and after a change: both have the same key of JSON, or none.
fn is_alike(left: &str, right: &str) -> bool {
    let key = |line: &'_ str| line.split_once("\": ").map(|(key, _)| key.to_owned());
    key(left) == key(right)
}

fn pair<'a>(relation: Relation, left: &'a str, right: &'a str) -> Pair<'a> {
    let whole = |text| vec![Piece { text, differs: relation != Relation::Same }];
    Pair { relation, left: whole(left), right: whole(right) }
}

fn compare_words<'a>(left: &'a str, right: &'a str) -> Pair<'a> {
    let (mut lefts, mut rights) = (Vec::new(), Vec::new());
    for change in TextDiff::from_words(left, right).iter_all_changes() {
        let (length, differs) = (change.value().len(), change.tag() != ChangeTag::Equal);
        if change.tag() != ChangeTag::Insert {
            extend(&mut lefts, length, differs);
        }
        if change.tag() != ChangeTag::Delete {
            extend(&mut rights, length, differs);
        }
    }
    let cut = |text: &'a str, spans: Vec<(Range<usize>, bool)>| {
        spans.into_iter().map(|(span, differs)| Piece { text: &text[span], differs }).collect()
    };
    Pair { relation: Relation::Changed, left: cut(left, lefts), right: cut(right, rights) }
}

/// Adds a span behind the others, or makes the last one longer.
fn extend(spans: &mut Vec<(Range<usize>, bool)>, length: usize, differs: bool) {
    let start = spans.last().map_or(0, |(span, _)| span.end);
    match spans.last_mut() {
        Some((span, last)) if *last == differs => span.end += length,
        _ => spans.push((start..start + length, differs)),
    }
}

/// Shows two texts next to one another, with a title over each, in lines of at most `width` characters.
///
/// Where lines differ stands `≠`, with `^` below the words that the other line does not have; `<` and `>` point to
/// a line that is there on one side only. Lines that are too long are wrapped,
/// and what would fill pages is shortened in its middle.
pub fn side_by_side(titles: [&str; 2], texts: [&str; 2], width: usize) -> String {
    // In less than that, nobody could read anything.
    let column = (width.saturating_sub(3) / 2).max(16);
    let mut out = String::new();
    push(&mut out, &pair(Relation::Same, titles[0], titles[1]), column);
    let rule = "─".repeat(column);
    push(&mut out, &pair(Relation::Same, &rule, &rule), column);
    for pair in align(texts[0], texts[1]) {
        push(&mut out, &pair, column);
    }
    out
}

fn push(out: &mut String, pair: &Pair<'_>, column: usize) {
    let (left, right) = (wrap(&pair.left, column), wrap(&pair.right, column));
    for row in 0..left.len().max(right.len()) {
        let [left, right] =
            [&left, &right].map(|rows| rows.get(row).map_or(&[][..], Vec::as_slice));
        let differs = match pair.relation {
            Relation::Changed => left.iter().chain(right).any(|char| char.differs),
            relation => relation != Relation::Same,
        };
        let marker = if differs { pair.relation.marker() } else { "" };
        push_row(out, left, marker, right, column, |char| char.char);
        if differs && pair.relation == Relation::Changed {
            let mark = |char: &Char| if char.differs && char.char != ' ' { '^' } else { ' ' };
            push_row(out, left, "", right, column, mark);
        }
    }
}

fn push_row(
    out: &mut String,
    left: &[Char],
    marker: &str,
    right: &[Char],
    column: usize,
    show: impl Fn(&Char) -> char,
) {
    let [left, right] = [left, right].map(|chars| chars.iter().map(&show).collect::<String>());
    let start = out.len();
    // Writing to a string cannot fail.
    let _ = write!(out, "{left:column$} {marker:1} {right}");
    out.truncate(start + out[start..].trim_end().len());
    out.push('\n');
}

/// A character of a line.
#[derive(Clone, Copy, Debug)]
struct Char {
    char: char,
    differs: bool,
}

/// Breaks a line at blanks, where it has some, into rows of at most `column` characters.
fn wrap(pieces: &[Piece<'_>], column: usize) -> Vec<Vec<Char>> {
    let mut rest: Vec<Char> = Vec::new();
    for piece in pieces {
        // A control character would not stay inside its column.
        let text = words::shorten(piece.text);
        let chars = text.chars().flat_map(|char| {
            let control = char.is_control().then(|| char.escape_default());
            let plain = (!char.is_control()).then_some(char);
            control.into_iter().flatten().chain(plain)
        });
        rest.extend(chars.map(|char| Char { char, differs: piece.differs }));
    }
    let is_blank = |char: &Char| char.char == ' ';
    let indent = rest.iter().take_while(|char| is_blank(char)).count();
    let indent = vec![Char { char: ' ', differs: false }; (indent + 2).min(column / 2)];
    let mut rows = Vec::new();
    while rest.len() > column {
        let start = rest.iter().take_while(|char| is_blank(char)).count();
        let blank = (start..=column).rev().find(|&at| is_blank(&rest[at]) && at > start);
        let next = rest.split_off(blank.unwrap_or(column));
        rows.push(rest);
        let next = next.into_iter().skip(usize::from(blank.is_some()));
        rest = indent.iter().copied().chain(next).collect();
    }
    rows.push(rest);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLES: [&str; 2] = ["CPython", "here"];

    #[test]
    fn equal_added_removed_and_changed_lines() {
        let left = "{\n  \"outcomes\": [],\n  \"gone\": 1,\n  \"main\": \"get_request verify_request service_actions\"\n}";
        let right = "{\n  \"outcomes\": [],\n  \"main\": \"get_request handle_error service_actions\",\n  \"added\": 2\n}";
        insta::assert_snapshot!(side_by_side(TITLES, [left, right], 100));
    }

    #[test]
    fn long_lines_are_wrapped_at_blanks() {
        let calls =
            "get_request verify_request process_request finish_request init setup handle finish";
        let left = format!("  \"main\": \"{calls} shutdown_request close_request\"");
        let right = format!("  \"main\": \"{calls} close_request service_actions\"");
        insta::assert_snapshot!(side_by_side(TITLES, [&left, &right], 70));
    }

    #[test]
    fn nothing_is_wider_than_asked_for_and_nothing_is_lost() {
        let left = format!("{}\n  a\tb {} c\u{1b}\n\n", "x".repeat(75), "ä".repeat(50));
        let right = "   y z\n".repeat(7);
        for width in [35, 36, 60, 80, 200] {
            let shown = side_by_side(TITLES, [&left, &right], width);
            assert!(shown.lines().all(|line| line.chars().count() <= width), "{shown}");
            let count = |wanted: char| shown.chars().filter(|&char| char == wanted).count();
            assert_eq!((count('x'), count('ä'), count('z')), (75, 50, 7));
            assert!(!shown.contains(['\t', '\u{1b}']) && shown.contains("\\t"));
            assert!(shown.lines().all(|line| line.trim_end() == line));
        }
    }

    #[test]
    fn equal_texts_bear_no_mark() {
        let shown = side_by_side(TITLES, ["a\nb", "a\nb\n"], 40);
        assert!(!shown.contains(['≠', '<', '>', '^']), "{shown}");
    }

    #[test]
    fn an_empty_text_has_no_lines() {
        let shown = side_by_side(TITLES, ["", "a\n\nb"], 40);
        assert_eq!(shown.lines().count(), 2 + 3);
        assert_eq!(shown.matches('>').count(), 3);
    }
}
