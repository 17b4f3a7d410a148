//! The handler of every scenario: plays what `handle` is to do, on whatever kind of request.

use std::io::{self, BufRead, Cursor, Read, Write};
use std::sync::Arc;

use socketserver::HandlerResult;
use socketserver::core::{DatagramRequest, StreamRequest};
use socketserver::handlers::{
    BaseRequestHandler, Context, DatagramExchange, DatagramRequestHandler, Stream,
    StreamRequestHandler,
};

use super::stage::Stage;
use crate::scenario::{Hook, Op};

/// A handler that plays a scenario.
#[derive(Debug)]
pub(super) struct Player {
    stage: Arc<Stage>,
}

impl Player {
    pub(super) fn new(stage: &Arc<Stage>) -> Self {
        stage.act(Hook::Init, stage.enter(Hook::Init));
        Self { stage: Arc::clone(stage) }
    }

    fn step(&self, hook: Hook) -> HandlerResult {
        self.stage.act_in_handler(hook, self.stage.enter(hook))
    }

    /// `handle` fails, if it does, when it has done its work.
    fn handle_with(&self, rfile: &mut impl BufRead, wfile: &mut impl Write) -> HandlerResult {
        let does = self.stage.enter(Hook::Handle);
        self.play(rfile, wfile)?;
        self.stage.act_in_handler(Hook::Handle, does)
    }

    fn play(&self, rfile: &mut impl BufRead, wfile: &mut impl Write) -> io::Result<()> {
        let mut last = Vec::new();
        for op in &self.stage.scenario.handle {
            match op {
                Op::ReadLine => last = line(rfile)?,
                Op::ReadExact(bytes) => {
                    last.clear();
                    rfile.by_ref().take(*bytes as u64).read_to_end(&mut last)?;
                }
                Op::ReadAll => {
                    last.clear();
                    rfile.read_to_end(&mut last)?;
                }
                Op::Reply => wfile.write_all(&reply(&last))?,
                Op::Write(text) => wfile.write_all(text.as_bytes())?,
                Op::Flush => wfile.flush()?,
                Op::EchoLines => loop {
                    last = line(rfile)?;
                    if last.is_empty() {
                        break;
                    }
                    wfile.write_all(&reply(&last))?;
                },
            }
        }
        Ok(())
    }
}

fn line(rfile: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    rfile.read_until(b'\n', &mut line)?;
    Ok(line)
}

fn reply(to: &[u8]) -> Vec<u8> {
    [b"re:", to].concat()
}

impl<C: StreamRequest> StreamRequestHandler<C> for Player {
    fn setup(&mut self, _: &mut Stream<C>) -> HandlerResult {
        self.step(Hook::Setup)
    }

    fn handle(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        self.handle_with(&mut stream.rfile, &mut stream.wfile)
    }

    fn finish(&mut self, _: &mut Stream<C>) -> HandlerResult {
        self.step(Hook::Finish)
    }
}

impl<R: DatagramRequest> DatagramRequestHandler<R> for Player {
    fn setup(&mut self, _: &mut DatagramExchange<'_, R>) -> HandlerResult {
        self.step(Hook::Setup)
    }

    fn handle(&mut self, exchange: &mut DatagramExchange<'_, R>) -> HandlerResult {
        self.handle_with(&mut exchange.rfile, &mut exchange.wfile)
    }

    fn finish(&mut self, _: &mut DatagramExchange<'_, R>) -> HandlerResult {
        self.step(Hook::Finish)
    }
}

/// A handler that plays a scenario without files, for connections.
#[derive(Debug)]
pub(super) struct RawStream(pub(super) Player);

/// The same for packets.
#[derive(Debug)]
pub(super) struct RawDatagram(pub(super) Player);

impl<C: StreamRequest> BaseRequestHandler<C> for RawStream {
    fn setup(&mut self, _: &mut Context<'_, C>) -> HandlerResult {
        self.0.step(Hook::Setup)
    }

    fn handle(&mut self, context: &mut Context<'_, C>) -> HandlerResult {
        let mut rfile = io::BufReader::with_capacity(1, Received(context.request.clone()));
        self.0.handle_with(&mut rfile, &mut Received(context.request.clone()))
    }

    fn finish(&mut self, _: &mut Context<'_, C>) -> HandlerResult {
        self.0.step(Hook::Finish)
    }
}

impl<R: DatagramRequest> BaseRequestHandler<R> for RawDatagram {
    fn setup(&mut self, _: &mut Context<'_, R>) -> HandlerResult {
        self.0.step(Hook::Setup)
    }

    fn handle(&mut self, context: &mut Context<'_, R>) -> HandlerResult {
        let packet = context.request.packet().to_vec();
        self.0.handle_with(&mut Cursor::new(packet), &mut Replies(context.request))
    }

    fn finish(&mut self, _: &mut Context<'_, R>) -> HandlerResult {
        self.0.step(Hook::Finish)
    }
}

/// A connection read and written as it is.
struct Received<C>(C);

impl<C: StreamRequest> Read for Received<C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buffer)
    }
}

impl<C: StreamRequest> Write for Received<C> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.send(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Each write is a packet.
struct Replies<'a, R>(&'a R);

impl<R: DatagramRequest> Write for Replies<'_, R> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.reply(data).map(|()| data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
