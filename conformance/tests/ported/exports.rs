//! Test 25: the public names.

use std::collections::BTreeSet;

/// What Python's classes are called here. The compiler checks that they are there.
mod by_use {
    #![expect(unused_imports, reason = "that they can be imported is the test")]

    use socketserver::concurrency::ThreadPerRequest as ThreadingMixIn;
    use socketserver::core::Server as BaseServer;
    use socketserver::handlers::{
        BaseRequestHandler, DatagramRequestHandler, StreamRequestHandler,
    };
    #[cfg(unix)]
    use socketserver::{
        ForkingTcpServer as ForkingTCPServer, ForkingUdpServer as ForkingUDPServer,
        ForkingUnixDatagramServer, ForkingUnixStreamServer, ThreadingUnixDatagramServer,
        ThreadingUnixStreamServer, UnixDatagramServer, UnixStreamServer,
        concurrency::Fork as ForkingMixIn,
    };
    use socketserver::{
        TcpServer as TCPServer, ThreadingTcpServer as ThreadingTCPServer,
        ThreadingUdpServer as ThreadingUDPServer, UdpServer as UDPServer,
    };
}

/// The server classes in CPython's `__all__` (3.12 and later), as they are spelled here.
const CPYTHON: [&str; 12] = [
    "ForkingTcpServer",
    "ForkingUdpServer",
    "ForkingUnixDatagramServer",
    "ForkingUnixStreamServer",
    "TcpServer",
    "ThreadingTcpServer",
    "ThreadingUdpServer",
    "ThreadingUnixDatagramServer",
    "ThreadingUnixStreamServer",
    "UdpServer",
    "UnixDatagramServer",
    "UnixStreamServer",
];

/// Those that Python has not: pools.
const OURS: [&str; 6] = [
    "LeaderTcpServer",
    "LeaderUnixStreamServer",
    "PoolTcpServer",
    "PoolUdpServer",
    "PoolUnixDatagramServer",
    "PoolUnixStreamServer",
];

/// CPython compares `__all__` with what the module defines. Rust cannot list a module, so the source is read:
/// no server class has been added, or renamed, without being listed here.
#[test]
fn test_all() {
    let sources = [
        include_str!("../../../socketserver/src/servers/tcp.rs"),
        include_str!("../../../socketserver/src/servers/udp.rs"),
        include_str!("../../../socketserver/src/servers/unix.rs"),
    ];
    let defined: BTreeSet<_> = sources
        .iter()
        .flat_map(|source| source.lines())
        .filter_map(|line| line.strip_prefix("pub type ")?.split_once('<'))
        .map(|(name, _)| name)
        .filter(|name| name.ends_with("Server"))
        .collect();
    assert_eq!(defined, CPYTHON.into_iter().chain(OURS).collect());
}
