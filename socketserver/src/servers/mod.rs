//! The usual servers under CPython's names: a transport and a strategy each, open for any service.

mod tcp;
mod udp;
#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use tcp::ForkingTcpServer;
pub use tcp::{LeaderTcpServer, PoolTcpServer, TcpConnection, TcpServer, ThreadingTcpServer};
#[cfg(unix)]
pub use udp::ForkingUdpServer;
pub use udp::{PoolUdpServer, ThreadingUdpServer, UdpPacket, UdpServer};
#[cfg(unix)]
pub use unix::*;
