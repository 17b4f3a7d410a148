//! The clients of a scenario, the same for every subject: what they do, and what they see byte for byte.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::scenario::{Hook, Step, Transport};
use crate::wire::Report;

/// How long to look for something that should not come. On one machine what was sent is there already.
const A_LOOK: Duration = Duration::from_millis(20);
/// How long to wait for what must come.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longer data is shown by its beginning and a checksum.
const LONG: usize = 64;

/// All clients of a scenario.
#[derive(Debug)]
pub(crate) struct Clients {
    transport: Transport,
    server: Option<SockAddr>,
    folder: PathBuf,
    all: BTreeMap<usize, Client>,
    /// The clients of streams in the order in which they connected, which is the order in which they are accepted.
    connected: Vec<usize>,
}

#[derive(Debug)]
struct Client {
    /// `None` once it is closed.
    socket: Option<Socket>,
    seen: Vec<Seen>,
}

#[derive(Debug)]
enum Seen {
    Data(Vec<u8>),
    /// The stream ended, was reset, …
    Event(&'static str),
}

impl Clients {
    pub(crate) fn new(transport: Transport) -> Self {
        Self {
            transport,
            server: None,
            folder: PathBuf::new(),
            all: BTreeMap::new(),
            connected: Vec::new(),
        }
    }

    /// Where to connect to; clients with paths have theirs beside the server's.
    pub(crate) fn server_is_at(&mut self, port: Option<u16>, path: &Path) {
        path.clone_into(&mut self.folder);
        self.server = match port {
            Some(port) => Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()),
            None => SockAddr::unix(path).ok(),
        };
    }

    /// Does one step of the script.
    pub(crate) fn step(&mut self, step: &Step, deadline: Instant) -> io::Result<()> {
        match *step {
            Step::Connect(client) => self.connect(client, true),
            Step::ConnectUnnamed(client) => self.connect(client, false),
            Step::Send(client, ref text) => {
                let Some(mut socket) = self.socket(client) else { return Ok(()) };
                let sent = if self.transport.is_stream() {
                    socket.write_all(text.as_bytes())
                } else {
                    // An empty packet is one, too.
                    socket.send(text.as_bytes()).map(drop)
                };
                // That the server does not want it any more is seen when reading.
                match sent {
                    Err(error) if !is_end(&error) && !nobody_there(&error) => Err(error),
                    _ => Ok(()),
                }
            }
            Step::HalfClose(client) => {
                let Some(socket) = self.socket(client) else { return Ok(()) };
                match socket.shutdown(Shutdown::Write) {
                    Err(error) if error.kind() != io::ErrorKind::NotConnected => Err(error),
                    _ => Ok(()),
                }
            }
            Step::Reset(client) => {
                if let Some(socket) = self.all.get_mut(&client).and_then(|it| it.socket.take()) {
                    socket.set_linger(Some(Duration::ZERO))?;
                }
                Ok(())
            }
            Step::Close(client) => {
                self.all.get_mut(&client).map(|it| it.socket.take());
                Ok(())
            }
            Step::Read(client, bytes) => {
                let stream = self.transport.is_stream();
                let patience = deadline.saturating_duration_since(Instant::now()).min(PATIENCE);
                let Some(client) = self.all.get_mut(&client) else { return Ok(()) };
                client.read(if stream { bytes } else { 0 }, stream, patience)
            }
            // These are not for clients.
            Step::Drive | Step::Await(_) | Step::Stop => Ok(()),
        }
    }

    fn socket(&self, client: usize) -> Option<&Socket> {
        self.all.get(&client).and_then(|client| client.socket.as_ref())
    }

    fn connect(&mut self, number: usize, named: bool) -> io::Result<()> {
        let domain = if self.transport.is_unix() { Domain::UNIX } else { Domain::IPV4 };
        let kind = if self.transport.is_stream() { Type::STREAM } else { Type::DGRAM };
        let socket = Socket::new(domain, kind, None)?;
        // Also for connecting: a server that does not take what is sent must not hang the harness.
        socket.set_write_timeout(Some(PATIENCE))?;
        if named && self.transport == Transport::UnixDatagram {
            socket.bind(&SockAddr::unix(self.folder.with_extension(number.to_string()))?)?;
        }
        let server = self.server.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        socket.connect(server)?;
        if self.transport.is_stream() {
            self.connected.push(number);
        }
        self.all.insert(number, Client { socket: Some(socket), seen: Vec::new() });
        Ok(())
    }

