//! Datagram handlers: what they see of a packet, and when which reply is sent.
#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use socketserver_core::testing::Inline;
use socketserver_core::{
    DatagramRequest, GetRequestError, Handled, HandlerError, HandlerResult, Readiness, Request,
    Server, Service, ServiceExt, Transport, Wait, Waker,
};
use socketserver_handlers::{
    DatagramExchange, DatagramRequestHandler, DatagramService, datagram_fn,
};

/// The longest reply that can be sent here.
const LARGEST: usize = 100;

/// The replies that went out.
type Sent = Rc<RefCell<Vec<Vec<u8>>>>;

/// A packet in memory.
#[derive(Clone, Default)]
struct Packet {
    bytes: &'static [u8],
    truncated: bool,
    unnamed: bool,
    sent: Sent,
}

impl Request for Packet {
    type Addr = &'static str;
}

impl DatagramRequest for Packet {
    fn packet(&self) -> &[u8] {
        self.bytes
    }

    fn is_truncated(&self) -> bool {
        self.truncated
    }

    fn reply(&self, data: &[u8]) -> io::Result<()> {
        if self.unnamed {
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "no address"));
        }
        if data.len() > LARGEST {
            return Err(io::Error::other("too long"));
        }
        self.sent.borrow_mut().push(data.to_vec());
        Ok(())
    }
}

/// A transport with these packets and no others.
struct Packets(RefCell<VecDeque<Packet>>);

impl Transport for Packets {
    type Request = Packet;

    fn wait(&self, _: Wait<'_>) -> io::Result<Readiness> {
        let empty = self.0.borrow().is_empty();
        Ok(if empty { Readiness::TimedOut } else { Readiness::Request })
    }

    fn waker(&self) -> Waker {
        Waker::new(|| {})
    }

    fn get_request(&self) -> Result<(Packet, &'static str), GetRequestError> {
        let packet = self.0.borrow_mut().pop_front().ok_or(GetRequestError::NotReady)?;
        Ok((packet, "client"))
    }

    fn local_addr(&self) -> io::Result<&'static str> {
        Ok("server")
    }
}

/// What one packet led to.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    /// The replies that were sent.
    sent: Vec<Vec<u8>>,
    /// The errors that reached `handle_error`.
    errors: Vec<String>,
}

impl Outcome {
    fn sent(replies: &[&[u8]]) -> Self {
        Self { sent: replies.iter().map(|reply| reply.to_vec()).collect(), errors: Vec::new() }
    }

    fn failed(error: &str) -> Self {
        Self { sent: Vec::new(), errors: vec![error.to_owned()] }
    }
}

/// Serves one packet.
fn serve(packet: Packet, service: impl Service<Packet>) -> Outcome {
    let sent = Rc::clone(&packet.sent);
    let (report, errors) = mpsc::channel();
    let service = service.on_error(move |_: &mut Packet, _: &&str, error: HandlerError| {
        report.send(error.to_string()).unwrap();
    });
    let mut server = Server::new(Packets(RefCell::new([packet].into())), Inline, service);
    let handled = server.handle_request().unwrap();
    assert!(matches!(handled, Handled::Served | Handled::Exited(_)), "{handled:?}");
    drop(server);
    Outcome { sent: sent.take(), errors: errors.iter().collect() }
}

fn packet(bytes: &'static [u8]) -> Packet {
    Packet { bytes, ..Packet::default() }
}

fn unnamed() -> Packet {
    Packet { unnamed: true, ..packet(b"x") }
}

type Exchange<'a> = DatagramExchange<'a, Packet>;

#[test]
fn the_reply_is_one_datagram_however_often_it_was_written_to() {
    let service = datagram_fn(|exchange: &mut Exchange<'_>| {
        assert_eq!(exchange.packet(), b"one\ntwo");
        assert_eq!(*exchange.client_address, "client");
        assert!(!exchange.is_truncated());
        for line in (&mut exchange.rfile).lines() {
            write!(exchange.wfile, "<{}>", line?)?;
        }
        Ok(())
    });
    assert_eq!(serve(packet(b"one\ntwo"), service), Outcome::sent(&[b"<one><two>"]));
}

#[test]
fn the_whole_reply_is_sent_wherever_its_position_is() {
    let service = datagram_fn(|exchange: &mut Exchange<'_>| {
        exchange.wfile.write_all(b"0 bytes")?;
        exchange.wfile.seek(SeekFrom::Start(0))?;
        exchange.wfile.write_all(b"7")?;
        Ok(())
    });
    assert_eq!(serve(packet(b"x"), service), Outcome::sent(&[b"7 bytes"]));
}

#[test]
fn a_cut_packet_says_so() {
    let service = datagram_fn(|exchange: &mut Exchange<'_>| {
        assert!(exchange.is_truncated());
        exchange.wfile.write_all(b"cut")?;
        Ok(())
    });
    let cut = Packet { truncated: true, ..packet(b"x") };
    assert_eq!(serve(cut, service), Outcome::sent(&[b"cut"]));
}

