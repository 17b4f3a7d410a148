//! The report as Markdown, to be kept in the repository.

use std::fmt::Write;

use super::tables::{self, Table};
use super::{HOW_TO_READ, Report};

pub(super) fn page(report: &Report) -> String {
    let mut page = format!("# Results\n\n{HOW_TO_READ}\n\n{}.\n\n", report.effort);
    for (name, value) in &report.machine.facts {
        add(&mut page, format_args!("- {name}: {value}"));
    }
    for notice in &report.notices {
        add(&mut page, format_args!("- {notice}"));
    }
    let mut all = vec![tables::goals(report, true)];
    all.extend(tables::workloads(&report.results));
    all.push(tables::subjects(&report.results));
    for table in &all {
        draw(&mut page, table);
    }
    page
}

fn add(page: &mut String, line: impl std::fmt::Display) {
    // Writing to a string does not fail.
    let _ = writeln!(page, "{line}");
}

fn draw(page: &mut String, table: &Table) {
    let line = |cells: &[String]| {
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |", cells.join(" | "))
    };
    add(page, format_args!("\n## {}\n", table.title));
    add(page, line(&table.head));
    add(page, format_args!("|{}", "---|".repeat(table.head.len())));
    for row in &table.rows {
        add(page, line(row));
    }
    for note in &table.notes {
        add(page, format_args!("\nFirst error of {note}."));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_drawn() {
        let table = Table {
            title: "t".to_owned(),
            head: vec!["a".to_owned(), "b".to_owned()],
            rows: vec![vec!["1|2".to_owned(), "3".to_owned()]],
            notes: vec!["a: b".to_owned()],
        };
        let mut page = String::new();
        draw(&mut page, &table);
        assert_eq!(page, "\n## t\n\n| a | b |\n|---|---|\n| 1\\|2 | 3 |\n\nFirst error of a: b.\n");
    }
}
