//! Unix sockets: streams, datagrams and sequenced packets, with names in the file system or without.

mod addr;
mod bind;
mod bound;
mod credentials;
mod datagram;
mod file;
mod listener;
mod lock;
mod name;
mod options;
mod packet_credentials;
#[cfg_attr(any(target_os = "linux", target_os = "android"), path = "platform_linux.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "platform_bsd.rs")]
mod platform;
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
mod seqpacket;
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
mod seqpacket_socket;
mod stale;
mod stream;

pub use addr::UnixAddr;
pub use bound::BoundUnix;
pub use credentials::{PeerCredentials, UnixSocket};
pub use datagram::UnixDatagram;
pub use name::UnixName;
pub use options::{UnixListening, UnixOptions, UnixTransport};
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub use seqpacket::UnixSeqpacket;
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub use seqpacket_socket::SeqpacketSocket;
pub use stale::StaleSocket;
pub use stream::UnixStream;
