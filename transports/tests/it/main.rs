//! What each transport does that the others do not. What all do is in `suite`.
#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod admission;
mod ahead;
#[cfg(unix)]
#[path = "../suite/folder.rs"]
mod folder;
#[path = "../suite/loopback.rs"]
mod loopback;
mod support;
mod udp;
#[cfg(unix)]
mod unix_credentials;
#[cfg(unix)]
mod unix_datagram;
#[cfg(unix)]
mod unix_file;
#[cfg(unix)]
mod unix_names;
#[cfg(unix)]
mod unix_packet_credentials;
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
mod unix_seqpacket;
#[cfg(unix)]
mod unix_stale;
