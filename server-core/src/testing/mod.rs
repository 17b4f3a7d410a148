//! An in-memory transport that follows a script, and a service that records what was called.
//!
//! Loops, strategies and services can be tested with these without a port and without a sleep. Time
//! is virtual where it can be: a wait with a limit and nothing scripted is over at once.

mod inline;
mod script;
mod service;
mod transport;

pub use inline::Inline;
pub use script::{Closed, Script, ScriptedRequest};
pub use service::{Act, Calls, Hook, RecordingService};
pub use transport::ScriptedTransport;
