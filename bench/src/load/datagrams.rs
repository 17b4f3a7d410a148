//! UDP clients: sockets with a window of datagrams in flight each.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use super::poller::Poller;
use super::{Phase, Shared, Tally};
use crate::Outcome;
use crate::child::Address;
use crate::protocol::{LINE, Line, Wish};

/// After this a datagram counts as lost: an error, and another one is sent.
const LOST: Duration = Duration::from_secs(1);

struct Client {
    socket: UdpSocket,
    in_flight: Vec<Datagram>,
    answered: bool,
}

struct Datagram {
    line: Line,
    begun: Instant,
    counts: bool,
}

struct Load<'a> {
    shared: &'a Shared,
    tally: Tally,
    number: u64,
}

/// Runs so many sockets until the phase is `Stop` and all answers have come, or are lost.
pub(crate) fn run(
    shared: &Shared,
    address: &Address,
    sockets: usize,
    window: usize,
) -> Outcome<Tally> {
    let Address::Udp(server) = address else { return Err("this server does not speak UDP".into()) };
    let mut poller = Poller::new()?;
    let mut load = Load { shared, tally: Tally::new()?, number: 0 };
    let mut clients = Vec::with_capacity(sockets);
    for key in 0..sockets {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(server)?;
        socket.set_nonblocking(true)?;
        poller.add(&socket, key)?;
        clients.push(Client { socket, in_flight: Vec::with_capacity(window), answered: false });
    }
    for client in &mut clients {
        for _ in 0..window {
            load.begin(client, Instant::now());
        }
    }
    let mut looked = Instant::now();
    loop {
        for key in poller.wait()? {
            load.on_readable(&mut clients[key]);
        }
        if looked.elapsed() > LOST / 4 {
            looked = Instant::now();
            for client in &mut clients {
                load.replace_lost(client);
            }
        }
        let idle = || clients.iter().all(|client| client.in_flight.is_empty());
        if shared.phase() == Phase::Stop && idle() {
            return Ok(load.tally);
        }
    }
}

impl Load<'_> {
    fn begin(&mut self, client: &mut Client, now: Instant) {
        self.number += 1;
        let line = Wish::Echo.line(self.number);
        let counts = self.shared.phase() == Phase::Measure;
        if let Err(error) = client.socket.send(&line) {
            self.tally.error(error);
        }
        client.in_flight.push(Datagram { line, begun: now, counts });
    }

    /// Takes all answers there are: news comes once for all of them.
    fn on_readable(&mut self, client: &mut Client) {
        let mut answer = [0; LINE + 1];
        loop {
            match client.socket.recv(&mut answer) {
                Ok(length) => self.on_answer(client, &answer[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => return self.tally.error(error),
            }
        }
    }

    fn on_answer(&mut self, client: &mut Client, answer: &[u8]) {
        let Some(place) = client.in_flight.iter().position(|datagram| datagram.line == answer)
        else {
            return self.tally.error("a wrong answer");
        };
        let datagram = client.in_flight.swap_remove(place);
        let now = Instant::now();
        let phase = self.shared.phase();
        self.tally.answer(phase, datagram.counts.then(|| now - datagram.begun));
        if !client.answered {
            client.answered = true;
            self.shared.one_is_ready();
        }
        if phase != Phase::Stop {
            self.begin(client, now);
        }
    }

    fn replace_lost(&mut self, client: &mut Client) {
        let before = client.in_flight.len();
        client.in_flight.retain(|datagram| datagram.begun.elapsed() < LOST);
        for _ in client.in_flight.len()..before {
            self.tally.error("a datagram without an answer");
            if self.shared.phase() != Phase::Stop {
                self.begin(client, Instant::now());
            }
        }
    }
}
