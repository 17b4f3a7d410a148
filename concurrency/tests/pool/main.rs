//! The pools: how many run at once, what happens when all are busy, what closing does.

#![cfg(test)]

mod closing;
mod full;
mod support;
mod workers;
