//! A handler that takes its connection over: nothing that was sent or received is lost.

#![cfg(test)]

mod support;

use std::cell::RefCell;
use std::io::{self, BufRead, ErrorKind, Read, Write};

use socketserver_core::{HandlerResult, Request, StreamRequest};
use socketserver_handlers::{Detached, Stream, stream_fn};
use support::{Double, serve};

/// Serves the connection with a handler that reads a line, says `taken` and takes the connection over.
fn take_over(connection: &Double, wbufsize: usize) -> (HandlerResult, Option<Detached<Double>>) {
    let taken = RefCell::new(None);
    let service = stream_fn(|stream: &mut Stream<Double>| {
        stream.rfile.read_until(b'\n', &mut Vec::new())?;
        stream.wfile.write_all(b"taken")?;
        *taken.borrow_mut() = Some(stream.detach()?);
        Ok(())
    });
    let result = serve(connection, &service.wbufsize(wbufsize));
    (result, taken.into_inner())
}

#[test]
fn the_connection_says_that_it_was_taken_over() {
    let connection = Double::new(&[b"line\n"]);
    assert!(!connection.is_detached());
    let (result, detached) = take_over(&connection, 0);
    result.unwrap();
    assert!(connection.is_detached());
    assert!(detached.unwrap().connection().is_detached());
}

#[test]
fn what_was_received_and_not_read_goes_along() {
    let connection = Double::new(&[b"line\nread", b" ahead"]);
    let (result, detached) = take_over(&connection, 0);
    result.unwrap();
    let mut rest = String::new();
    detached.unwrap().read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "read ahead");
}

#[test]
fn what_was_not_read_can_be_had_apart_from_the_connection() {
    let connection = Double::new(&[b"line\nread", b" ahead"]);
    let mut detached = take_over(&connection, 0).1.unwrap();
    detached.read_exact(&mut [0; 2]).unwrap();
    let (inner, unread) = detached.into_parts();
    assert_eq!(unread, b"ad");
    assert_eq!(inner.recv(&mut [0; 64]).unwrap(), 6);

    let connection = Double::new(&[b"line\nread", b" ahead"]);
    let mut detached = take_over(&connection, 0).1.unwrap();
    io::copy(&mut detached, &mut io::sink()).unwrap();
    assert_eq!(detached.into_parts().1, b"");
}

#[test]
fn what_was_written_is_sent_first() {
    for wbufsize in [0, 100] {
        let connection = Double::new(&[b"line\n"]);
        let (result, detached) = take_over(&connection, wbufsize);
        result.unwrap();
        assert_eq!(connection.state().sent, [b"taken"]);
        detached.unwrap().connection().send(b"after").unwrap();
        assert_eq!(connection.state().sent.concat(), b"takenafter");
    }
}

#[test]
fn the_files_of_the_handler_are_closed() {
    let connection = Double::new(&[b"one\ntwo\n"]);
    let service = stream_fn(|stream: &mut Stream<Double>| {
        stream.detach()?;
        let read = stream.rfile.read_until(b'\n', &mut Vec::new()).unwrap_err();
        let write = stream.wfile.write(b"text").unwrap_err();
        assert_eq!([read.kind(), write.kind()], [ErrorKind::NotConnected; 2]);
        Ok(())
    });
    serve(&connection, &service.wbufsize(100)).unwrap();
    assert!(connection.state().asked.is_empty() && connection.state().sent.is_empty());
}

#[test]
fn a_connection_that_could_not_be_flushed_stays_the_servers() {
    let connection = Double::new(&[b"one\ntwo\n"]);
    connection.state().failures.push_back(Some(ErrorKind::TimedOut));
    let service = stream_fn(|stream: &mut Stream<Double>| {
        stream.wfile.write_all(b"text")?;
        assert_eq!(stream.detach().unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(stream.wfile.write(b"text").unwrap_err().kind(), ErrorKind::NotConnected);
        let mut line = String::new();
        stream.rfile.read_line(&mut line)?;
        assert_eq!(line, "one\n");
        Ok(())
    });
    serve(&connection, &service.wbufsize(100)).unwrap();
    assert!(!connection.is_detached());
}

#[test]
fn a_handler_that_fails_afterwards_does_not_give_the_connection_back() {
    let connection = Double::new(&[]);
    let service = stream_fn(|stream: &mut Stream<Double>| {
        stream.detach()?;
        Err("handle".into())
    });
    assert_eq!(serve(&connection, &service).unwrap_err().to_string(), "handle");
    assert!(connection.is_detached());
}
