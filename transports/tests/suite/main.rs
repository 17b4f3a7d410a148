//! What every transport does, written once and mounted for each.
#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod behaviours;
mod folder;
mod ip;
mod loopback;
mod mount;
mod serving;
mod subject;
#[cfg(unix)]
mod unix;
