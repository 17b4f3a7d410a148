//! The examples as programs, started and talked to: one file for each kind.

#![cfg(test)]

// Elsewhere there is no `ulimit`, or no way to know how many descriptors a process needs.
#[cfg(target_os = "linux")]
#[path = "../support/errno.rs"]
mod errno;
#[cfg(target_os = "linux")]
mod exhaustion;
#[cfg(target_os = "linux")]
mod faults;
mod live_view;
mod measured;
mod packets;
mod pool;
#[cfg(unix)]
mod prefork;
mod program;
#[cfg(all(unix, feature = "signals"))]
mod signals;
mod soak;
#[path = "../support/mod.rs"]
mod support;
mod tcp;
#[cfg(unix)]
mod unix;
