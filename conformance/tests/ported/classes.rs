//! Tests 1 to 12 but the forking ones: the driver on every class.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};

use socketserver::prelude::*;

use crate::driver::{LINE, PATIENCE, datagram_echo, run_server, stream_echo};

const ADDRESS: &str = "127.0.0.1:0";

fn tcp_client(address: &SocketAddr) {
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(LINE).unwrap();
    let mut answer = vec![0; LINE.len()];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer, LINE);
}

fn udp_client(address: &SocketAddr) {
    let client = UdpSocket::bind(ADDRESS).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.send_to(LINE, address).unwrap();
    let mut answer = [0; 100];
    let length = client.recv(&mut answer).unwrap();
    assert_eq!(&answer[..length], LINE);
}

#[test]
fn test_TCPServer() {
    let server = TcpServer::bind(ADDRESS, stream_echo()).unwrap();
    let name = server.transport().unwrap().socket().local_addr().unwrap();
    assert_eq!(server.local_addr().ok(), name.as_socket());
    run_server(server, tcp_client);
}

#[test]
fn test_ThreadingTCPServer() {
    let server = ThreadingTcpServer::bind(ADDRESS, stream_echo()).unwrap();
    let name = server.transport().unwrap().socket().local_addr().unwrap();
    assert_eq!(server.local_addr().ok(), name.as_socket());
    run_server(server, tcp_client);
}

#[test]
fn test_UDPServer() {
    let server = UdpServer::bind(ADDRESS, datagram_echo()).unwrap();
    let name = server.transport().unwrap().socket().local_addr().unwrap();
    assert_eq!(server.local_addr().ok(), name.as_socket());
    run_server(server, udp_client);
}

#[test]
fn test_ThreadingUDPServer() {
    let server = ThreadingUdpServer::bind(ADDRESS, datagram_echo()).unwrap();
    let name = server.transport().unwrap().socket().local_addr().unwrap();
    assert_eq!(server.local_addr().ok(), name.as_socket());
    run_server(server, udp_client);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::net;
    use std::path::PathBuf;

    use socket2::SockRef;
    use socketserver::transports::UnixAddr;
    use tempfile::TempDir;

    use super::*;

    /// A place for sockets, and a name there.
    fn place() -> (TempDir, PathBuf) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("server");
        (folder, path)
    }

    /// CPython compares `server_address`, the path as given, with `getsockname()`.
    fn check_name(address: &UnixAddr, socket: &SockRef<'_>, path: &std::path::Path) {
        assert_eq!(address.as_pathname(), Some(path));
        assert_eq!(socket.local_addr().unwrap().as_pathname(), Some(path));
    }

    fn stream_client(address: &UnixAddr) {
        let mut client = net::UnixStream::connect(address.as_pathname().unwrap()).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.write_all(LINE).unwrap();
        let mut answer = vec![0; LINE.len()];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer, LINE);
    }

    /// Bound to a path of its own: the reply needs somewhere to go.
    fn datagram_client(address: &UnixAddr) {
        let (_folder, own) = place();
        let client = net::UnixDatagram::bind(own).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.send_to(LINE, address.as_pathname().unwrap()).unwrap();
        let mut answer = [0; 100];
        let length = client.recv(&mut answer).unwrap();
        assert_eq!(&answer[..length], LINE);
    }

    #[test]
    fn test_UnixStreamServer() {
        let (_folder, path) = place();
        let server = UnixStreamServer::bind(&path, stream_echo()).unwrap();
        let address = server.local_addr().unwrap();
        check_name(&address, &server.transport().unwrap().socket(), &path);
        run_server(server, stream_client);
    }

    #[test]
    fn test_ThreadingUnixStreamServer() {
        let (_folder, path) = place();
        let server = ThreadingUnixStreamServer::bind(&path, stream_echo()).unwrap();
        let address = server.local_addr().unwrap();
        check_name(&address, &server.transport().unwrap().socket(), &path);
        run_server(server, stream_client);
    }

    #[test]
    fn test_UnixDatagramServer() {
        let (_folder, path) = place();
        let server = UnixDatagramServer::bind(&path, datagram_echo()).unwrap();
        let address = server.local_addr().unwrap();
        check_name(&address, &server.transport().unwrap().socket(), &path);
        run_server(server, datagram_client);
    }

    #[test]
    fn test_ThreadingUnixDatagramServer() {
        let (_folder, path) = place();
        let server = ThreadingUnixDatagramServer::bind(&path, datagram_echo()).unwrap();
        let address = server.local_addr().unwrap();
        check_name(&address, &server.transport().unwrap().socket(), &path);
        run_server(server, datagram_client);
    }
}
