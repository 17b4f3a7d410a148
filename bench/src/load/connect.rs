//! Clients that connect for each request: connect, line, answer, end.

use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::io::{Errno, read, write};

use super::poller::Poller;
use super::streams::{PATIENCE, connect};
use super::{Phase, Shared, Tally};
use crate::Outcome;
use crate::child::Address;
use crate::protocol::{LINE, Line, Wish};

/// A connection that asks for one line, and sees the server close it. It is closed with a reset then, so that no port
/// stays taken.
struct Client {
    socket: OwnedFd,
    sent: Line,
    begun: Instant,
    got: usize,
    answer: [u8; LINE + 1],
    counts: bool,
}

struct Load<'a> {
    shared: &'a Shared,
    address: &'a Address,
    tally: Tally,
    number: u64,
}

/// Runs so many clients until the phase is `Stop` and all answers have come.
pub(crate) fn run(shared: &Shared, address: &Address, connections: usize) -> Outcome<Tally> {
    let mut poller = Poller::new()?;
    let mut load = Load { shared, address, tally: Tally::new()?, number: 0 };
    let mut clients: Vec<Option<Client>> = Vec::with_capacity(connections);
    for key in 0..connections {
        clients.push(load.begin(&poller, key));
    }
    let mut done = Vec::new();
    let mut stopped = None;
    loop {
        for key in poller.wait()? {
            if let Some(client) = &mut clients[key]
                && load.on_readable(client)
            {
                clients[key] = None;
                done.push(key);
            }
        }
        let phase = shared.phase();
        for key in done.drain(..) {
            if phase != Phase::Stop {
                clients[key] = load.begin(&poller, key);
            }
        }
        if phase == Phase::Stop {
            let since: &mut Instant = stopped.get_or_insert_with(Instant::now);
            let left = clients.iter().flatten().count();
            if left == 0 {
                break;
            }
            if since.elapsed() > PATIENCE {
                for _ in 0..left {
                    load.tally.error("no answer");
                }
                break;
            }
        }
    }
    Ok(load.tally)
}

impl Load<'_> {
    fn begin(&mut self, poller: &Poller, key: usize) -> Option<Client> {
        let begun = Instant::now();
        self.number += 1;
        let sent = Wish::Quit.line(self.number);
        let counts = self.shared.phase() == Phase::Measure;
        let open = || -> Outcome<Client> {
            let socket = connect(self.address)?;
            if write(&socket, &sent)? != LINE {
                return Err("a line was sent in part".into());
            }
            poller.add(&socket, key)?;
            Ok(Client { socket, sent, begun, got: 0, answer: [0; LINE + 1], counts })
        };
        open().map_err(|error| self.tally.error(error)).ok()
    }

    /// Reads all there is; says whether that was the end.
    fn on_readable(&mut self, client: &mut Client) -> bool {
        loop {
            match read(&client.socket, &mut client.answer[client.got..]) {
                Ok(0) => break,
                Ok(more) => client.got += more,
                Err(Errno::AGAIN) => return false,
                Err(error) => {
                    self.tally.error(error);
                    return true;
                }
            }
        }
        if client.got != LINE || client.answer[..LINE] != client.sent {
            self.tally.error(if client.got == 0 { "no answer" } else { "a wrong answer" });
            return true;
        }
        self.tally.answer(self.shared.phase(), client.counts.then(|| client.begun.elapsed()));
        self.shared.one_is_ready();
        true
    }
}
