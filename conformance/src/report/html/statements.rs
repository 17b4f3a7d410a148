//! The statements about CPython, with what settles them.

use std::collections::HashMap;

use maud::{Markup, html};

use crate::report::cases::Group;
use crate::report::{tally, words};
use crate::results::{Results, StatementRow};

use super::{badge, divergence_anchor, key, prose};

const HEADINGS: [&str; 6] = ["statement", "says", "settled", "tests", "scenarios", "divergence"];

/// More scenarios than that are folded away.
const MANY: usize = 4;

/// The section of the statements.
pub(super) fn section(results: &Results, groups: &HashMap<&str, &Group<'_>>) -> Markup {
    let known: Vec<&str> = results.divergences.iter().map(|(id, _)| id.as_str()).collect();
    html! {
        section aria-labelledby="statements" {
            h2 id="statements" { "Statements" }
            p { (tally::statements_in_words(results)) "." }
            div.wide tabindex="0" role="region" aria-labelledby="statements" {
                table.statements {
                    caption { "What is known about CPython, and what shows whether it holds here." }
                    thead { tr { @for heading in HEADINGS { th scope="col" { (heading) } } } }
                    tbody { @for row in &results.statements { (statement(row, groups, &known)) } }
                }
            }
        }
    }
}

fn statement(row: &StatementRow, groups: &HashMap<&str, &Group<'_>>, known: &[&str]) -> Markup {
    let settled = words::settled(row.settled);
    html! {
        tr id={ "statement-" (row.number) } data-verdict=(key(settled)) data-layer="statements" {
            th scope="row" { a href={ "#statement-" (row.number) } { (row.number) } }
            td { (prose(&row.says)) @for mark in &row.marks { " " small { (mark) } } }
            td { (badge(settled, settled)) }
            td {
                @if !row.tests.is_empty() {
                    ul { @for (name, result) in &row.tests { li { code { (name) } " " (test_result(result)) } } }
                }
            }
            td {
                @if row.scenarios.len() > MANY {
                    details {
                        summary { (row.scenarios.len()) " scenarios" }
                        (scenarios(row, groups))
                    }
                } @else if !row.scenarios.is_empty() {
                    (scenarios(row, groups))
                }
            }
            td {
                @if let Some((id, reason)) = &row.divergence {
                    @if known.contains(&id.as_str()) {
                        a href={ "#" (divergence_anchor(id)) } { (id) }
                    } @else {
                        (id)
                    }
                    ": " (prose(reason))
                }
            }
        }
    }
}

fn test_result(result: &str) -> Markup {
    badge(if result == "ok" { "tested" } else { "open" }, result)
}

fn scenarios(row: &StatementRow, groups: &HashMap<&str, &Group<'_>>) -> Markup {
    html! {
        ul {
            @for name in &row.scenarios {
                li {
                    @if let Some(group) = groups.get(name.as_str()) {
                        a href={ "#" (group.anchor) } { (name) }
                        " (" (group.verdicts().join(", ")) ")"
                    } @else {
                        (name) " (not played)"
                    }
                }
            }
        }
    }
}
