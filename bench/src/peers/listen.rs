//! Sockets of the peers: the same options for all of them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};

use socket2::{Domain, Socket, Type};

use crate::Outcome;
use crate::protocol::{After, obey};
use crate::serve::{announce, socket_path};
use crate::workload::Workload;

/// As many as the system allows, which is what this project's servers have.
const BACKLOG: i32 = i32::MAX;

/// Something that accepts.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// What was accepted.
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// The listener for a workload; its address has been announced.
pub(super) fn listen(workload: Workload) -> Outcome<Listener> {
    if workload == Workload::Unix {
        let listener = UnixListener::bind(socket_path())?;
        announce("unix", socket_path().display())?;
        return Ok(Listener::Unix(listener));
    }
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from(socket);
    announce("tcp", listener.local_addr()?)?;
    Ok(Listener::Tcp(listener))
}

impl Listener {
    /// Accepts one connection, on which small writes leave at once.
    pub(super) fn accept(&self) -> std::io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Self::Unix(listener) => Ok(Stream::Unix(listener.accept()?.0)),
        }
    }
}

/// Serves a connection with blocking calls to its end. What goes wrong with it concerns the client, who counts it.
pub(super) fn converse(stream: &Stream) {
    let _ = match stream {
        Stream::Tcp(stream) => echo(stream),
        Stream::Unix(stream) => echo(stream),
    };
}

fn echo<S>(mut stream: S) -> std::io::Result<()>
where
    S: Read + Write + Copy,
{
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let after = obey(&line);
        stream.write_all(&line)?;
        if after == After::Close {
            return Ok(());
        }
    }
}
