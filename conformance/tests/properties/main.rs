//! What must hold for any requests, at any times, in any pieces: properties that need no CPython to compare
//! with.

#![cfg(test)]

mod files;
mod hooks;
mod idle;
mod life;
mod load;
mod memory;
mod shutdown;
mod timeouts;
mod timetable;
