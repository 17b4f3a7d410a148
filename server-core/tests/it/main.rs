//! The loop and its contracts over the scripted transport: one file for each behaviour.

mod admission;
mod batch;
mod drain;
mod errors;
mod faults;
mod handle_request;
mod hope;
mod limits;
mod observer;
mod rejected;
mod rest;
mod serve_forever;
mod shutdown;
mod support;
mod time;
