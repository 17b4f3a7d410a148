//! The command line of the harness.

fn main() {
    let first = std::env::args().nth(1);
    if first.as_deref() == Some("subject") {
        socketserver_conformance::serve_scenarios();
    }
}
