//! What statements about CPython say that no other test shows: a file for each section of them. Where children
//! are forked, see `statements_fork`.

#![cfg(test)]

mod addresses;
mod closing;
mod datagrams;
mod errors;
mod files;
mod handle_request;
mod handlers;
mod hooks;
mod lifecycle;
mod shutdown;
mod support;
mod threads;
mod tls;
