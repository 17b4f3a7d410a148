//! The results as one page: to be opened from a folder, without a server, a network, or scripts switched on.

mod findings;
mod statements;
#[cfg(test)]
mod tests;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::results::{Layer, Results};

use super::cases::Groups;
use super::{tally, words};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

const LAYERS: [Layer; 6] = [
    Layer::Golden,
    Layer::Live,
    Layer::Differential,
    Layer::Properties,
    Layer::Ported,
    Layer::Statements,
];

/// The whole page.
pub(super) fn page(results: &Results) -> String {
    let groups = Groups::of(results);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Conformance to CPython’s socketserver" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { (head(results)) }
                main {
                    (remarks("wrong", "Wrong apart from cases", &results.faults))
                    (remarks("notices", "Not checked", &tally::not_checked(results)))
                    (summary(results))
                    (findings::new_differences(&groups))
                    (filter())
                    (statements::section(results, &groups.by_name()))
                    (divergences(results))
                    (findings::section(&groups))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn head(results: &Results) -> Markup {
    let outcome = if results.is_good() { "same" } else { "new" };
    html! {
        h1 { "Conformance to CPython’s " code { "socketserver" } }
        p { (badge(outcome, words::outcome(results.is_good()))) }
        p {
            (results.cases.len()) " cases in " (words::seconds(results.time)) " s; the seed of the generated scenarios was "
            (results.seed) "."
        }
        nav aria-label="Sections" {
            a href="#summary" { "Summary" } " "
            a href="#statements" { "Statements" } " "
            a href="#divergences" { "Divergences" } " "
            a href="#cases" { "Cases" }
        }
    }
}

fn remarks(id: &str, title: &str, items: &[String]) -> Markup {
    html! {
        @if !items.is_empty() {
            section aria-labelledby=(id) {
                h2 id=(id) { (title) }
                ul { @for item in items { li { (prose(item)) } } }
            }
        }
    }
}

fn summary(results: &Results) -> Markup {
    html! {
        section aria-labelledby="summary" {
            h2 id="summary" { "Summary" }
            div.wide tabindex="0" role="region" aria-labelledby="summary" {
                table {
                    caption { "How many cases there are of each verdict. Seconds are those of all cases together." }
                    thead { tr { @for heading in tally::HEADINGS { th scope="col" { (heading) } } } }
                    tbody {
                        @for row in tally::rows(results) {
                            tr.total[row.is_total] {
                                @for (column, cell) in row.cells.iter().enumerate() {
                                    @if column == 0 {
                                        th scope="row" { (cell) }
                                    } @else {
                                        td.number[column >= tally::NUMBERS] { (cell) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Hidden unless scripts run: without them it would do nothing.
fn filter() -> Markup {
    html! {
        form #filter role="search" hidden {
            label { "Search " input #search type="search" autocomplete="off"; } " "
            label {
                "Verdict "
                select #verdict {
                    option value="" { "all" }
                    optgroup label="Cases" {
                        @for verdict in words::VERDICTS { option { (verdict) } }
                    }
                    optgroup label="Statements" {
                        @for settled in words::SETTLED {
                            option value=(key(words::settled(settled))) { (words::settled(settled)) }
                        }
                    }
                }
            } " "
            label {
                "Layer "
                select #layer {
                    option value="" { "all" }
                    @for layer in LAYERS { option { (words::layer(layer)) } }
                }
            } " "
            button type="reset" { "Show all" } " "
            output #found for="search verdict layer" {}
        }
    }
}

fn divergences(results: &Results) -> Markup {
    html! {
        section aria-labelledby="divergences" {
            h2 id="divergences" { "Divergences" }
            div.wide tabindex="0" role="region" aria-labelledby="divergences" {
                table {
                    caption { "Where this project differs from CPython on purpose, and how often that was seen." }
                    thead {
                        tr { @for name in ["divergence", "seen", "reason", "statements"] { th scope="col" { (name) } } }
                    }
                    tbody {
                        @for (id, hits) in &results.divergences {
                            @let statements = tally::statements_of(results, id);
                            tr id=(divergence_anchor(id)) {
                                th scope="row" { (id) }
                                td.number { (hits) }
                                td { @if let Some((_, reason)) = statements.first() { (prose(reason)) } }
                                td {
                                    @for (number, _) in &statements {
                                        a href={ "#statement-" (number) } { (number) } " "
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What a link to a divergence, or to one of its rules, leads to, after the `#`.
fn divergence_anchor(id_or_rule: &str) -> String {
    // A rule's name is its divergence's, and its place there.
    let id = id_or_rule.split_once('#').map_or(id_or_rule, |(id, _)| id);
    format!("divergence-{}", key(id))
}

/// The same as one word.
fn key(text: &str) -> String {
    text.replace(char::is_whitespace, "-")
}

/// A word that stands out, in a colour that depends on what it says.
fn badge(class: &str, text: &str) -> Markup {
    html! { span class={ "badge " (key(class)) } { (text) } }
}

/// Text in which what stands between backticks is code.
fn prose(text: &str) -> Markup {
    let parts: Vec<_> = text.split('`').collect();
    html! {
        // An odd number of parts: the backticks are paired.
        @if parts.len() % 2 == 1 {
            @for (number, part) in parts.iter().enumerate() {
                @if number % 2 == 1 { code { (part) } } @else { (part) }
            }
        } @else {
            (text)
        }
    }
}
