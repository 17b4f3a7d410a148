//! The examples as programs, started and talked to: one file for each kind.

#![cfg(test)]

mod packets;
mod pool;
#[cfg(unix)]
mod prefork;
mod program;
#[path = "../support/mod.rs"]
mod support;
mod tcp;
#[cfg(unix)]
mod unix;
