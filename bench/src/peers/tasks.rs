//! Tokio: a task for each connection, on its default runtime.

use std::io;
use std::net;
use std::os::unix;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, UdpSocket, UnixListener};
use tokio::runtime::Builder;
use tokio::task;

use super::listen::{Listener, listen};
use crate::Outcome;
use crate::protocol::{After, asks_to_block, obey, peek};
use crate::serve::announce;
use crate::workload::Workload;

/// Where a request that blocks does so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Blocking {
    /// In the task, as the handlers of the other subjects.
    InTheTask,
    /// In `spawn_blocking`, as tokio's documentation asks for.
    Elsewhere,
}

pub(super) fn run(workload: Workload, blocking: Blocking) -> Outcome<()> {
    let runtime = Builder::new_multi_thread().enable_io().build()?;
    runtime.block_on(async {
        if workload.is_udp() {
            return packets().await;
        }
        match listen(workload)? {
            Listener::Tcp(listener) => tcp(listener, blocking).await,
            Listener::Unix(listener) => unix_stream(listener, blocking).await,
        }
    })
}

async fn tcp(listener: net::TcpListener, blocking: Blocking) -> Outcome<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        task::spawn(converse(stream, blocking));
    }
}

async fn unix_stream(listener: unix::net::UnixListener, blocking: Blocking) -> Outcome<()> {
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    loop {
        task::spawn(converse(listener.accept().await?.0, blocking));
    }
}

/// Serves a connection to its end. What goes wrong with it concerns the client, who counts it.
async fn converse<S>(stream: S, blocking: Blocking)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let _ = echo(stream, blocking).await;
}

async fn echo<S>(stream: S, blocking: Blocking) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let after = if blocking == Blocking::Elsewhere && asks_to_block(&line) {
            let asked = line.clone();
            task::spawn_blocking(move || obey(&asked)).await?
        } else if asks_to_block(&line) {
            obey(&line)
        } else {
            peek(&line)
        };
        stream.get_mut().write_all(&line).await?;
        if after == After::Close {
            return Ok(());
        }
    }
}

async fn packets() -> Outcome<()> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    announce("udp", socket.local_addr()?)?;
    let mut packet = [0; 2048];
    loop {
        let (length, client) = socket.recv_from(&mut packet).await?;
        socket.send_to(&packet[..length], client).await?;
    }
}
