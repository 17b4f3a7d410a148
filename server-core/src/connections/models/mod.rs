//! Models for `cargo xtask loom` of what is here: the gate, one connection, all of them.

#![expect(clippy::unwrap_used, reason = "in a model it is an assertion")]

mod gate;
mod registry;
mod watch;
