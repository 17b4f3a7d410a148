//! How single things are written, the same in every form of the report.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::compare::Verdict;
use crate::results::{Case, Layer, Settled};
use crate::scenario::Scenario;

/// Longer lines are shortened.
const LONGEST: usize = 1000;

/// So much is kept of each end of a line that is shortened.
const KEPT: usize = 200;

/// Stands where a case is about no strategy, transport or oracle.
pub(super) const NONE: &str = "-";

/// All verdicts, in the order in which they are counted.
pub(super) const VERDICTS: [&str; 4] = ["same", "listed", "new", "unsupported"];

/// All ways to settle a statement.
pub(super) const SETTLED: [Settled; 4] =
    [Settled::Tested, Settled::Divergent, Settled::NotApplicable, Settled::Open];

/// A layer's name.
pub(super) const fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Golden => "golden",
        Layer::Live => "live",
        Layer::Differential => "differential",
        Layer::Properties => "properties",
        Layer::Ported => "ported",
        Layer::Statements => "statements",
    }
}

/// One of [`VERDICTS`].
pub(super) const fn verdict(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "same",
        Verdict::Listed(_) => "listed",
        Verdict::New(_) => "new",
        Verdict::Unsupported(_) => "unsupported",
    }
}

/// How a statement is settled.
pub(super) const fn settled(settled: Settled) -> &'static str {
    match settled {
        Settled::Tested => "tested",
        Settled::Divergent => "divergent",
        Settled::NotApplicable => "not applicable",
        Settled::Open => "open",
    }
}

/// Whether nothing is wrong, in a sentence.
pub(super) const fn outcome(good: bool) -> &'static str {
    if good { "Nothing is wrong." } else { "Something is wrong." }
}

/// What a case is about beside its name: its layer, and what it has of strategy, transport and oracle.
pub(super) fn about(case: &Case) -> String {
    let mut words = vec![layer(case.layer).to_owned()];
    words.extend(case.strategy.map(|strategy| strategy.to_string()));
    words.extend(case.transport.map(|transport| transport.to_string()));
    words.extend(case.oracle.clone());
    words.join(", ")
}

/// Whether chance made the case, so that it takes the seed to repeat it.
pub(super) fn is_generated(case: &Case) -> bool {
    let number = case.name.strip_prefix("case ");
    case.layer == Layer::Differential || number.is_some_and(|number| number.parse::<u64>().is_ok())
}

/// Seconds with two digits behind the point.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

/// A text such that sorting puts 3.9 before 3.11.
pub(super) fn natural(text: &str) -> String {
    let mut key = String::new();
    let mut digits = String::new();
    for char in text.chars().chain(std::iter::once('\0')) {
        if char.is_ascii_digit() {
            digits.push(char);
        } else {
            if !digits.is_empty() {
                // Writing to a string cannot fail.
                let _ = write!(key, "{digits:0>20}");
                digits.clear();
            }
            key.push(char);
        }
    }
    key
}

/// The text, without the middle of a line that would fill pages: some scenarios send as much as no buffer holds.
pub(super) fn shorten(text: &str) -> Cow<'_, str> {
    if text.lines().all(|line| line.len() <= LONGEST) {
        return Cow::Borrowed(text);
    }
    let lines = text.split('\n').map(|line| {
        let chars: Vec<char> = line.chars().collect();
        if chars.len() <= LONGEST {
            return line.to_owned();
        }
        let [begin, end] = [&chars[..KEPT], &chars[chars.len() - KEPT..]]
            .map(|part| part.iter().collect::<String>());
        format!("{begin} … {} characters … {end}", chars.len() - 2 * KEPT)
    });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// A scenario as JSON, one line for each of its fields; lines too long to be read are shortened.
pub(super) fn scenario(scenario: &Scenario) -> String {
    // Taken apart by name, so that a new field cannot be forgotten here.
    let Scenario { transport, strategy, handler, options, drive, acts, handle, script } = scenario;
    let lines = [
        line("transport", transport),
        line("strategy", strategy),
        line("handler", handler),
        line("options", options),
        line("drive", drive),
        line("acts", acts),
        line("handle", handle),
        line("script", script),
    ];
    shorten(&format!("{{\n{}\n}}", lines.join(",\n"))).into_owned()
}

fn line(name: &str, value: &impl Serialize) -> String {
    // Strings, numbers and lists: nothing that JSON could not say.
    let value = serde_json::to_string(value).unwrap_or_else(|error| error.to_string());
    format!("  \"{name}\": {value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::catalogue;

    #[test]
    fn numbers_are_sorted_as_numbers() {
        let mut texts = ["b 1", "a 3.11.7", "a 3.9", "a", "a 3.11"];
        texts.sort_by_key(|text| natural(text));
        assert_eq!(texts, ["a", "a 3.9", "a 3.11", "a 3.11.7", "b 1"]);
    }

    #[test]
    fn only_lines_that_would_fill_pages_are_shortened() {
        let long = "ä".repeat(1500);
        let ends = "ä".repeat(KEPT);
        assert_eq!(
            shorten(&format!("a\n{long}\n")),
            format!("a\n{ends} … 1100 characters … {ends}\n")
        );
        let text = format!("{}\n\n", "x".repeat(LONGEST));
        assert_eq!(shorten(&text), text);
    }

    #[test]
    fn a_scenario_reads_back_unless_it_is_shortened() {
        for entry in catalogue() {
            let text = scenario(&entry.scenario);
            assert!(text.lines().all(|line| line.len() <= LONGEST), "{}", entry.name);
            if !text.contains('…') {
                let back = serde_json::from_str::<Scenario>(&text);
                assert_eq!(back.unwrap(), entry.scenario, "{}", entry.name);
            }
        }
    }
}
