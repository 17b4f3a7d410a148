//! The pool that parks: that nothing is lost, nobody waits for others, and nothing is left of it.

#![cfg(test)]
#![cfg(unix)]

mod arrivals;
mod blocked;
mod clients;
mod deadlines;
mod detached;
mod ends;
mod fair;
mod site;
mod streams;
#[expect(dead_code, reason = "not all of it is used here")]
#[path = "../support/mod.rs"]
mod support;
mod threads;
mod transports;
