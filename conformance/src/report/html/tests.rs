//! That the page is well formed, complete and safe. How it looks is not looked at.

use std::collections::HashSet;

use super::{divergence_anchor, page};
use crate::compare::Verdict;
use crate::report::sample;
use crate::results::{Case, Layer, Results};
use crate::scenario::{Strategy, Transport};

/// Elements that have no end.
const VOID: [&str; 3] = ["meta", "input", "br"];

/// The tags of a page without comments, as in `a href="x"` and `/a`. What stands inside of `script` and `style` is none.
fn tags(page: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("an end of the tag");
        let tag = &rest[start + 1..end];
        tags.push(tag);
        rest = &rest[end + 1..];
        if ["script", "style"].contains(&tag) {
            rest = &rest[rest.find(&format!("</{tag}>")).expect("an end of the element")..];
        }
    }
    tags
}

/// The values of an attribute.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let begin = format!("{attribute}=\"");
    let tags = tags(page).into_iter();
    let parts = tags.flat_map(|tag| tag.split(' ').filter_map(|part| part.strip_prefix(&begin)));
    parts.map(|part| part.trim_end_matches('"')).collect()
}

fn assert_balanced(page: &str) {
    let mut open = Vec::new();
    for tag in tags(page) {
        let name = tag.split(' ').next().unwrap_or_default();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "inside {open:?}");
        } else if !VOID.contains(&name) && name != "!DOCTYPE" {
            assert!(name.chars().all(|char| char.is_ascii_alphanumeric()), "{tag:?}");
            open.push(name);
        }
    }
    assert_eq!(open, [""; 0]);
}

#[test]
fn every_element_ends_where_it_should() {
    assert_balanced(&page(&sample::results()));
    assert_balanced(&page(&Results::default()));
}

#[test]
fn text_is_escaped() {
    let page = page(&sample::results());
    assert!(!page.contains("<script>alert") && !page.contains("<fork>") && !page.contains("<b>"));
    // The trace has it inside of a JSON string, so with backslashes.
    assert!(page.contains("&lt;script&gt;alert(\\&quot;&amp;\\&quot;)&lt;/script&gt;"));
    assert_eq!(tags(&page).iter().filter(|tag| **tag == "script").count(), 1);
    assert!(sample::SCRIPT.contains("<script>alert"));
}

#[test]
fn links_lead_somewhere_and_names_are_unique() {
    let page = page(&sample::results());
    let ids = values(&page, "id");
    let unique: HashSet<_> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    let links = values(&page, "href");
    assert!(links.len() > 10);
    for link in links.iter().map(|link| link.strip_prefix('#').expect("a link inside the page")) {
        assert!(unique.contains(link), "{link}");
    }
    for id in values(&page, "aria-labelledby") {
        assert!(unique.contains(id), "{id}");
    }
}

#[test]
fn nothing_comes_from_elsewhere() {
    let page = page(&sample::results());
    for word in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn every_statement_is_there_with_what_settles_it() {
    let results = sample::results();
    let page = page(&results);
    let ids = values(&page, "id");
    for row in &results.statements {
        assert!(ids.contains(&&*format!("statement-{}", row.number)));
    }
    assert!(page.contains("<a href=\"#case-synchronous-tcp-serve_forever-ok\">"));
    assert!(page.contains("synchronous/tcp/serve_forever/gone (not played)"));
    assert!(page.contains("<code>lifecycle::closes_twice</code> <span class=\"badge tested\">ok"));
    assert!(
        page.contains("<a href=\"#divergence-reaping-is-no-hook\">reaping-is-no-hook</a>: CPython")
    );
    assert!(page.contains("<code>server_close()</code> can be called"));
}

#[test]
fn a_rule_leads_to_its_divergence() {
    assert_eq!(divergence_anchor("unix-socket-file-goes#2"), "divergence-unix-socket-file-goes");
    let mut results = sample::results();
    results.cases[0].verdict = Verdict::Listed(vec!["reaping-is-no-hook#1".to_owned()]);
    let page = page(&results);
    assert!(page.contains("<a href=\"#divergence-reaping-is-no-hook\">reaping-is-no-hook#1</a>"));
}

#[test]
fn a_form_that_needs_scripts_is_hidden_without_them_and_nothing_else_is() {
    let page = page(&sample::results());
    let hidden = tags(&page).into_iter().filter(|tag| tag.split(' ').any(|word| word == "hidden"));
    assert_eq!(hidden.collect::<Vec<_>>(), ["form id=\"filter\" role=\"search\" hidden"]);
}

#[test]
fn equal_traces_are_shown_once_and_what_differs_is_marked() {
    let mut results = sample::results();
    results.cases.truncate(1);
    assert_eq!(page(&results).matches("finish_request close_request").count(), 1);
    let mut results = sample::results();
    results.cases = vec![results.cases[5].clone()];
    let page = page(&results);
    assert!(page.contains("<mark>handle_error"), "{page}");
    assert!(page.contains("<details open>"));
}

#[test]
fn ten_thousand_cases_make_a_page_that_opens() {
    let mut results = sample::results();
    let case = sample::case(Layer::Golden, "", Strategy::Fork, Transport::Tcp);
    let named = |layer, name: String| Case { layer, name, ..case.clone() };
    for number in 0..10_000 {
        results.cases.push(named(Layer::Differential, format!("case {}", number + 100)));
    }
    for number in 0..1500 {
        results.cases.push(named(Layer::Golden, format!("a/{number}")));
        results.cases.push(named(Layer::Live, format!("a/{number}")));
    }
    let page = page(&results);
    assert!(page.contains("10001 that were the same as in CPython"));
    assert!(page.len() < 5_000_000, "{}", page.len());
}
