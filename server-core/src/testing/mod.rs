//! An in-memory transport that follows a script, and a service that records what was called.
//!
//! Loops, strategies and services can be tested with these without a port and without a sleep. Time
//! is virtual where it can be: a wait with a limit and nothing scripted is over at once; with a
//! [`VirtualClock`] the loop knows how long that was. A [`Faulty`] transport makes calls of any other one fail.

mod client;
#[cfg_attr(
    all(windows, target_env = "gnu"),
    expect(
        clippy::missing_const_for_thread_local,
        reason = "it is const; what the macro makes of it on this target hides that from the lint"
    )
)]
pub(crate) mod clock;
mod faulty;
mod inline;
mod request;
mod script;
mod service;
mod timetable;
mod transport;

pub use client::ScriptedClient;
pub use clock::VirtualClock;
pub use faulty::{Call, Faults, Faulty};
pub use inline::Inline;
pub use request::{Closed, ScriptedRequest};
pub use script::Script;
pub use service::{Act, Calls, Hook, RecordingService};
pub use transport::ScriptedTransport;
