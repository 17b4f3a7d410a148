//! The report on a terminal.

use std::io::Write;

use comfy_table::{CellAlignment, ContentArrangement, presets};

use super::tables::{self, Table};
use super::{HOW_TO_READ, Report};
use crate::Outcome;

/// Writes tables, goals and how to read them; all goals if they are what is asked for.
pub(crate) fn terminal(report: &Report, all_goals: bool, out: &mut impl Write) -> Outcome<()> {
    for table in tables::workloads(&report.results) {
        draw(&table, out)?;
    }
    if !report.verdicts.is_empty() {
        draw(&tables::goals(report, all_goals), out)?;
    }
    for (name, value) in &report.machine.facts {
        writeln!(out, "{name}: {value}")?;
    }
    for notice in &report.notices {
        writeln!(out, "notice: {notice}")?;
    }
    writeln!(out, "{}\n{HOW_TO_READ}", report.effort)?;
    Ok(())
}

fn draw(table: &Table, out: &mut impl Write) -> Outcome<()> {
    let mut drawn = comfy_table::Table::new();
    drawn.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    drawn.set_header(&table.head);
    for row in &table.rows {
        drawn.add_row(row);
    }
    for column in drawn.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(out, "{}\n{drawn}", table.title)?;
    for note in &table.notes {
        writeln!(out, "  first error of {note}")?;
    }
    writeln!(out)?;
    Ok(())
}
