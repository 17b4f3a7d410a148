//! Deadlines over real sockets: that they cut who is too slow, and nobody else.

#![cfg(test)]

mod every;
mod handlers;
mod honest;
mod kept;
mod service;
#[path = "../support/mod.rs"]
mod support;
