//! Every class of CPython, but the forking ones, and the pools: three clients in turn, stop, close, and
//! nothing left behind.

#![cfg(test)]

mod support;

use std::io::{BufRead, Write};
use std::net::UdpSocket;

use socketserver::Running;
use socketserver::core::{Concurrency, ServiceJob};
use socketserver::prelude::*;
use support::PATIENCE;

/// Answers with what it got, in upper case.
fn stream_upper<C: StreamRequest + 'static>() -> impl Service<C> + Send + Sync + 'static {
    stream_fn(|client: &mut Stream<C>| {
        let mut line = Vec::new();
        client.rfile.read_until(b'\n', &mut line)?;
        client.wfile.write_all(&line.to_ascii_uppercase())?;
        Ok(())
    })
}

fn datagram_upper<R: DatagramRequest + 'static>() -> impl Service<R> + Send + Sync + 'static {
    datagram_fn(|packet: &mut DatagramExchange<'_, R>| {
        packet.wfile.write_all(&packet.packet().to_ascii_uppercase())?;
        Ok(())
    })
}

/// Serves in a thread, lets `client` talk to the address three times, stops, closes, and looks at the books.
fn drive<T, C, S>(
    server: Server<T, C, S>,
    client: impl Fn(&<T::Request as Request>::Addr) -> Vec<u8>,
) where
    T: Transport + Send + 'static,
    <T::Request as Request>::Addr: Send + Sync,
    S: Service<T::Request> + Send + Sync + 'static,
    C: Concurrency<ServiceJob<T::Request, S>> + Send + 'static,
{
    let running: Running<_> = server.spawn().unwrap();
    for _ in 0..3 {
        assert_eq!(client(running.local_addr()), b"HELLO\n");
    }
    let (ended, counts) = running.stop().unwrap();
    assert_eq!(ended, Ended::Shutdown);
    assert_eq!((counts.accepted, counts.served, counts.errors), (3, 3, 0));
}

fn tcp_client(address: &std::net::SocketAddr) -> Vec<u8> {
    let mut client = support::connect(*address);
    client.write_all(b"hello\n").unwrap();
    support::read_to_end(&client).into_bytes()
}

fn udp_client(address: &std::net::SocketAddr) -> Vec<u8> {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.send_to(b"hello\n", address).unwrap();
    let mut answer = [0; 100];
    let length = client.recv(&mut answer).unwrap();
    answer[..length].to_vec()
}

#[test]
fn tcp_servers() {
    let bound = || Tcp::bind("127.0.0.1:0").unwrap();
    drive(TcpServer::with_transport(bound(), stream_upper()), tcp_client);
    drive(ThreadingTcpServer::with_transport(bound(), stream_upper()), tcp_client);
    drive(PoolTcpServer::with_transport(bound(), stream_upper()), tcp_client);
}

#[test]
fn udp_servers() {
    let bound = || Udp::bind("127.0.0.1:0").unwrap();
    drive(UdpServer::with_transport(bound(), datagram_upper()), udp_client);
    drive(ThreadingUdpServer::with_transport(bound(), datagram_upper()), udp_client);
    drive(PoolUdpServer::with_transport(bound(), datagram_upper()), udp_client);
}

#[cfg(feature = "rayon")]
#[test]
fn rayon_servers() {
    use socketserver::concurrency::RayonPool;

    let tcp = Tcp::bind("127.0.0.1:0").unwrap();
    drive(Server::new(tcp, RayonPool::new(2), stream_upper()), tcp_client);
    let udp = Udp::bind("127.0.0.1:0").unwrap();
    drive(Server::new(udp, RayonPool::new(2), datagram_upper()), udp_client);
}

#[cfg(unix)]
mod unix {
    use std::io::Read;
    use std::os::unix::net;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use socketserver::transports::{UnixAddr, UnixDatagram, UnixStream};

    /// A path that nobody else uses.
    fn path() -> PathBuf {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        std::env::temp_dir().join(format!("classes-{}-{number}", std::process::id()))
    }

    fn stream_client(address: &UnixAddr) -> Vec<u8> {
        let mut client = net::UnixStream::connect(address.as_pathname().unwrap()).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.write_all(b"hello\n").unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        answer
    }

    fn datagram_client(address: &UnixAddr) -> Vec<u8> {
        let own = path();
        let client = net::UnixDatagram::bind(&own).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.send_to(b"hello\n", address.as_pathname().unwrap()).unwrap();
        let mut answer = [0; 100];
        let length = client.recv(&mut answer).unwrap();
        std::fs::remove_file(own).unwrap();
        answer[..length].to_vec()
    }

    fn gone(path: &Path) {
        assert!(!path.exists(), "the socket file goes with its server");
    }

    #[test]
    fn unix_stream_servers() {
        let path = path();
        let bound = || UnixStream::bind(&path).unwrap();
        drive(UnixStreamServer::with_transport(bound(), stream_upper()), stream_client);
        drive(ThreadingUnixStreamServer::with_transport(bound(), stream_upper()), stream_client);
        drive(PoolUnixStreamServer::with_transport(bound(), stream_upper()), stream_client);
        gone(&path);
    }

    #[cfg(feature = "rayon")]
    #[test]
    fn rayon_servers_on_unix_sockets() {
        use socketserver::concurrency::RayonPool;

        let path = path();
        let bound = UnixStream::bind(&path).unwrap();
        drive(Server::new(bound, RayonPool::new(2), stream_upper()), stream_client);
        let bound = UnixDatagram::bind(&path).unwrap();
        drive(Server::new(bound, RayonPool::new(2), datagram_upper()), datagram_client);
        gone(&path);
    }

    #[test]
    fn unix_datagram_servers() {
        let path = path();
        let bound = || UnixDatagram::bind(&path).unwrap();
        drive(UnixDatagramServer::with_transport(bound(), datagram_upper()), datagram_client);
        drive(
            ThreadingUnixDatagramServer::with_transport(bound(), datagram_upper()),
            datagram_client,
        );
        drive(PoolUnixDatagramServer::with_transport(bound(), datagram_upper()), datagram_client);
        gone(&path);
    }
}
