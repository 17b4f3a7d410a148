//! Holds the servers of this workspace against CPython's documented behaviour.

pub mod catalogue;
mod cli;
mod clients;
pub mod compare;
pub mod differential;
pub mod divergence;
pub mod generate;
pub mod golden;
pub mod grammar;
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
