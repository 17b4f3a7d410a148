//! The results as Markdown, to be shown where a page of HTML is not.

use std::fmt::Write as _;

use crate::compare::Verdict;
use crate::results::{Results, StatementRow};

use super::{WIDTH, difference, tally, words};

/// The results as GitHub's Markdown.
pub(super) fn markdown(results: &Results) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_markdown(&mut out, results);
    out
}

fn write_markdown(out: &mut String, results: &Results) -> std::fmt::Result {
    writeln!(out, "# Conformance\n\n{}", words::outcome(results.is_good()))?;
    writeln!(out, "\nSeed {}, {} s.", results.seed, words::seconds(results.time))?;
    list(out, "Wrong apart from cases", &results.faults)?;
    list(out, "Not checked", &tally::not_checked(results))?;

    writeln!(out, "\n## Cases\n")?;
    let ruler = "|---|---|---|---|--:|--:|--:|--:|--:|";
    writeln!(out, "| {} |\n{ruler}", tally::HEADINGS.join(" | "))?;
    for row in tally::rows(results) {
        let around = if row.is_total { "**" } else { "" };
        let cells = row.cells.map(|cell| format!("{around}{}{around}", escape(&cell)));
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    new_differences(out, results)?;

    writeln!(out, "\n## Statements\n\n{}.\n", tally::statements_in_words(results))?;
    writeln!(out, "| statement | says | settled | tests | scenarios | divergence |")?;
    writeln!(out, "|--:|---|---|---|--:|---|")?;
    results.statements.iter().try_for_each(|row| statement(out, row))?;

    writeln!(out, "\n## Divergences\n\n| divergence | seen | reason |\n|---|--:|---|")?;
    for (id, hits) in &results.divergences {
        let statements = tally::statements_of(results, id);
        let reason = statements.first().map_or("", |(_, reason)| reason);
        writeln!(out, "| {} | {hits} | {} |", escape(id), escape(reason))?;
    }
    Ok(())
}

fn list(out: &mut String, title: &str, items: &[String]) -> std::fmt::Result {
    if !items.is_empty() {
        writeln!(out, "\n## {title}\n")?;
    }
    items.iter().try_for_each(|item| writeln!(out, "- {}", escape(item)))
}

fn new_differences(out: &mut String, results: &Results) -> std::fmt::Result {
    let cases = tally::new_differences(results);
    if !cases.is_empty() {
        writeln!(out, "\n## New differences")?;
    }
    for case in cases {
        writeln!(out, "\n### {}\n\n{}", escape(&case.name), escape(&words::about(case)))?;
        if let Some(scenario) = &case.scenario {
            code(out, "json", &words::scenario(scenario))?;
        }
        if let Verdict::New(found) = &case.verdict {
            code(out, "text", &difference(found, WIDTH))?;
        }
    }
    Ok(())
}

fn statement(out: &mut String, row: &StatementRow) -> std::fmt::Result {
    let tests: Vec<_> =
        row.tests.iter().map(|(name, result)| escape(&format!("{name}: {result}"))).collect();
    let divergence = match &row.divergence {
        Some((id, reason)) => escape(&format!("{id}: {reason}")),
        None => String::new(),
    };
    let cells = [
        row.number.to_string(),
        format!("{} ({})", escape(&row.says), escape(&row.marks.join(", "))),
        words::settled(row.settled).to_owned(),
        tests.join("<br>"),
        row.scenarios.len().to_string(),
        divergence,
    ];
    writeln!(out, "| {} |", cells.join(" | "))
}

/// A block of code, fenced by more backticks than the text has in a row.
fn code(out: &mut String, language: &str, text: &str) -> std::fmt::Result {
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    writeln!(out, "\n{fence}{language}\n{}\n{fence}", text.trim_end())
}

/// Makes text mean itself on one line, in a table too; but what stands between backticks is code.
fn escape(text: &str) -> String {
    let has_code = text.matches('`').count().is_multiple_of(2);
    let mut out = String::new();
    let mut in_code = false;
    for char in text.chars() {
        match char {
            '`' if has_code => in_code = !in_code,
            // Even code does not keep a row of a table together.
            '|' => out.push('\\'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '~' if !in_code => {
                out.push('\\');
            }
            _ => {}
        }
        out.push(if char.is_control() { ' ' } else { char });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn everything_is_shown() {
        insta::assert_snapshot!(markdown(&sample::results()));
    }

    #[test]
    fn text_means_itself() {
        assert_eq!(escape("a|b\n<i> __init__ *args"), "a\\|b \\<i\\> \\_\\_init\\_\\_ \\*args");
        assert_eq!(escape("`a_b|c` d_e"), "`a_b\\|c` d\\_e");
        assert_eq!(escape("`a_b"), "\\`a\\_b");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        let mut out = String::new();
        code(&mut out, "text", "a ```` b\n").unwrap();
        assert_eq!(out, "\n`````text\na ```` b\n`````\n");
    }
}