    /// Reads what is left, when the server is closed. A connection that nobody closed does not end, so for that one
    /// only a look is taken.
    pub(crate) fn read_the_rest(&mut self, reports: &[Report]) {
        let stream = self.transport.is_stream();
        for (number, client) in &mut self.all {
            let accepted = self.connected.iter().position(|client| client == number);
            let ends = accepted.is_some_and(|request| has_ended(reports, request));
            let patience = if stream && ends { PATIENCE } else { A_LOOK };
            if let Err(error) = client.read_to_end(stream, patience) {
                client.seen.push(Seen::Event(if is_end(&error) { "reset" } else { "error" }));
            }
        }
    }

    /// What each client saw, as words.
    pub(crate) fn seen(&self) -> BTreeMap<usize, Vec<String>> {
        let words = |client: &Client| client.seen.iter().map(Seen::word).collect();
        self.all.iter().map(|(number, client)| (*number, words(client))).collect()
    }
}

/// Whether the connection of this request comes to an end: it was closed or shut down, or never accepted by a server that
/// is closed now.
fn has_ended(reports: &[Report], request: usize) -> bool {
    let mut accepted = false;
    for report in reports {
        let Report::Hook(call) = report else { continue };
        if call.request == Some(request) {
            accepted = true;
            let stock = call.does.is_none();
            if stock && matches!(call.hook, Hook::ShutdownRequest | Hook::CloseRequest) {
                return true;
            }
        }
    }
    !accepted
}

impl Client {
    /// Reads up to `bytes` bytes, or one packet.
    fn read(&mut self, bytes: usize, stream: bool, patience: Duration) -> io::Result<()> {
        let mut left = bytes;
        while !self.has_ended() {
            let most = if stream { left } else { usize::MAX };
            let data = match self.receive(most, patience) {
                Err(error) if is_end(&error) => {
                    self.seen.push(Seen::Event("reset"));
                    return Ok(());
                }
                received => received?,
            };
            let Some(data) = data else { return Ok(()) };
            left = left.saturating_sub(data.len());
            let ended = stream && data.is_empty();
            self.note(data, stream);
            if ended || left == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether there is no more to see.
    fn has_ended(&self) -> bool {
        matches!(self.seen.last(), Some(Seen::Event(_)))
    }

    fn read_to_end(&mut self, stream: bool, patience: Duration) -> io::Result<()> {
        while !self.has_ended() {
            match self.receive(usize::MAX, patience)? {
                None => {
                    if stream && self.socket.is_some() {
                        self.seen.push(Seen::Event("open"));
                    }
                    return Ok(());
                }
                Some(data) => {
                    let ended = stream && data.is_empty();
                    self.note(data, stream);
                    if ended {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, data: Vec<u8>, stream: bool) {
        match self.seen.last_mut() {
            _ if stream && data.is_empty() => self.seen.push(Seen::Event("end")),
            // On a stream nobody sees where one write ended and the next began.
            Some(Seen::Data(before)) if stream => before.extend(data),
            _ => self.seen.push(Seen::Data(data)),
        }
    }

    /// What one receive brings; `None` if nothing does in time, or the client is closed.
    fn receive(&self, most: usize, patience: Duration) -> io::Result<Option<Vec<u8>>> {
        let Some(mut socket) = self.socket.as_ref() else { return Ok(None) };
        socket.set_read_timeout(Some(patience.max(Duration::from_millis(1))))?;
        let mut buffer = vec![0; most.min(64 * 1024)];
        match socket.read(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                Ok(Some(buffer))
            }
            Err(error)
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
            {
                Ok(None)
            }
            // A packet sent to a port that is gone says so at the next receive.
            Err(error) if nobody_there(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Seen {
    fn word(&self) -> String {
        match self {
            Self::Data(data) if data.len() > LONG => {
                let start = String::from_utf8_lossy(&data[..LONG]);
                format!("{:?}", format!("{start}... {} bytes, {:016x}", data.len(), checksum(data)))
            }
            Self::Data(data) => format!("{:?}", String::from_utf8_lossy(data)),
            Self::Event(event) => (*event).to_owned(),
        }
    }
}

/// FNV-1a: stands for data that is too long to be shown, and stays the same from one release to the next.
fn checksum(data: &[u8]) -> u64 {
    data.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}

fn nobody_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)
}
