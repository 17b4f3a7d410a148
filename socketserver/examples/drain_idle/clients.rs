//! The clients: a process that connects, says and hears something on each connection, and keeps it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use super::Outcome;

/// The argument that makes this program the clients.
pub(crate) const WORD: &str = "clients";

/// The process of the clients.
pub(crate) struct Clients(Child);

impl Clients {
    /// Starts it, and waits until all are connected and have been answered.
    pub(crate) fn start(address: &str, connections: usize) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args([WORD, address, &connections.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut ready = [0; 6];
        process.stdout.take().ok_or("no output")?.read_exact(&mut ready)?;
        Ok(Self(process))
    }

    pub(crate) fn end(mut self) -> Outcome<()> {
        drop(self.0.stdin.take());
        self.0.wait()?;
        Ok(())
    }
}

/// What that process does.
pub(crate) fn run(address: &str, connections: usize) -> Outcome<()> {
    let mut all = Vec::new();
    for _ in 0..connections {
        let mut client = TcpStream::connect(address)?;
        client.write_all(b"\n")?;
        client.read_exact(&mut [0])?;
        all.push(client);
    }
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
