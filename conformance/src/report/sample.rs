//! Made-up results with everything that can be in them, for the tests of the report.

use std::time::Duration;

use crate::catalogue::catalogue;
use crate::compare::{Difference, Verdict};
use crate::results::{Case, Layer, Results, Settled, StatementRow};
use crate::scenario::{Scenario, Strategy, Transport};

/// A script that must not run, in a trace.
pub(super) const SCRIPT: &str = "<script>alert(\"&\")</script>";

const SAME: &str = "synchronous/tcp/serve_forever/ok";
const LISTED: &str = "fork/tcp/serve_forever/ok";

/// A trace as text.
fn trace(main: &str, client: &str) -> String {
    format!(
        "{{\n  \"outcomes\": [\n    \"returned\"\n  ],\n  \"main\": \"{main}\",\n  \"clients\": {{\n    \"0\": [\n      {client:?}\n    ]\n  }}\n}}"
    )
}

/// A scenario of the catalogue.
pub(super) fn scenario(strategy: Strategy, transport: Transport) -> Scenario {
    let mut entries = catalogue().into_iter().map(|entry| entry.scenario);
    entries.find(|it| it.strategy == strategy && it.transport == transport).unwrap()
}

/// A case with a scenario that is the same.
pub(super) fn case(layer: Layer, name: &str, strategy: Strategy, transport: Transport) -> Case {
    let same = trace("get_request process_request finish_request close_request", "re:hi");
    Case {
        layer,
        name: name.to_owned(),
        strategy: Some(strategy),
        transport: Some(transport),
        oracle: Some("CPython 3.11.7".to_owned()),
        verdict: Verdict::Same,
        cpython: Some(same.clone()),
        here: Some(same),
        scenario: Some(scenario(strategy, transport)),
        time: Duration::from_millis(250),
    }
}

/// A case that is a test.
fn test(layer: Layer, name: &str, verdict: Verdict) -> Case {
    Case {
        strategy: None,
        transport: None,
        oracle: None,
        verdict,
        cpython: None,
        here: None,
        scenario: None,
        ..case(layer, name, Strategy::Synchronous, Transport::Tcp)
    }
}

fn differing(case: Case, verdict: Verdict, cpython: &str, here: &str) -> Case {
    Case { verdict, cpython: Some(cpython.to_owned()), here: Some(here.to_owned()), ..case }
}

fn cases() -> Vec<Case> {
    let calls = "get_request verify_request process_request service_actions";
    let reaping = trace(&format!("{calls} collect_children"), "re:hi");
    let shorter = trace("get_request verify_request process_request handle_error", SCRIPT);
    let listed = || Verdict::Listed(vec!["reaping-is-no-hook".to_owned()]);
    let new = |cpython: &str, here: &str, expected: &str| {
        let [cpython, here, expected] = [cpython, here, expected].map(str::to_owned);
        Verdict::New(Difference { cpython, here, expected })
    };
    let golden = Case {
        oracle: Some("recorded from CPython 3.11.7".to_owned()),
        ..case(Layer::Golden, SAME, Strategy::Synchronous, Transport::Tcp)
    };
    let old = Case { oracle: Some("CPython 3.9.1".to_owned()), ..golden.clone() };
    let fork = |layer, name| case(layer, name, Strategy::Fork, Transport::Tcp);
    let udp = |name| case(Layer::Differential, name, Strategy::ThreadPool, Transport::Udp);
    vec![
        golden,
        Case { layer: Layer::Live, ..old.clone() },
        case(Layer::Live, SAME, Strategy::Synchronous, Transport::Tcp),
        differing(fork(Layer::Live, LISTED), listed(), &reaping, &trace(calls, "re:hi")),
        Case {
            verdict: Verdict::Unsupported("CPython: no <fork> & co.".to_owned()),
            cpython: None,
            here: None,
            oracle: old.oracle,
            ..fork(Layer::Live, "fork/unix_stream/handle_request/ok")
        },
        differing(
            udp("case 17"),
            new(&trace(calls, "re:hi"), &shorter, &trace(calls, "re:hi")),
            &trace(calls, "re:hi"),
            &shorter,
        ),
        differing(
            fork(Layer::Differential, "case 18"),
            new(&reaping, &shorter, &trace(calls, "re:hi")),
            &reaping,
            &shorter,
        ),
        differing(
            udp("case 19"),
            new(&reaping, "hangs after\n{}", "a scenario that ends: nothing here may hang"),
            &reaping,
            "hangs after\n{}",
        ),
        udp("case 20"),
        differing(fork(Layer::Differential, "case 21"), listed(), &reaping, &trace(calls, "x")),
        test(Layer::Properties, "nothing is left over", Verdict::Same),
        test(Layer::Ported, "test_TCPServer", Verdict::Same),
        test(Layer::Ported, "test_shutdown", new("", "panicked: 1 != 2", "")),
        test(Layer::Statements, "statement 3", Verdict::Unsupported("no IPv6".to_owned())),
    ]
}

fn statement(number: u32, says: &str, settled: Settled) -> StatementRow {
    StatementRow {
        number,
        marks: vec!["documented".to_owned(), "quirk".to_owned()],
        says: says.to_owned(),
        settled,
        tests: vec![("lifecycle::closes_twice".to_owned(), "ok".to_owned())],
        scenarios: vec![SAME.to_owned(), "synchronous/tcp/serve_forever/gone".to_owned()],
        divergence: None,
    }
}

/// The results.
pub(super) fn results() -> Results {
    let reason = "CPython reaps in `collect_children`; here a child is reaped when it ends";
    Results {
        cases: cases(),
        statements: vec![
            statement(1, "`server_close()` can be called | twice: __init__ <b>", Settled::Tested),
            StatementRow {
                scenarios: vec![LISTED.to_owned()],
                divergence: Some(("reaping-is-no-hook".to_owned(), reason.to_owned())),
                ..statement(2, "Children are reaped by service_actions.", Settled::Divergent)
            },
            StatementRow {
                tests: Vec::new(),
                scenarios: Vec::new(),
                ..statement(3, "RequestHandlerClass is not checked.", Settled::NotApplicable)
            },
            StatementRow {
                tests: vec![("ipv6".to_owned(), "not run".to_owned())],
                ..statement(4, "IPv6 addresses are 4-tuples.", Settled::Open)
            },
        ],
        divergences: vec![
            ("reaping-is-no-hook".to_owned(), 2),
            ("failing-verify-request-closes".to_owned(), 0),
        ],
        notices: vec!["CPython 3.14 was not checked: there is no python3.14 here".to_owned()],
        faults: vec!["nothing hits failing-verify-request-closes".to_owned()],
        seed: 42,
        time: Duration::from_millis(12_345),
    }
}
