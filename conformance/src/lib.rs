//! Holds the servers of this workspace against CPython's documented behaviour: scenarios that both play, and a
//! comparison that knows the differences on purpose.
//!
//! It is used by its command line, `cargo xtask conformance`; the crate's README tells how. How it is built is told in
//! the workspace's ARCHITECTURE.md.
//!
//! ```no_run
//! use socketserver_conformance::catalogue::catalogue;
//! use socketserver_conformance::compare::{Verdict, compare};
//! use socketserver_conformance::divergence::{self, Rules};
//! use socketserver_conformance::subject::{Command, Subject, Twin};
//! use std::path::Path;
//!
//! let mut cpython = Twin::new(&Command::python(Path::new("python3")))?;
//! let mut here = Twin::new(&Command::here(Path::new("target/debug/socketserver-conformance")))?;
//! let rules = Rules::new(&divergence::load()?, cpython.version());
//! for entry in catalogue() {
//!     let (theirs, ours) = (cpython.play(&entry.scenario)?, here.play(&entry.scenario)?);
//!     if let Verdict::New(difference) = compare(&rules, &entry.scenario, &theirs, &ours) {
//!         println!("{}: {}", entry.name, difference.here);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod catalogue;
mod cli;
mod clients;
pub mod compare;
pub mod differential;
pub mod divergence;
pub mod generate;
pub mod golden;
pub mod grammar;
mod judge;
mod reduce;
pub mod report;
pub mod results;
pub mod scenario;
pub mod self_test;
mod serve;
pub mod statements;
pub mod subject;
pub mod trace;
mod wire;

pub use cli::run;
pub use serve::serve_scenarios;
