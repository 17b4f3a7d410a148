//! The report as a page of its own, with plots.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::tables::{self, Table};
use super::{HOW_TO_READ, Report, plot};
use crate::Outcome;

const STYLE: &str = "body { font-family: sans-serif; margin: 2em; max-width: 75em; }
table { border-collapse: collapse; } td, th { padding: 0.15em 0.8em; border-bottom: 1px solid #ddd; }
td { text-align: right; } td:first-child, th { text-align: left; } .missed { color: #b00; }";

pub(super) fn page(report: &Report) -> Outcome<String> {
    let plots = plot::all(&report.results)?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "What a request costs" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "What a request costs" }
                p { b { (HOW_TO_READ) } }
                p { (report.effort) "." }
                ul {
                    @for (name, value) in &report.machine.facts { li { (name) ": " (value) } }
                    @for notice in &report.notices { li { (notice) } }
                }
                @for plot in plots { (PreEscaped(plot)) }
                (draw(&tables::goals(report, true)))
                @for table in tables::workloads(&report.results) { (draw(&table)) }
                (draw(&tables::subjects(&report.results)))
            }
        }
    };
    Ok(page.into_string())
}

fn draw(table: &Table) -> Markup {
    let missed = |row: &[String]| row.last().is_some_and(|cell| cell.starts_with("MISSED"));
    html! {
        h2 { (table.title) }
        table {
            tr { @for cell in &table.head { th { (cell) } } }
            @for row in &table.rows {
                tr class=[missed(row).then_some("missed")] { @for cell in row { td { (cell) } } }
            }
        }
        @for note in &table.notes { p.missed { "First error of " (note) } }
    }
}
