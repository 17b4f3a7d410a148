//! `rfile` and `wfile`: whatever their buffers and however the data comes in pieces, they are the same stream.

use std::collections::VecDeque;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use proptest::prelude::*;
use socketserver::handlers::{Stream, stream_fn};
use socketserver_core::testing::{Inline, RecordingService, ScriptedTransport};
use socketserver_core::{HandlerResult, Request, Server, Service, StreamRequest};

/// A connection in memory: what it receives comes in these pieces, what is sent is taken in pieces of these
/// sizes.
#[derive(Clone, Default)]
struct Pieces(Arc<Mutex<Ends>>);

#[derive(Default)]
struct Ends {
    incoming: VecDeque<Vec<u8>>,
    received: usize,
    takes: VecDeque<usize>,
    sent: Vec<u8>,
}

impl Pieces {
    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().unwrap()
    }

    fn received(&self) -> usize {
        self.ends().received
    }

    fn sent(&self) -> usize {
        self.ends().sent.len()
    }

    /// Lets a handler have this connection. Its error is the test's.
    fn meet<S: Service<Self>>(&self, service: &S) -> HandlerResult {
        let server = Server::new(ScriptedTransport::new(), Inline, RecordingService::new());
        service.finish_request(&mut self.clone(), &(), &server.handle())
    }
}

impl Request for Pieces {
    type Addr = ();
}

impl StreamRequest for Pieces {
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut ends = self.ends();
        let Some(mut piece) = ends.incoming.pop_front() else { return Ok(0) };
        let length = piece.len().min(buf.len());
        buf[..length].copy_from_slice(&piece[..length]);
        if length < piece.len() {
            ends.incoming.push_front(piece.split_off(length));
        }
        ends.received += length;
        Ok(length)
    }

    fn send(&self, buf: &[u8]) -> io::Result<usize> {
        let mut ends = self.ends();
        let length = ends.takes.pop_front().unwrap_or(usize::MAX).min(buf.len());
        ends.sent.extend_from_slice(&buf[..length]);
        Ok(length)
    }

    fn set_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    fn set_nodelay(&self, _: bool) -> io::Result<()> {
        Ok(())
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }

    fn mark_detached(&self) {}
}

/// A way to read.
#[derive(Clone, Copy, Debug)]
enum Reading {
    Some(usize),
    Exact(usize),
    Until(u8),
    Line,
    Look,
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        (0..40_usize).prop_map(Reading::Some),
        (0..40_usize).prop_map(Reading::Exact),
        prop::sample::select(&b"\nab"[..]).prop_map(Reading::Until),
        Just(Reading::Line),
        Just(Reading::Look),
    ]
}

/// Text with some ends of lines, in pieces.
fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop::sample::select(&b"\nabcdefgh"[..]);
    prop::collection::vec(prop::collection::vec(byte, 1..30), 0..12)
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), Just(1), 2..40_usize, Just(8192)]
}

/// Reads in one way, and checks what comes against `rest`, all that has not been read yet. Says how much was
/// read.
fn read(file: &mut (impl BufRead + ?Sized), how: Reading, rest: &[u8]) -> io::Result<usize> {
    let mut got = Vec::new();
    match how {
        Reading::Some(most) => {
            got.resize(most, 0);
            let length = file.read(&mut got)?;
            got.truncate(length);
            assert!(length > 0 || most == 0 || rest.is_empty(), "an end before the end");
        }
        Reading::Exact(length) => {
            got.resize(length, 0);
            if let Err(error) = file.read_exact(&mut got) {
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                assert!(length > rest.len(), "it was all there");
                return Ok(rest.len());
            }
        }
        Reading::Until(delimiter) => {
            file.read_until(delimiter, &mut got)?;
            assert_eq!(got, first(rest, delimiter));
        }
        Reading::Line => {
            let mut line = String::new();
            file.read_line(&mut line)?;
            assert_eq!(line.as_bytes(), first(rest, b'\n'));
            got = line.into_bytes();
        }
        Reading::Look => {
            got.extend_from_slice(file.fill_buf()?);
            assert!(!got.is_empty() || rest.is_empty(), "an end before the end");
            assert_eq!(got, rest[..got.len()]);
            return Ok(0);
        }
    }
    assert_eq!(got, rest[..got.len()]);
    Ok(got.len())
}

