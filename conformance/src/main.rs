//! The harness's program: `cargo xtask conformance` runs it. It is its own subject, too, when it is told so.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Not for people, so not among the options.
    if env::args_os().nth(1).is_some_and(|argument| argument == "subject") {
        socketserver_conformance::serve_scenarios();
        return ExitCode::SUCCESS;
    }
    match env::current_exe() {
        Ok(harness) => socketserver_conformance::run(env::args_os(), &harness),
        Err(error) => {
            use std::io::Write;
            // Nowhere else to tell it.
            let _ = writeln!(std::io::stderr(), "conformance: where is this program? {error}");
            ExitCode::from(2)
        }
    }
}
