//! Workloads: what the clients do, and how many of them there are. A name says all of it: `echo-64`.

use std::fmt;
use std::str::FromStr;

/// Connections of the workloads that have a fixed number.
pub(crate) const CONNECTIONS: usize = 64;
/// Clients that connect for each request.
pub(crate) const CONNECTORS: usize = 16;
/// Sockets of the UDP clients.
pub(crate) const PACKET_CLIENTS: usize = 16;

/// What the clients do.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Workload {
    /// Connections that are kept, each with one line in flight.
    Echo { connections: usize },
    /// The same with 64 connections, where one request in so many asks the handler to block.
    Mixed { one_in: usize },
    /// A connection for each request, 16 at a time.
    Connect,
    /// Datagrams of 16 sockets, each with so many in flight.
    Udp { window: usize },
    /// As `Echo`, with 64 connections, over a Unix socket.
    Unix,
    /// Connections that have had one answer each and say nothing more.
    IdleMemory { connections: usize },
    /// As `Connect`, beside so many idle connections.
    Accept { idle: usize },
    /// The end of a server that has so many connections, which have had an answer and wait.
    Stop { connections: usize },
}

impl Workload {
    /// The name without numbers, by which several are chosen at once.
    pub(crate) const fn group(self) -> &'static str {
        match self {
            Self::Echo { .. } => "echo",
            Self::Mixed { .. } => "mixed",
            Self::Connect => "connect",
            Self::Udp { .. } => "udp",
            Self::Unix => "unix",
            Self::IdleMemory { .. } => "idle-memory",
            Self::Accept { .. } => "accept",
            Self::Stop { .. } => "stop",
        }
    }

    /// The most connections there are at a time: a pool of threads has as many workers.
    pub(crate) const fn connections(self) -> usize {
        match self {
            Self::Echo { connections }
            | Self::IdleMemory { connections }
            | Self::Stop { connections } => connections,
            Self::Mixed { .. } | Self::Unix => CONNECTIONS,
            Self::Connect => CONNECTORS,
            Self::Udp { .. } => PACKET_CLIENTS,
            Self::Accept { idle } => idle + CONNECTORS,
        }
    }

    /// Whether it is about datagrams.
    pub(crate) const fn is_udp(self) -> bool {
        matches!(self, Self::Udp { .. })
    }

    /// Whether what is chosen on the command line means this: a name, or that of a group.
    pub(crate) fn is_meant_by(self, word: &str) -> bool {
        word == self.group() || word == self.to_string()
    }

    /// One line for the report.
    pub(crate) fn title(self) -> String {
        match self {
            Self::Echo { connections } => {
                format!("keep-alive echo, {connections} connection(s)")
            }
            Self::Mixed { one_in } => {
                format!("keep-alive echo, 64 connections, 1 request in {one_in} blocks 5 ms")
            }
            Self::Connect => "a connection for each request, 16 at a time".to_owned(),
            Self::Udp { window } => {
                format!("UDP echo, 16 sockets, {window} datagram(s) in flight each")
            }
            Self::Unix => "keep-alive echo over a Unix socket, 64 connections".to_owned(),
            Self::IdleMemory { connections } => format!("{connections} idle connections"),
            Self::Accept { idle } => {
                format!("a connection for each request, beside {idle} idle connections")
            }
            Self::Stop { connections } => {
                format!(
                    "from the order to stop to the closed port, {connections} idle connection(s)"
                )
            }
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Echo { connections: number }
            | Self::Mixed { one_in: number }
            | Self::Udp { window: number }
            | Self::IdleMemory { connections: number }
            | Self::Accept { idle: number }
            | Self::Stop { connections: number } => write!(f, "{}-{number}", self.group()),
            Self::Connect | Self::Unix => f.write_str(self.group()),
        }
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let unknown = || format!("not a workload: {name}");
        match name {
            "connect" => return Ok(Self::Connect),
            "unix" => return Ok(Self::Unix),
            _ => {}
        }
        let (group, number) = name.rsplit_once('-').ok_or_else(unknown)?;
        let number: usize = number.parse().map_err(|_| unknown())?;
        match group {
            "echo" if number > 0 => Ok(Self::Echo { connections: number }),
            "mixed" if number > 0 => Ok(Self::Mixed { one_in: number }),
            "udp" if number > 0 => Ok(Self::Udp { window: number }),
            "idle-memory" if number > 0 => Ok(Self::IdleMemory { connections: number }),
            "accept" => Ok(Self::Accept { idle: number }),
            "stop" => Ok(Self::Stop { connections: number }),
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_all_of_it() {
        for workload in [
            Workload::Echo { connections: 64 },
            Workload::Mixed { one_in: 1000 },
            Workload::Connect,
            Workload::Udp { window: 8 },
            Workload::Unix,
            Workload::IdleMemory { connections: 10_000 },
            Workload::Accept { idle: 0 },
            Workload::Stop { connections: 0 },
        ] {
            assert_eq!(workload.to_string().parse(), Ok(workload));
            assert!(workload.is_meant_by(workload.group()));
            assert!(workload.is_meant_by(&workload.to_string()));
            assert!(!workload.is_meant_by("other"));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for name in ["", "echo", "echo-", "echo-0", "echo-x", "unix-64", "nothing-1"] {
            assert!(name.parse::<Workload>().is_err(), "{name}");
        }
    }
}
