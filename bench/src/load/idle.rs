//! Connections that have had one answer and say nothing more.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use crate::Outcome;
use crate::child::Address;
use crate::protocol::{LINE, Wish};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// They stay until this is dropped.
#[derive(Debug)]
pub(crate) struct Idle {
    connections: Vec<TcpStream>,
}

impl Idle {
    /// Connects one after another, so that no backlog overflows; each is answered before the next comes.
    pub(crate) fn open(address: &Address, connections: usize) -> Outcome<Self> {
        let Address::Tcp(address) = address else { return Err("this needs a TCP server".into()) };
        let mut open = Vec::with_capacity(connections);
        for number in 0..connections {
            let mut connection = TcpStream::connect(address)?;
            connection.set_read_timeout(Some(PATIENCE))?;
            set_socket_linger(&connection, Some(Duration::ZERO))?;
            let line = Wish::Echo.line(number as u64);
            connection.write_all(&line)?;
            let mut answer = [0; LINE];
            connection.read_exact(&mut answer)?;
            if answer != line {
                return Err("a wrong answer".into());
            }
            open.push(connection);
        }
        Ok(Self { connections: open })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.connections.len()
    }
}
