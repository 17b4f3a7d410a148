//! One thread and epoll, level-triggered: accept, read, write. The practical limit of what a server can do.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, read, write};
use rustix::net::{SocketFlags, accept_with, sockopt::set_tcp_nodelay};

use super::listen::{Listener, listen};
use crate::Outcome;
use crate::protocol::{After, obey};
use crate::workload::Workload;

const LISTENER: u64 = u64::MAX;

/// A connection, and the beginning of a line whose end has not come yet.
struct Connection {
    socket: OwnedFd,
    begun: Vec<u8>,
}

pub(super) fn run(workload: Workload) -> Outcome<()> {
    let (listener, tcp): (OwnedFd, bool) = match listen(workload)? {
        Listener::Tcp(listener) => {
            listener.set_nonblocking(true)?;
            (listener.into(), true)
        }
        Listener::Unix(listener) => {
            listener.set_nonblocking(true)?;
            (listener.into(), false)
        }
    };
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut free = Vec::new();
    let mut events: Vec<Event> = Vec::with_capacity(256);
    let mut buffer = [0; 4096];
    loop {
        events.clear();
        match epoll::wait(&epoll, spare_capacity(&mut events), None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let key = event.data.u64();
            if key == LISTENER {
                let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
                let socket = match accept_with(&listener, flags) {
                    Ok(socket) => socket,
                    Err(Errno::AGAIN | Errno::CONNABORTED | Errno::INTR) => continue,
                    Err(error) => return Err(error.into()),
                };
                if tcp {
                    set_tcp_nodelay(&socket, true)?;
                }
                let place = free.pop().unwrap_or_else(|| {
                    connections.push(None);
                    connections.len() - 1
                });
                epoll::add(&epoll, &socket, EventData::new_u64(place as u64), EventFlags::IN)?;
                connections[place] = Some(Connection { socket, begun: Vec::new() });
                continue;
            }
            let place = usize::try_from(key)?;
            let Some(connection) = connections.get_mut(place).and_then(Option::as_mut) else {
                continue;
            };
            // Closing takes it out of the epoll set: nobody else has the descriptor.
            if !matches!(serve(connection, &mut buffer), Ok(After::Keep)) {
                connections[place] = None;
                free.push(place);
            }
        }
    }
}

/// Serves what can be read at once.
fn serve(connection: &mut Connection, buffer: &mut [u8]) -> io::Result<After> {
    let length = match read(&connection.socket, &mut *buffer) {
        Ok(0) => return Ok(After::Close),
        Ok(length) => length,
        Err(Errno::AGAIN | Errno::INTR) => return Ok(After::Keep),
        Err(error) => return Err(error.into()),
    };
    for line in buffer[..length].split_inclusive(|byte| *byte == b'\n') {
        if !line.ends_with(b"\n") {
            connection.begun.extend_from_slice(line);
            continue;
        }
        let after = if connection.begun.is_empty() {
            answer(&connection.socket, line)?
        } else {
            connection.begun.extend_from_slice(line);
            let line = std::mem::take(&mut connection.begun);
            answer(&connection.socket, &line)?
        };
        if after == After::Close {
            return Ok(After::Close);
        }
    }
    Ok(After::Keep)
}

fn answer(socket: &OwnedFd, line: &[u8]) -> io::Result<After> {
    let after = obey(line);
    let mut left = line;
    while !left.is_empty() {
        match write(socket, left) {
            Ok(written) => left = &left[written..],
            // A client that does not read what it asked for; those here do.
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::OUT)], None)?;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(after)
}
