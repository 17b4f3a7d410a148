//! The files of this layer keep their rules.

use std::path::Path;

use socketserver_conformance::statements::{STATEMENTS, Statements};

#[test]
fn every_statement_is_settled() {
    let statements = Statements::load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let problems: Vec<_> = statements.problems().iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let summary = statements.summary();
    assert_eq!((summary.total(), summary.unsettled), (STATEMENTS as usize, 0), "{summary}");
}
