//! Connections that are kept for many requests: the deadline between two of them is an end like others.

use std::io::{BufRead, Read, Write};

use socketserver::prelude::*;
use socketserver::{Deadline, Running};

use crate::service::{Failures, LONGER, Log, SHORT};
use crate::support::{PATIENCE, connect, read_to_end};

/// Answers lines.
struct Upper;

impl KeepAliveHandler<TcpConnection> for Upper {
    fn handle_one_request(
        &mut self,
        stream: &mut Stream<TcpConnection>,
    ) -> Result<Next, HandlerError> {
        let mut line = String::new();
        stream.rfile.read_line(&mut line)?;
        stream.wfile.write_all(line.to_uppercase().as_bytes())?;
        Ok(Next::Keep)
    }
}

fn serve(deadlines: Deadlines) -> (Running<std::net::SocketAddr>, Failures) {
    let (log, failures) = Log::new();
    let service = StreamService::new(|| KeepAlive(Upper)).wbufsize(1000);
    let service = service.on_error(move |_, _, error| log.tell(&error));
    let server = ThreadingTcpServer::bind("127.0.0.1:0", service).unwrap();
    let server = server.with_config(ServerConfig::new().deadlines(deadlines));
    (server.spawn().unwrap(), failures)
}

#[test]
fn a_kept_connection_ends_well_when_it_was_idle_for_too_long() {
    let (server, failures) = serve(Deadlines::new().idle(LONGER).first_byte(PATIENCE));
    let mut client = connect(*server.local_addr());
    let mut answer = [0; 2];
    client.write_all(b"a\n").unwrap();
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"A\n");
    assert_eq!(read_to_end(&client), "");
    assert!(server.handle().wait_until_at_most(0, PATIENCE));
    assert_eq!(server.handle().cuts().idle, 1);
    let (_, counts) = server.stop().unwrap();
    assert_eq!((counts.served, counts.errors), (1, 0));
    failures.are_none();
}

#[test]
fn before_it_is_over_more_requests_are_served() {
    let (server, failures) = serve(Deadlines::new().idle(PATIENCE).read(PATIENCE));
    let mut client = connect(*server.local_addr());
    for _ in 0..100 {
        let mut answer = [0; 2];
        client.write_all(b"a\n").unwrap();
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"A\n");
    }
    drop(client);
    assert_eq!(server.stop().unwrap().1.errors, 0);
    failures.are_none();
}

#[test]
fn an_unfinished_request_and_one_that_never_begins_are_errors() {
    let (server, failures) = serve(Deadlines::new().idle(PATIENCE).read(SHORT));
    let mut client = connect(*server.local_addr());
    client.write_all(b"half").unwrap();
    failures.is_over(Deadline::Read);

    let (server, failures) = serve(Deadlines::new().idle(PATIENCE).first_byte(SHORT));
    let client = connect(*server.local_addr());
    failures.is_over(Deadline::FirstByte);
    assert_eq!(read_to_end(&client), "");
}
