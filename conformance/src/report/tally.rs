//! Counts cases: by layer, strategy, transport and oracle. How the counts are laid out is up to others.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::compare::Verdict;
use crate::results::{Case, Layer, Results, Settled};
use crate::scenario::{Strategy, Transport};

use super::words;

/// What stands above the columns.
pub(super) const HEADINGS: [&str; 9] = [
    "layer",
    "strategy",
    "transport",
    "oracle",
    words::VERDICTS[0],
    words::VERDICTS[1],
    words::VERDICTS[2],
    words::VERDICTS[3],
    "seconds",
];

/// The first column with a number.
pub(super) const NUMBERS: usize = 4;

/// One row of the table.
#[derive(Debug)]
pub(super) struct Row {
    /// Its texts.
    pub(super) cells: [String; 9],
    /// Whether it sums up a layer, or everything.
    pub(super) is_total: bool,
}

/// How many cases there are of each verdict.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    same: usize,
    listed: usize,
    new: usize,
    unsupported: usize,
    time: Duration,
}

/// What is counted together, in the order of the rows. The oracle stands there twice: first as it sorts.
type Key<'a> = (Option<Strategy>, Option<Transport>, String, &'a str);

impl Counts {
    fn add(&mut self, case: &Case) {
        match case.verdict {
            Verdict::Same => self.same += 1,
            Verdict::Listed(_) => self.listed += 1,
            Verdict::New(_) => self.new += 1,
            Verdict::Unsupported(_) => self.unsupported += 1,
        }
        self.time += case.time;
    }

    fn row(&self, names: [String; NUMBERS], is_total: bool) -> Row {
        let [layer, strategy, transport, oracle] = names;
        let [same, listed, new, unsupported] =
            [self.same, self.listed, self.new, self.unsupported].map(|count| count.to_string());
        let seconds = words::seconds(self.time);
        let cells = [layer, strategy, transport, oracle, same, listed, new, unsupported, seconds];
        Row { cells, is_total }
    }
}

/// The rows of the table: only those that have cases, each layer followed by its sum, at last the sum of all.
pub(super) fn rows(results: &Results) -> Vec<Row> {
    let mut layers: BTreeMap<Layer, (BTreeMap<Key<'_>, Counts>, Counts)> = BTreeMap::new();
    let mut all = Counts::default();
    for case in &results.cases {
        let oracle = case.oracle.as_deref().unwrap_or(words::NONE);
        let key = (case.strategy, case.transport, words::natural(oracle), oracle);
        let (counts, total) = layers.entry(case.layer).or_default();
        counts.entry(key).or_default().add(case);
        total.add(case);
        all.add(case);
    }
    let mut rows = Vec::new();
    for (layer, (counts, total)) in layers {
        let layer = words::layer(layer).to_owned();
        for ((strategy, transport, _, oracle), counts) in counts {
            let strategy = strategy.map_or_else(|| words::NONE.to_owned(), |it| it.to_string());
            let transport = transport.map_or_else(|| words::NONE.to_owned(), |it| it.to_string());
            rows.push(counts.row([layer.clone(), strategy, transport, oracle.to_owned()], false));
        }
        rows.push(total.row(sum_of(layer), true));
    }
    rows.push(all.row(sum_of("all layers".to_owned()), true));
    rows
}

fn sum_of(layer: String) -> [String; NUMBERS] {
    [layer, "all".to_owned(), "all".to_owned(), "all".to_owned()]
}

/// How many statements are settled in this way.
pub(super) fn statements(results: &Results, settled: Settled) -> usize {
    results.statements.iter().filter(|row| row.settled == settled).count()
}

/// The statements in a sentence: how many are settled in which way.
pub(super) fn statements_in_words(results: &Results) -> String {
    let counts = words::SETTLED
        .map(|settled| format!("{} {}", statements(results, settled), words::settled(settled)));
    format!("{} statements: {}", results.statements.len(), counts.join(", "))
}

/// What was not checked, and why; cases that could not be compared are counted by the reason.
pub(super) fn not_checked(results: &Results) -> Vec<String> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &results.cases {
        if let Verdict::Unsupported(why) = &case.verdict {
            *reasons.entry(why).or_default() += 1;
        }
    }
    let cases = reasons.into_iter().map(|(why, count)| {
        let noun = if count == 1 { "case" } else { "cases" };
        format!("{count} {noun} not compared: {why}")
    });
    results.notices.iter().cloned().chain(cases).collect()
}

/// The statements that do not hold because of a divergence, by number, each with the reason.
pub(super) fn statements_of<'a>(results: &'a Results, id: &str) -> Vec<(u32, &'a str)> {
    let divergent = results.statements.iter().filter_map(|row| {
        let (other, reason) = row.divergence.as_ref()?;
        (other == id).then_some((row.number, reason.as_str()))
    });
    divergent.collect()
}

/// The cases with new differences.
pub(super) fn new_differences(results: &Results) -> Vec<&Case> {
    results.cases.iter().filter(|case| matches!(case.verdict, Verdict::New(_))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_sums_are_right() {
        let rows = rows(&sample::results());
        let number = |row: &Row, column: usize| row.cells[column].parse::<usize>().unwrap();
        for column in NUMBERS..8 {
            let cases: usize =
                rows.iter().filter(|row| !row.is_total).map(|row| number(row, column)).sum();
            assert_eq!(number(rows.last().unwrap(), column), cases);
            let layers: usize =
                rows.iter().filter(|row| row.is_total).map(|row| number(row, column)).sum();
            assert_eq!(layers, 2 * cases);
        }
    }

    #[test]
    fn without_cases_there_is_only_the_sum() {
        assert_eq!(rows(&Results::default()).len(), 1);
    }
}
