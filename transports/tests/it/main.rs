//! What each transport does that the others do not. What all do is in `suite`.

mod support;
mod udp;
