//! Clients that keep their connection, each with one line in flight.

use std::fmt::Display;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::io::{Errno, read, write};
use rustix::net::sockopt::set_socket_linger;

use super::poller::Poller;
use super::{Phase, Shared, Tally};
use crate::Outcome;
use crate::child::Address;
use crate::protocol::{LINE, Line, Wish};

/// How long answers are waited for when no more requests begin.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A connection and the line that is in flight.
struct Client {
    socket: OwnedFd,
    sent: Line,
    begun: Instant,
    /// How much of the answer has come, and it itself; one byte more, to see when there is too much.
    got: usize,
    answer: [u8; LINE + 1],
    counts: bool,
    answered: bool,
}

/// How the requests are made: one in so many asks the handler to block; none with 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    pub(crate) one_in: usize,
}

struct Load<'a> {
    shared: &'a Shared,
    mix: Mix,
    tally: Tally,
    number: u64,
    in_flight: usize,
}

/// Runs so many connections until the phase is `Stop` and all answers have come.
pub(crate) fn run(
    shared: &Shared,
    address: &Address,
    connections: usize,
    mix: Mix,
) -> Outcome<Tally> {
    let mut poller = Poller::new()?;
    let mut load = Load { shared, mix, tally: Tally::new()?, number: 0, in_flight: 0 };
    let mut clients = Vec::with_capacity(connections);
    for key in 0..connections {
        let socket = connect(address)?;
        poller.add(&socket, key)?;
        let mut client = Client {
            socket,
            sent: [0; LINE],
            begun: Instant::now(),
            got: 0,
            answer: [0; LINE + 1],
            counts: false,
            answered: false,
        };
        load.begin(&mut client, Instant::now());
        clients.push(client);
    }
    let mut stopped = None;
    loop {
        for key in poller.wait()? {
            load.on_readable(&mut clients[key]);
        }
        if shared.phase() == Phase::Stop {
            let since: &mut Instant = stopped.get_or_insert_with(Instant::now);
            if load.in_flight == 0 {
                break;
            }
            if since.elapsed() > PATIENCE {
                for _ in 0..load.in_flight {
                    load.tally.error("no answer");
                }
                break;
            }
        }
    }
    Ok(load.tally)
}

/// A connected socket that does not block, and leaves nothing behind when it is closed.
pub(super) fn connect(address: &Address) -> Outcome<OwnedFd> {
    Ok(match address {
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            set_socket_linger(&stream, Some(Duration::ZERO))?;
            stream.into()
        }
        Address::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_nonblocking(true)?;
            stream.into()
        }
        Address::Udp(_) => return Err("this server speaks UDP".into()),
    })
}

impl Load<'_> {
    fn begin(&mut self, client: &mut Client, now: Instant) {
        self.number += 1;
        let blocks = self.mix.one_in > 0 && self.number.is_multiple_of(self.mix.one_in as u64);
        client.sent = if blocks { Wish::Block } else { Wish::Echo }.line(self.number);
        client.begun = now;
        client.counts = self.shared.phase() == Phase::Measure;
        client.got = 0;
        match write(&client.socket, &client.sent) {
            Ok(LINE) => self.in_flight += 1,
            Ok(_) => self.tally.error("a line was sent in part"),
            Err(error) => self.tally.error(error),
        }
    }

    fn on_readable(&mut self, client: &mut Client) {
        match read(&client.socket, &mut client.answer[client.got..]) {
            Ok(0) => return self.lost("the connection was closed"),
            Ok(more) => client.got += more,
            Err(Errno::AGAIN) => return,
            Err(error) => return self.lost(error),
        }
        // The rest will come as news of its own.
        if client.got < LINE {
            return;
        }
        if client.got > LINE || client.answer[..LINE] != client.sent {
            return self.lost("a wrong answer");
        }
        let now = Instant::now();
        self.in_flight -= 1;
        let phase = self.shared.phase();
        self.tally.answer(phase, client.counts.then(|| now - client.begun));
        if !client.answered {
            client.answered = true;
            self.shared.one_is_ready();
        }
        if phase != Phase::Stop {
            self.begin(client, now);
        }
    }

    /// A connection with which nothing more is begun.
    fn lost(&mut self, why: impl Display) {
        self.tally.error(why);
        self.in_flight = self.in_flight.saturating_sub(1);
    }
}
