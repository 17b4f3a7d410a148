//! Unix streams, datagrams and sequenced packets as subjects.

use std::io::{Read, Write};
use std::os::unix::net;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use socketserver_core::DatagramRequest;
use socketserver_transports::{
    BindError, Connection, Datagram, UnixAddr, UnixDatagram, UnixStream, socket2,
};

use crate::folder::Folder;
use crate::ip::read_exactly;
use crate::subject::{Client, LIMIT, Subject};

fn path(folder: &Folder, name: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    folder.path().join(format!("{name}{}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

fn at(address: &UnixAddr) -> &std::path::Path {
    address.as_pathname().unwrap()
}

/// A client socket with a path of its own, connected.
fn client(kind: Type, server: &UnixAddr, folder: &Folder) -> Socket {
    let client = Socket::new(Domain::UNIX, kind, None).unwrap();
    client.bind(&SockAddr::unix(path(folder, "client")).unwrap()).unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    client.connect(&SockAddr::unix(at(server)).unwrap()).unwrap();
    client
}

pub(crate) struct StreamSubject;

impl Subject for StreamSubject {
    type Transport = UnixStream;
    type Client = net::UnixStream;

    fn bind(folder: &Folder) -> UnixStream {
        UnixStream::bind(path(folder, "server")).unwrap()
    }

    fn bind_with_timeout(folder: &Folder, timeout: Duration) -> UnixStream {
        UnixStream::options().timeout(timeout).bind(path(folder, "server")).unwrap()
    }

    fn bind_again(address: &UnixAddr) -> Result<UnixStream, BindError> {
        UnixStream::bind(address)
    }

    fn adopt(folder: &Folder) -> UnixStream {
        let listener = net::UnixListener::bind(path(folder, "server")).unwrap();
        UnixStream::options().adopt(listener).unwrap()
    }

    fn adopt_wrong_type() -> Result<UnixStream, BindError> {
        UnixStream::options().adopt(net::UnixDatagram::unbound().unwrap())
    }

    fn connect(server: &UnixAddr, folder: &Folder) -> net::UnixStream {
        client(Type::STREAM, server, folder).into()
    }

    fn read(request: &Connection<net::UnixStream>, length: usize) -> Vec<u8> {
        read_exactly(request, length)
    }

    fn reply(request: &Connection<net::UnixStream>, data: &[u8]) {
        (&*request).write_all(data).unwrap();
    }
}

impl Client<StreamSubject> for net::UnixStream {
    fn address(&self) -> UnixAddr {
        self.local_addr().unwrap().into()
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

pub(crate) struct DatagramSubject;

impl Subject for DatagramSubject {
    type Transport = UnixDatagram;
    type Client = UnconnectedClient;

    fn bind(folder: &Folder) -> UnixDatagram {
        UnixDatagram::bind(path(folder, "server")).unwrap()
    }

    fn bind_with_timeout(folder: &Folder, timeout: Duration) -> UnixDatagram {
        UnixDatagram::options().timeout(timeout).bind(path(folder, "server")).unwrap()
    }

    fn bind_again(address: &UnixAddr) -> Result<UnixDatagram, BindError> {
        UnixDatagram::bind(address)
    }

    fn adopt(folder: &Folder) -> UnixDatagram {
        let socket = net::UnixDatagram::bind(path(folder, "server")).unwrap();
        UnixDatagram::options().adopt(socket).unwrap()
    }

    fn adopt_wrong_type() -> Result<UnixDatagram, BindError> {
        let (stream, _) = net::UnixStream::pair().unwrap();
        UnixDatagram::options().adopt(stream)
    }

    fn connect(server: &UnixAddr, folder: &Folder) -> UnconnectedClient {
        let socket = net::UnixDatagram::bind(path(folder, "client")).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        UnconnectedClient { socket, server: at(server).to_path_buf() }
    }

    fn read(request: &Datagram<net::UnixDatagram>, length: usize) -> Vec<u8> {
        assert_eq!(request.packet().len(), length);
        request.packet().to_vec()
    }

    fn reply(request: &Datagram<net::UnixDatagram>, data: &[u8]) {
        request.reply(data).unwrap();
    }
}

/// A client that is not cut off from the server's replies when its socket is closed.
pub(crate) struct UnconnectedClient {
    socket: net::UnixDatagram,
    server: PathBuf,
}

impl Client<DatagramSubject> for UnconnectedClient {
    fn address(&self) -> UnixAddr {
        self.socket.local_addr().unwrap().into()
    }

    fn send(&mut self, data: &[u8]) {
        self.socket.send_to(data, &self.server).unwrap();
    }

    fn receive(&mut self, length: usize) -> Vec<u8> {
        let mut data = vec![0; length + 1];
        let received = self.socket.recv(&mut data).unwrap();
        data.truncate(received);
        data
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub(crate) mod seqpacket {
    //! Sequenced packets.

    use socketserver_transports::{SeqpacketSocket, UnixSeqpacket};

    use super::*;

    pub(crate) struct SeqpacketSubject;

    impl Subject for SeqpacketSubject {
        type Transport = UnixSeqpacket;
        type Client = Socket;

        fn bind(folder: &Folder) -> UnixSeqpacket {
            UnixSeqpacket::bind(path(folder, "server")).unwrap()
        }

        fn bind_with_timeout(folder: &Folder, timeout: Duration) -> UnixSeqpacket {
            UnixSeqpacket::options().timeout(timeout).bind(path(folder, "server")).unwrap()
        }

        fn bind_again(address: &UnixAddr) -> Result<UnixSeqpacket, BindError> {
            UnixSeqpacket::bind(address)
        }

        fn adopt(folder: &Folder) -> UnixSeqpacket {
            let listener = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
            listener.bind(&SockAddr::unix(path(folder, "server")).unwrap()).unwrap();
            listener.listen(5).unwrap();
            UnixSeqpacket::options().adopt(listener).unwrap()
        }

        fn adopt_wrong_type() -> Result<UnixSeqpacket, BindError> {
            UnixSeqpacket::options().adopt(net::UnixDatagram::unbound().unwrap())
        }

        fn connect(server: &UnixAddr, folder: &Folder) -> Socket {
            client(Type::SEQPACKET, server, folder)
        }

        fn read(request: &Connection<SeqpacketSocket>, length: usize) -> Vec<u8> {
            read_exactly(request, length)
        }

        fn reply(request: &Connection<SeqpacketSocket>, data: &[u8]) {
            (&*request).write_all(data).unwrap();
        }
    }

    impl Client<SeqpacketSubject> for Socket {
        fn address(&self) -> UnixAddr {
            let address = self.local_addr().unwrap();
            address.as_unix().unwrap().into()
        }

        fn send(&mut self, data: &[u8]) {
            Socket::send(self, data).unwrap();
        }

        fn receive(&mut self, length: usize) -> Vec<u8> {
            let mut data = vec![0; length + 1];
            let received = self.read(&mut data).unwrap();
            data.truncate(received);
            data
        }
    }
}
