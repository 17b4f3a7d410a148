//! The results for the terminal, at the end of a run.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, TableComponent, presets};

use crate::compare::Verdict;
use crate::results::{Case, Results, Settled};

use super::{WIDTH, difference, tally, words};

/// This many new differences are shown with their traces; more would push the first ones out of sight.
const MOST: usize = 20;

/// The column of the oracle.
const ORACLE: usize = tally::NUMBERS - 1;

/// The results as plain text: the counts, what was not checked, what is wrong, and each new difference.
pub fn table(results: &Results) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_table(&mut out, results);
    out
}

fn write_table(out: &mut String, results: &Results) -> std::fmt::Result {
    writeln!(out, "{}\n", counts(results))?;
    writeln!(out, "{}", tally::statements_in_words(results))?;
    let open = results.statements.iter().filter(|row| row.settled == Settled::Open);
    let open: Vec<_> = open.map(|row| row.number.to_string()).collect();
    if !open.is_empty() {
        writeln!(out, "open statements: {}", open.join(", "))?;
    }
    let seen = results.divergences.iter().filter(|(_, hits)| *hits > 0);
    let hits: Vec<_> = seen.map(|(id, hits)| format!("{hits} × {id}")).collect();
    list(out, "listed differences, and how often they were seen", &hits)?;
    list(out, "not checked", &tally::not_checked(results))?;
    list(out, "wrong apart from cases", &results.faults)?;
    new_differences(out, results)?;
    let time = words::seconds(results.time);
    writeln!(out, "\n{} It took {time} s.", words::outcome(results.is_good()))
}

/// The counts, without what makes the rows long: the layer tells what was recorded, and all oracles are of CPython.
fn counts(results: &Results) -> String {
    let mut headings = tally::HEADINGS;
    headings[ORACLE] = "CPython";
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(headings);
    table.set_style(TableComponent::HeaderLines, '─');
    table.set_style(TableComponent::MiddleHeaderIntersections, '─');
    for row in tally::rows(results) {
        let oracle = row.cells[ORACLE].trim_start_matches("recorded from ");
        let oracle = oracle.trim_start_matches("CPython ").to_owned();
        let mut cells = row.cells.clone();
        cells[ORACLE] = oracle;
        table.add_row(cells);
        if row.is_total {
            table.add_row([""; tally::HEADINGS.len()]);
        }
    }
    for (number, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if number >= tally::NUMBERS {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt().trim_end().to_owned()
}

fn list(out: &mut String, title: &str, items: &[String]) -> std::fmt::Result {
    if !items.is_empty() {
        writeln!(out, "\n{title}:")?;
    }
    items.iter().try_for_each(|item| writeln!(out, "  {item}"))
}

fn new_differences(out: &mut String, results: &Results) -> std::fmt::Result {
    let cases = tally::new_differences(results);
    if !cases.is_empty() {
        writeln!(out, "\nnew differences: {} (the seed was {})", cases.len(), results.seed)?;
    }
    for (number, case) in (1..).zip(&cases) {
        writeln!(out, "\n{number}. {} ({})", case.name, words::about(case))?;
        if number <= MOST {
            one_difference(out, case, results.seed)?;
        }
    }
    if cases.len() > MOST {
        writeln!(out, "\nThe traces of the last {} are in the report.", cases.len() - MOST)?;
    }
    Ok(())
}

fn one_difference(out: &mut String, case: &Case, seed: u64) -> std::fmt::Result {
    if words::is_generated(case) {
        writeln!(out, "seed: {seed}")?;
    }
    if let Some(scenario) = &case.scenario {
        writeln!(out, "shortest scenario:\n{}", words::scenario(scenario))?;
    }
    match &case.verdict {
        Verdict::New(found) => write!(out, "\n{}", difference(found, WIDTH)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn everything_is_shown() {
        insta::assert_snapshot!(table(&sample::results()));
    }

    #[test]
    fn good_results_are_short() {
        let mut results = sample::results();
        results.cases.truncate(5);
        results.statements.truncate(3);
        results.faults.clear();
        insta::assert_snapshot!(table(&results));
    }

    #[test]
    fn many_new_differences_are_named_but_not_all_shown() {
        let mut results = sample::results();
        let new = results.cases[5].clone();
        results.cases = vec![new; MOST + 5];
        let text = table(&results);
        assert_eq!(text.matches("shortest scenario").count(), MOST);
        assert_eq!(text.matches("case 17").count(), MOST + 5);
        assert!(text.contains("The traces of the last 5 are in the report."));
    }
}
