//! TCP and UDP as subjects.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use socketserver_core::{DatagramRequest, StreamRequest};
use socketserver_transports::{BindError, Connection, Datagram, Tcp, Udp};

use crate::folder::Folder;
use crate::loopback::loopback;
use crate::subject::{Client, LIMIT, Subject};

pub(crate) struct TcpSubject;

impl Subject for TcpSubject {
    type Transport = Tcp;
    type Client = TcpStream;

    fn bind(_: &Folder) -> Tcp {
        Tcp::bind((loopback(), 0)).unwrap()
    }

    fn bind_with_timeout(_: &Folder, timeout: Duration) -> Tcp {
        Tcp::options().timeout(timeout).bind((loopback(), 0)).unwrap()
    }

    fn bind_again(address: &SocketAddr) -> Result<Tcp, BindError> {
        Tcp::bind(address)
    }

    fn adopt(_: &Folder) -> Tcp {
        Tcp::options().adopt(TcpListener::bind((loopback(), 0)).unwrap()).unwrap()
    }

    fn adopt_wrong_type() -> Result<Tcp, BindError> {
        Tcp::options().adopt(UdpSocket::bind((loopback(), 0)).unwrap())
    }

    fn connect(server: &SocketAddr, _: &Folder) -> TcpStream {
        let client = TcpStream::connect(server).unwrap();
        client.set_read_timeout(Some(LIMIT)).unwrap();
        client
    }

    fn read(request: &Connection<TcpStream>, length: usize) -> Vec<u8> {
        read_exactly(request, length)
    }

    fn reply(request: &Connection<TcpStream>, data: &[u8]) {
        (&*request).write_all(data).unwrap();
    }
}

/// Reads so many bytes of a connection.
pub(crate) fn read_exactly<C: StreamRequest>(mut request: &C, length: usize) -> Vec<u8>
where
    for<'a> &'a C: Read,
{
    request.set_timeout(Some(LIMIT)).unwrap();
    let mut data = vec![0; length];
    request.read_exact(&mut data).unwrap();
    data
}

impl Client<TcpSubject> for TcpStream {
    fn address(&self) -> SocketAddr {
        self.local_addr().unwrap()
    }

    fn send(&mut self, data: &[u8]) {
        self.write_all(data).unwrap();
    }

    fn receive(&mut self, length: usize) -> Vec<u8> {
        let mut data = vec![0; length];
        self.read_exact(&mut data).unwrap();
        data
    }
}

pub(crate) struct UdpSubject;

impl Subject for UdpSubject {
    type Transport = Udp;
    type Client = UdpSocket;

    fn bind(_: &Folder) -> Udp {
        Udp::bind((loopback(), 0)).unwrap()
    }

    fn bind_with_timeout(_: &Folder, timeout: Duration) -> Udp {
        Udp::options().timeout(timeout).bind((loopback(), 0)).unwrap()
    }

    fn bind_again(address: &SocketAddr) -> Result<Udp, BindError> {
        Udp::bind(address)
    }

    fn adopt(_: &Folder) -> Udp {
        Udp::options().adopt(UdpSocket::bind((loopback(), 0)).unwrap()).unwrap()
    }

    fn adopt_wrong_type() -> Result<Udp, BindError> {
        Udp::options().adopt(TcpListener::bind((loopback(), 0)).unwrap())
    }

    fn connect(server: &SocketAddr, _: &Folder) -> UdpSocket {
        let client = UdpSocket::bind((loopback(), 0)).unwrap();
        client.set_read_timeout(Some(LIMIT)).unwrap();
        client.connect(server).unwrap();
        client
    }

    fn read(request: &Datagram<UdpSocket>, length: usize) -> Vec<u8> {
        assert_eq!(request.packet().len(), length);
        request.packet().to_vec()
    }

    fn reply(request: &Datagram<UdpSocket>, data: &[u8]) {
        request.reply(data).unwrap();
    }
}

impl Client<UdpSubject> for UdpSocket {
    fn address(&self) -> SocketAddr {
        self.local_addr().unwrap()
    }

    fn send(&mut self, data: &[u8]) {
        UdpSocket::send(self, data).unwrap();
    }

    fn receive(&mut self, length: usize) -> Vec<u8> {
        let mut data = vec![0; length + 1];
        let received = self.recv(&mut data).unwrap();
        data.truncate(received);
        data
    }
}
