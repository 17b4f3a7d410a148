//! The clients, by kind: what each does, and what became of it.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::thread;
use std::time::Duration;

use crate::random::Random;
use crate::service::{LONGEST_LINE, answer};
use crate::wire::{Place, Wire};

/// Longer than any client waits for a server that is all right.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What a client is like. The first three are honest: they have a right to an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Asks, and reads the answer, several times.
    Normal,
    /// Asks several times at once, ends its side, then reads all answers.
    HalfClosed,
    /// Asks byte by byte.
    Dripping,
    /// Breaks off in the middle.
    Resetting,
    /// Says nothing for a while.
    Silent,
    /// Sends a line without end.
    Huge,
    /// Asks and asks, and never reads.
    Deaf,
    /// Is gone at once.
    Gone,
}

pub(crate) const KINDS: [Kind; 8] = [
    Kind::Normal,
    Kind::HalfClosed,
    Kind::Dripping,
    Kind::Resetting,
    Kind::Silent,
    Kind::Huge,
    Kind::Deaf,
    Kind::Gone,
];

/// What became of a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// It heard all it should, or did all it wanted.
    Done,
    /// The connection ended too early.
    CutOff,
    /// Nobody listened.
    Refused,
    /// The system had no port for it.
    NoPort,
    /// It heard something else than it should.
    Wrong,
    /// It heard nothing for too long.
    Hung,
}

impl Kind {
    /// One of them, the usual ones more often.
    pub(crate) fn any(random: &mut Random) -> Self {
        match random.number(0..100) {
            0..40 => Self::Normal,
            other => KINDS[1 + other % (KINDS.len() - 1)],
        }
    }

    /// Whether it has a right to an answer.
    pub(crate) const fn is_honest(self) -> bool {
        matches!(self, Self::Normal | Self::HalfClosed | Self::Dripping)
    }

    /// Connects, and does what this kind does.
    pub(crate) fn run(self, place: &Place, random: &mut Random) -> Outcome {
        match place.connect(PATIENCE) {
            Ok(wire) => self.talk(wire, random).unwrap_or_else(|error| self.failed(&error)),
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => Outcome::NoPort,
            Err(_) => Outcome::Refused,
        }
    }

    /// What an error means: to the others nothing, for they expected none or any.
    fn failed(self, error: &io::Error) -> Outcome {
        match error.kind() {
            _ if !self.is_honest() => Outcome::Done,
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Outcome::Hung,
            ErrorKind::InvalidData => Outcome::Wrong,
            _ => Outcome::CutOff,
        }
    }

    fn talk(self, mut wire: Wire, random: &mut Random) -> io::Result<Outcome> {
        match self {
            Self::Normal => {
                for _ in 0..random.number(1..12) {
                    let line = line(random);
                    wire.write_all(&line)?;
                    expect(&mut wire, &line)?;
                }
            }
            Self::HalfClosed => {
                let lines: Vec<_> = (0..random.number(1..6)).map(|_| line(random)).collect();
                wire.write_all(&lines.concat())?;
                wire.end()?;
                let mut answers = Vec::new();
                wire.read_to_end(&mut answers)?;
                return compare(
                    &answers,
                    &lines.iter().flat_map(|line| answer(line)).collect::<Vec<_>>(),
                );
            }
            Self::Dripping => {
                let line = format!("{:x}\n", random.next() >> 32).into_bytes();
                for byte in &line {
                    wire.write_all(&[*byte])?;
                    thread::sleep(random.millis(0..4));
                }
                expect(&mut wire, &line)?;
            }
            Self::Resetting => {
                wire.write_all(&line(random))?;
                if random.percent(50) {
                    wire.read_exact(&mut [0])?;
                }
                wire.reset();
            }
            Self::Silent => thread::sleep(random.millis(1..60)),
            Self::Huge => {
                wire.write_all(&vec![b'x'; LONGEST_LINE * random.number(1..8)])?;
                // The server ends it, with whatever it likes to say.
                wire.end()?;
                let mut rest = Vec::new();
                if let Err(error) = wire.read_to_end(&mut rest) {
                    let hangs = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                    return Ok(if hangs { Outcome::Hung } else { Outcome::Done });
                }
            }
            Self::Deaf => {
                wire.give_up_writing_after(random.millis(10..60))?;
                for _ in 0..random.number(1..400) {
                    wire.write_all(&vec![b'y'; LONGEST_LINE / 2])?;
                    wire.write_all(b"\n")?;
                }
            }
            Self::Gone => {}
        }
        Ok(Outcome::Done)
    }
}

/// A line to ask with.
fn line(random: &mut Random) -> Vec<u8> {
    let length = if random.percent(5) { LONGEST_LINE - 1 } else { random.number(0..200) };
    let mut line: Vec<_> = (0..length).map(|_| *random.pick(b"abcdefghij klmnop")).collect();
    line.push(b'\n');
    line
}

fn expect(wire: &mut Wire, line: &[u8]) -> io::Result<()> {
    let expected = answer(line);
    let mut heard = Vec::new();
    // It asks for no more before it has heard this, so nothing is read ahead.
    BufReader::new(wire).read_until(b'\n', &mut heard)?;
    compare(&heard, &expected).and_then(|outcome| match outcome {
        Outcome::Done => Ok(()),
        _ => Err(ErrorKind::UnexpectedEof.into()),
    })
}

/// The beginning of what was expected, and no more, is what is heard if the connection ended early.
fn compare(heard: &[u8], expected: &[u8]) -> io::Result<Outcome> {
    if heard == expected {
        Ok(Outcome::Done)
    } else if expected.starts_with(heard) {
        Ok(Outcome::CutOff)
    } else {
        Err(ErrorKind::InvalidData.into())
    }
}
