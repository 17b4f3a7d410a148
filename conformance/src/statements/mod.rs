//! What CPython's `socketserver` does, statement by statement, and where each is settled here.
//!
//! `statements.toml` has every statement with its number. Each is settled in one of three ways:
//!
//! - it is tested: by `tests` of this workspace, or by `scenarios` that are run by CPython and here and
//!   compared;
//! - it is different on purpose: an entry of `divergences.toml` says how and why, and names the tests that
//!   show it;
//! - it cannot be expressed in Rust, and `not_applicable` says why.
//!
//! [`Statements::load`] reads both files, [`Statements::problems`] finds what is wrong in them, and
//! [`run`] runs the tests they name. The statements were observed on Linux, and tests of what only Linux does
//! exist only there: elsewhere they are [`Missing`](Outcome::Missing).
//!
//! ```no_run
//! use socketserver_conformance::statements::{Statements, run};
//! use std::path::Path;
//! use std::time::Duration;
//!
//! let statements = Statements::load(Path::new("conformance"))?;
//! for problem in statements.problems() {
//!     println!("{problem}");
//! }
//! for result in run(Path::new("."), &statements.tests(), Duration::from_secs(120))? {
//!     println!("{result}");
//! }
//! println!("{}", statements.summary());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod artifacts;
mod catalogue;
mod does_not_compile;
mod limited;
mod output;
mod problem;
mod runner;
mod summary;
mod test_name;
mod validate;

pub use catalogue::{Divergence, LoadError, Statement, Statements};
pub use problem::{Place, Problem, Wrong};
pub use runner::{Outcome, RunError, TestResult, run, tests_of};
pub use summary::Summary;
pub use test_name::TestName;
pub use validate::STATEMENTS;
