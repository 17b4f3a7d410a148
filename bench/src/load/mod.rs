//! The clients: a closed loop of connections, driven by one thread and epoll, or a few.

mod connect;
mod datagrams;
mod idle;
mod poller;
mod shared;
mod streams;
mod tally;

pub(crate) use connect::run as connect;
pub(crate) use datagrams::run as datagrams;
pub(crate) use idle::Idle;
pub(crate) use shared::{Phase, Shared};
pub(crate) use streams::{Mix, run as streams};
pub(crate) use tally::Tally;