fn first(rest: &[u8], delimiter: u8) -> &[u8] {
    rest.split_inclusive(|byte| *byte == delimiter).next().unwrap_or_default()
}

/// A way to write.
#[derive(Clone, Debug)]
enum Writing {
    Bytes(Vec<u8>),
    Flush,
}

fn writings() -> impl Strategy<Value = Vec<Writing>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..60);
    let writing = prop_oneof![4 => bytes.prop_map(Writing::Bytes), 1 => Just(Writing::Flush)];
    prop::collection::vec(writing, 0..20)
}

proptest! {
    /// Any mix of reads gives the same bytes in the same order, with any buffer or none; lines are whole; and
    /// no more is taken from the connection than the buffer may hold.
    #[test]
    fn reading_does_not_depend_on_the_buffer(
        pieces in pieces(),
        readings in prop::collection::vec(reading(), 0..30),
        rbufsize in size(),
    ) {
        let data = pieces.concat();
        for rbufsize in [rbufsize, 0] {
            let connection = Pieces::default();
            connection.ends().incoming = pieces.clone().into();
            let (readings, data) = (&readings, &data);
            let service = stream_fn(|client: &mut Stream<Pieces>| {
                let (mut position, mut looked) = (0, false);
                for how in readings {
                    let got = read(&mut client.rfile, *how, &data[position..])?;
                    position += got;
                    // What was looked at lies in the buffer, also where there is none, until it is read.
                    looked = matches!(how, Reading::Look) || (looked && got == 0);
                    let ahead = client.connection.received() - position;
                    assert_eq!(client.rfile.buffer(), &data[position..position + ahead]);
                    assert!(ahead <= rbufsize.max(usize::from(looked)));
                }
                let mut rest = Vec::new();
                client.rfile.read_to_end(&mut rest)?;
                assert_eq!(rest, data[position..]);
                Ok(())
            })
            .rbufsize(rbufsize);
            prop_assert!(connection.meet(&service).map_err(|error| error.to_string()) == Ok(()));
        }
    }

    /// The same bytes are sent in the same order with any buffer or none, also where the system takes a piece
    /// at a time. No more is held back than the buffer may hold, nothing after a flush, and nothing
    /// when the handler has finished.
    #[test]
    fn writing_does_not_depend_on_the_buffer(
        writings in writings(),
        takes in prop::collection::vec(1..30_usize, 0..20),
        wbufsize in size(),
    ) {
        for wbufsize in [wbufsize, 0] {
            let connection = Pieces::default();
            connection.ends().takes = takes.clone().into();
            let mut written = Vec::new();
            for writing in &writings {
                if let Writing::Bytes(bytes) = writing {
                    written.extend_from_slice(bytes);
                }
            }
            let writings = &writings;
            let service = stream_fn(|client: &mut Stream<Pieces>| {
                let mut length = 0;
                for writing in writings {
                    let held_back = match writing {
                        Writing::Bytes(bytes) => {
                            assert_eq!(client.wfile.write(bytes)?, bytes.len());
                            length += bytes.len();
                            wbufsize
                        }
                        Writing::Flush => {
                            client.wfile.flush()?;
                            0
                        }
                    };
                    assert!(length - client.connection.sent() <= held_back);
                }
                Ok(())
            })
            .wbufsize(wbufsize);
            prop_assert!(connection.meet(&service).map_err(|error| error.to_string()) == Ok(()));
            prop_assert_eq!(&connection.ends().sent, &written);
        }
    }
}
