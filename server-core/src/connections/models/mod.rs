//! Models for `cargo xtask loom` of what is here: the gate, one connection, all of them.

mod gate;
mod registry;
mod watch;
