//! Holds the servers of this workspace against CPython's documented behaviour.
//!
//! Nothing is here yet; the crate's README says what will be.
