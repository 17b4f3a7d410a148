//! The whole life of a server as a state machine, over the transport in memory and with each strategy of threads:
//! serving, stopping, draining, suspending, closing, dropping, limits that change, in any order and from several threads.
//!
//! `PROPTEST_CASES` says how many lives are tried.

#![cfg(test)]

mod command;
mod life;
mod machine;
mod subject;
mod world;
