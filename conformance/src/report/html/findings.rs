//! The cases, each with its scenario and its traces; folded up, but for what is wrong.

use maud::{Markup, html};

use crate::compare::Verdict;
use crate::report::cases::{Group, Groups};
use crate::report::difference::{Side, View};
use crate::report::side_by_side::{Pair, Piece, Relation, align};
use crate::report::words;
use crate::results::Case;

use super::{badge, divergence_anchor};

/// Links to what is wrong.
pub(super) fn new_differences(groups: &Groups<'_>) -> Markup {
    html! {
        @if groups.shown.iter().any(Group::is_new) {
            section aria-labelledby="new" {
                h2 id="new" { "New differences" }
                ul {
                    @for group in groups.shown.iter().filter(|group| group.is_new()) {
                        li { a href={ "#" (group.anchor) } { (group.name) } }
                    }
                }
            }
        }
    }
}

/// The section of the cases.
pub(super) fn section(groups: &Groups<'_>) -> Markup {
    html! {
        section aria-labelledby="cases" {
            h2 id="cases" { "Cases" }
            @if !groups.counted.is_empty() {
                p { "These generated cases would show nothing more and are not listed here:" }
                ul { @for (outcome, count) in &groups.counted { li { (count) " that were " (outcome) } } }
            }
            ul.cases { @for group in &groups.shown { (item(group)) } }
        }
    }
}

fn item(group: &Group<'_>) -> Markup {
    let mut layers: Vec<_> = group.cases().map(|case| words::layer(case.layer)).collect();
    layers.sort_unstable();
    layers.dedup();
    let title = html! {
        code { (group.name) }
        @for verdict in group.verdicts() { " " (badge(verdict, verdict)) }
        " " small { (layers.join(", ")) }
    };
    let has_details =
        group.scenario.is_some() || group.findings.iter().any(|cases| says_more(cases));
    html! {
        li id=(group.anchor) data-verdict=(group.verdicts().join(" ")) data-layer=(layers.join(" ")) {
            @if has_details {
                details open[group.is_new()] {
                    summary { (title) }
                    @if let Some(scenario) = group.scenario { pre { (words::scenario(scenario)) } }
                    @for cases in &group.findings { (finding(cases)) }
                }
            } @else {
                (title)
            }
        }
    }
}

/// Whether there is more to say about cases than that they are the same.
fn says_more(cases: &[&Case]) -> bool {
    cases.iter().any(|case| case.verdict != Verdict::Same || case.here.is_some())
}

/// Cases that found the same.
fn finding(cases: &[&Case]) -> Markup {
    let about: Vec<_> = cases.iter().map(|case| words::about(case)).collect();
    html! {
        @if let Some(case) = cases.first() {
            h3 { (badge(words::verdict(&case.verdict), words::verdict(&case.verdict))) " " (about.join("; ")) }
            @match &case.verdict {
                Verdict::Same => {}
                Verdict::Unsupported(why) => p { "Not compared: " (why) }
                Verdict::Listed(ids) => {
                    p {
                        "The same but for"
                        @for id in ids { " " a href={ "#" (divergence_anchor(id)) } { (id) } }
                    }
                }
                Verdict::New(found) => (difference(&View::of(found))),
            }
            @if !matches!(case.verdict, Verdict::New(_)) { (traces(case)) }
        }
    }
}

/// The traces of a case without a new difference. Equal ones are shown once.
fn traces(case: &Case) -> Markup {
    html! {
        @match (&case.cpython, &case.here) {
            (Some(cpython), Some(here)) if cpython != here => (sides(("CPython", cpython), ("here", here))),
            (Some(trace), _) | (None, Some(trace)) => pre { (words::shorten(trace)) },
            (None, None) => {}
        }
    }
}

fn difference(view: &View<'_>) -> Markup {
    html! {
        @match *view {
            View::Text(text) => pre { (words::shorten(text)) },
            View::Sides { left, right, besides } => {
                (sides(left, right))
                @if let Some((title, text)) = besides { p { (title) ":" } pre { (words::shorten(text)) } }
            }
        }
    }
}

fn sides(left: Side<'_>, right: Side<'_>) -> Markup {
    html! {
        table.sides {
            thead { tr { th scope="col" { (left.0) } th scope="col" { span.unseen { "differs" } } th scope="col" { (right.0) } } }
            tbody {
                @for row in rows(left.1, right.1) {
                    @match row {
                        Row::Same(text) => tr { td { (words::shorten(&text)) } td {} td { (words::shorten(&text)) } },
                        Row::Differs(pair) => {
                            tr { td { (marked(&pair.left)) } td { (marker(pair.relation)) } td { (marked(&pair.right)) } }
                        }
                    }
                }
            }
        }
    }
}

/// A row of two texts.
enum Row<'a> {
    /// Lines that are equal on both sides.
    Same(String),
    /// A line that is not.
    Differs(Pair<'a>),
}

/// The lines of two texts, with equal lines that follow one another in one row.
fn rows<'a>(left: &'a str, right: &'a str) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for pair in align(left, right) {
        if pair.relation != Relation::Same {
            rows.push(Row::Differs(pair));
            continue;
        }
        let line: String = pair.left.iter().map(|piece| piece.text).collect();
        match rows.last_mut() {
            Some(Row::Same(text)) => {
                text.push('\n');
                text.push_str(&line);
            }
            _ => rows.push(Row::Same(line)),
        }
    }
    rows
}

fn marker(relation: Relation) -> Markup {
    let words = match relation {
        Relation::Same => "same",
        Relation::Changed => "differs",
        Relation::OnlyLeft => "only left",
        Relation::OnlyRight => "only right",
    };
    html! { span aria-hidden="true" { (relation.marker()) } span.unseen { (words) } }
}

fn marked(pieces: &[Piece<'_>]) -> Markup {
    html! {
        @for piece in pieces {
            @if piece.differs { mark { (words::shorten(piece.text)) } } @else { (words::shorten(piece.text)) }
        }
    }
}
