//! The pools: how many run at once, what happens when all are busy, what closing does.

#![cfg(test)]

mod closing;
mod full;
#[cfg(feature = "rayon")]
mod rayon_pool;
mod support;
mod workers;
