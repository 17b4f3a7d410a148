//! The tables of the report as text; how they are drawn is decided elsewhere.

use super::Report;
use crate::results::{Cell, Measure, Place, Results};
use crate::stats::Spread;
use crate::subject;
use crate::workload::Workload;

/// A table with a heading.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) title: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// What is to be said below it.
    pub(super) notes: Vec<String>,
}

/// A table for each workload, and what went wrong.
pub(super) fn workloads(results: &Results) -> Vec<Table> {
    results.workloads().into_iter().map(|workload| of(results, workload)).collect()
}

/// Which subjects the others are held against, if they are there.
fn references(workload: Workload) -> &'static [&'static str] {
    match workload {
        Workload::Udp { .. } => &["recvfrom", "recvmmsg"],
        Workload::Stop { .. } => &[],
        _ => &["epoll", "tokio", "std-sync"],
    }
}

fn of(results: &Results, workload: Workload) -> Table {
    let main = match workload {
        Workload::IdleMemory { .. } => Measure::BytesEach,
        Workload::Stop { .. } => Measure::StopMicros,
        _ => Measure::CpuMicros,
    };
    let there = |name: &&&str| results.cell(Place { workload, subject: name }).is_some();
    let references: Vec<&str> = references(workload).iter().filter(there).copied().collect();
    let mut head = vec!["subject".to_owned(), heading(main).to_owned(), "quartiles".to_owned()];
    head.extend(references.iter().map(|name| format!("× {name}")));
    let more: &[Measure] = match main {
        Measure::CpuMicros => &[Measure::PerSecond, Measure::MedianMicros, Measure::P99Micros],
        _ => &[],
    };
    head.extend(more.iter().map(|measure| heading(*measure).to_owned()));
    head.push("errors".to_owned());
    let cells = results.cells.iter().filter(|cell| cell.workload == workload);
    let rows = cells.map(|cell| {
        let own = cell.spread(main);
        let mut row = vec![name(cell), median(own), quartiles(own)];
        let place = |subject| Place { workload, subject };
        row.extend(
            references
                .iter()
                .map(|name| ratio(results.ratio(main, place(&cell.subject), place(name)))),
        );
        row.extend(more.iter().map(|measure| median(cell.spread(*measure))));
        row.push(cell.errors().to_string());
        row
    });
    let rows = rows.collect();
    let cells = results.cells.iter().filter(|cell| cell.workload == workload);
    let notes = cells.filter_map(|cell| Some(format!("{}: {}", cell.subject, cell.first_error()?)));
    let notes = notes.collect();
    Table { title: format!("{workload}: {}", workload.title()), head, rows, notes }
}

fn name(cell: &Cell) -> String {
    match cell.workers {
        Some(workers) => format!("{} ({workers})", cell.subject),
        None => cell.subject.clone(),
    }
}

fn heading(measure: Measure) -> &'static str {
    match measure {
        Measure::CpuMicros => "server CPU, µs/request",
        Measure::PerSecond => "requests/s",
        Measure::MedianMicros => "median, µs",
        Measure::P99Micros => "99 %, µs",
        Measure::BytesEach => "bytes/connection",
        Measure::StopMicros => "µs",
    }
}

fn number(number: f64) -> String {
    match number.abs() {
        100.0.. => format!("{number:.0}"),
        10.0.. => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

fn median(spread: Option<Spread>) -> String {
    spread.map_or_else(|| "–".to_owned(), |spread| number(spread.median))
}

fn quartiles(spread: Option<Spread>) -> String {
    spread.map_or_else(String::new, |spread| {
        format!("{}–{}", number(spread.lower), number(spread.upper))
    })
}

fn ratio(spread: Option<Spread>) -> String {
    spread.map_or_else(|| "–".to_owned(), |spread| format!("{:.2}", spread.median))
}

/// The goals; those that are met are counted, not listed, unless all are asked for.
pub(super) fn goals(report: &Report, all: bool) -> Table {
    let judged = report.verdicts.len();
    let missed = report.verdicts.iter().filter(|verdict| verdict.is_missed()).count();
    let shown = report.verdicts.iter().filter(|verdict| all || verdict.is_missed());
    let rows = shown.map(|verdict| {
        let [wanted, value, words] = verdict.words();
        vec![verdict.what.clone(), wanted, value, words]
    });
    Table {
        title: format!("goals: {} of {judged} met", judged - missed),
        head: ["goal", "wanted", "measured", ""].map(str::to_owned).into(),
        rows: rows.collect(),
        notes: Vec::new(),
    }
}

/// What the subjects in the tables are.
pub(super) fn subjects(results: &Results) -> Table {
    let played = |name: &str| results.cells.iter().any(|cell| cell.subject == name);
    let subjects = subject::ALL.iter().filter(|subject| played(subject.name));
    Table {
        title: "subjects (in parentheses: workers)".to_owned(),
        head: ["subject", "what it is"].map(str::to_owned).into(),
        rows: subjects
            .map(|subject| vec![subject.name.to_owned(), subject.about.to_owned()])
            .collect(),
        notes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::made_up::add;

    #[test]
    fn a_row_has_ratios_to_those_who_are_there() {
        let mut results = Results::default();
        add(&mut results, "connect", "pool", Measure::CpuMicros, &[30.0, 20.0, 10.0]);
        add(&mut results, "connect", "epoll", Measure::CpuMicros, &[10.0, 10.0, 10.0]);
        results.cells[0].rounds[0].errors = 2;
        results.cells[0].rounds[0].first_error = Some("gone".to_owned());
        let tables = workloads(&results);
        assert_eq!(tables.len(), 1);
        assert_eq!(tables[0].head[3], "× epoll");
        assert_eq!(tables[0].rows[0], ["pool", "20.0", "15.0–25.0", "2.00", "–", "–", "–", "2"]);
        assert_eq!(tables[0].rows[1][7], "0");
        assert_eq!(tables[0].notes, ["pool: gone"]);
    }
}
