//! The tests of CPython's own `test_socketserver.py`, by their names, in own words: a port that passes
//! them behaves as CPython's authors thought worth checking. The forking ones, and the one that is
//! interrupted by signals, are in `ported_fork.rs`.

#![cfg(test)]
#![expect(non_snake_case, reason = "the names are CPython's")]

mod classes;
mod driver;
mod errors;
mod exports;
mod lifecycle;
mod wfile;