#[test]
fn an_empty_packet_is_served() {
    let service = datagram_fn(|exchange: &mut Exchange<'_>| {
        let mut rest = Vec::new();
        exchange.rfile.read_to_end(&mut rest)?;
        assert_eq!(rest, b"");
        exchange.wfile.write_all(b"empty")?;
        Ok(())
    });
    assert_eq!(serve(packet(b""), service), Outcome::sent(&[b"empty"]));
}

#[test]
fn nothing_is_sent_when_nothing_was_written_unless_asked_for() {
    let silent = || datagram_fn(|_: &mut Exchange<'_>| Ok(()));
    assert_eq!(serve(packet(b"x"), silent()), Outcome::sent(&[]));
    assert_eq!(serve(packet(b"x"), silent().reply_when_empty(true)), Outcome::sent(&[b""]));
}

#[test]
fn a_reply_begun_before_a_failure_is_not_sent() {
    let failing = datagram_fn(|exchange: &mut Exchange<'_>| {
        exchange.wfile.write_all(b"half")?;
        Err("failed".into())
    });
    assert_eq!(serve(packet(b"x"), failing), Outcome::failed("failed"));
    let panicking = datagram_fn(|exchange: &mut Exchange<'_>| {
        exchange.wfile.write_all(b"half")?;
        panic!("boom")
    });
    assert_eq!(serve(packet(b"x"), panicking), Outcome::failed("panicked: boom"));
}

#[test]
fn a_reply_before_an_exit_is_sent() {
    let service = datagram_fn(|exchange: &mut Exchange<'_>| {
        exchange.wfile.write_all(b"bye")?;
        Err(HandlerError::exit(0))
    });
    assert_eq!(serve(packet(b"x"), service), Outcome::sent(&[b"bye"]));
}

#[test]
fn too_large_a_reply_is_one_error() {
    let service = datagram_fn(|exchange: &mut Exchange<'_>| {
        exchange.wfile.write_all(&[0; LARGEST + 1])?;
        Ok(())
    });
    assert_eq!(serve(packet(b"x"), service), Outcome::failed("too long"));
}

#[test]
fn a_client_without_an_address_is_an_error_only_when_there_is_something_to_say() {
    let silent = || datagram_fn(|_: &mut Exchange<'_>| Ok(()));
    assert_eq!(serve(unnamed(), silent()), Outcome::default());
    assert_eq!(serve(unnamed(), silent().reply_when_empty(true)), Outcome::default());
    let talking = datagram_fn(|exchange: &mut Exchange<'_>| {
        exchange.wfile.write_all(b"hello?")?;
        Ok(())
    });
    assert_eq!(serve(unnamed(), talking), Outcome::failed("no address"));
}

/// Writes down its steps, and fails in the one that it is told to.
struct Steps(mpsc::Sender<&'static str>, &'static str);

impl Steps {
    fn step(&self, step: &'static str, exchange: &mut Exchange<'_>) -> HandlerResult {
        self.0.send(step)?;
        exchange.wfile.write_all(step.as_bytes())?;
        if self.1 == step { Err(format!("{step} failed").into()) } else { Ok(()) }
    }
}

impl DatagramRequestHandler<Packet> for Steps {
    fn setup(&mut self, exchange: &mut Exchange<'_>) -> HandlerResult {
        self.step("setup", exchange)
    }

    fn handle(&mut self, exchange: &mut Exchange<'_>) -> HandlerResult {
        self.step("handle", exchange)
    }

    fn finish(&mut self, exchange: &mut Exchange<'_>) -> HandlerResult {
        self.step("finish", exchange)
    }
}

#[test]
fn the_steps_come_in_order_and_the_reply_after_the_last() {
    let cases = [
        ("", "setup handle finish", Outcome::sent(&[b"setuphandlefinish"])),
        ("setup", "setup", Outcome::failed("setup failed")),
        ("handle", "setup handle finish", Outcome::failed("handle failed")),
        ("finish", "setup handle finish", Outcome::failed("finish failed")),
    ];
    for (failing, expected, outcome) in cases {
        let (report, steps) = mpsc::channel();
        let service = DatagramService::new(move || Steps(report.clone(), failing));
        assert_eq!(serve(packet(b"x"), service), outcome, "failing: {failing:?}");
        let steps: Vec<_> =
            std::iter::from_fn(|| steps.recv_timeout(Duration::ZERO).ok()).collect();
        assert_eq!(steps.join(" "), expected);
    }
}

#[test]
fn the_buffer_of_a_reply_is_used_again_and_comes_back_empty() {
    let (report, addresses) = mpsc::channel();
    let service = datagram_fn(move |exchange: &mut Exchange<'_>| {
        assert_eq!(exchange.wfile.get_ref().len(), 0);
        exchange.wfile.write_all(exchange.request.packet())?;
        report.send(exchange.wfile.get_ref().as_ptr().addr())?;
        Ok(())
    });
    let packets = [packet(b"one"), packet(b"two")];
    let mut server = Server::new(Packets(RefCell::new(packets.into())), Inline, service);
    for _ in 0..2 {
        assert!(matches!(server.handle_request().unwrap(), Handled::Served));
    }
    assert_eq!(addresses.recv().unwrap(), addresses.recv().unwrap());
}
