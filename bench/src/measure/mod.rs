//! What is read of a server from outside: the kernel's books.

mod cpu;
mod memory;

pub(crate) use cpu::{Meter, family};
pub(crate) use memory::user_memory;
