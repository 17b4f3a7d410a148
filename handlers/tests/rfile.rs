//! `rfile`: what the client sends comes out the same however it arrives, and nothing is lost.

#![cfg(test)]

mod support;

use std::io::{self, BufRead, Read};

use socketserver_core::StreamRequest;
use socketserver_handlers::{Stream, stream_fn};
use support::{Double, serve};

const TEXT: &[u8] = b"one\n\ntwo three\nno end";
const LINES: [&[u8]; 4] = [b"one\n", b"\n", b"two three\n", b"no end"];

/// A client that sends the text in chunks of this size.
fn in_chunks_of(size: usize) -> Double {
    Double::new(&TEXT.chunks(size).collect::<Vec<_>>())
}

/// Every way to cut the text, with buffers from none to more than enough.
fn for_each_chunking(check: impl Fn(Double, usize)) {
    for size in 1..=TEXT.len() {
        for rbufsize in [0, 1, 3, 8192] {
            check(in_chunks_of(size), rbufsize);
        }
    }
}

#[test]
fn lines_are_the_same_however_they_arrive() {
    for_each_chunking(|connection, rbufsize| {
        let service = stream_fn(|stream: &mut Stream<Double>| {
            for line in LINES {
                let mut bytes = Vec::new();
                assert_eq!(stream.rfile.read_until(b'\n', &mut bytes)?, line.len());
                assert_eq!(bytes, line);
            }
            let mut bytes = Vec::new();
            assert_eq!(stream.rfile.read_until(b'\n', &mut bytes)?, 0);
            Ok(())
        });
        serve(&connection, &service.rbufsize(rbufsize)).unwrap();
    });
}

#[test]
fn read_line_gives_the_same_as_text() {
    for_each_chunking(|connection, rbufsize| {
        let service = stream_fn(|stream: &mut Stream<Double>| {
            for expected in LINES {
                let mut line = String::new();
                stream.rfile.read_line(&mut line)?;
                assert_eq!(line.as_bytes(), expected);
            }
            Ok(())
        });
        serve(&connection, &service.rbufsize(rbufsize)).unwrap();
    });
}

#[test]
fn the_end_of_the_input_gives_the_rest_then_nothing() {
    for_each_chunking(|connection, rbufsize| {
        let service = stream_fn(|stream: &mut Stream<Double>| {
            let mut first = [0; 6];
            stream.rfile.read_exact(&mut first)?;
            let mut rest = Vec::new();
            stream.rfile.read_to_end(&mut rest)?;
            assert_eq!((&first[..], &rest[..]), TEXT.split_at(6));
            assert_eq!(stream.rfile.read(&mut first)?, 0);
            assert_eq!(stream.rfile.fill_buf()?, b"");
            Ok(())
        });
        serve(&connection, &service.rbufsize(rbufsize)).unwrap();
    });
}

#[test]
fn a_client_that_sends_nothing_is_at_its_end() {
    let service = stream_fn(|stream: &mut Stream<Double>| {
        assert_eq!(stream.rfile.read_to_end(&mut Vec::new())?, 0);
        Ok(())
    });
    serve(&Double::new(&[]), &service).unwrap();
}

#[test]
fn without_a_buffer_nothing_is_read_that_was_not_asked_for() {
    let connection = Double::new(&[b"line\nrest"]);
    let service = stream_fn(|stream: &mut Stream<Double>| {
        stream.rfile.read_until(b'\n', &mut Vec::new())?;
        assert_eq!(stream.rfile.buffer(), b"");
        let mut rest = [0; 64];
        let received = stream.connection.recv(&mut rest)?;
        assert_eq!(&rest[..received], b"rest");
        Ok(())
    });
    serve(&connection, &service.rbufsize(0)).unwrap();
    assert_eq!(connection.state().asked, [1, 1, 1, 1, 1, 64]);
}

#[test]
fn a_read_of_nothing_takes_nothing() {
    for size in [0, 1, 8192] {
        let connection = Double::new(&[b"x"]);
        let service = stream_fn(|stream: &mut Stream<Double>| {
            assert_eq!(stream.rfile.read(&mut [])?, 0);
            Ok(())
        });
        serve(&connection, &service.rbufsize(size)).unwrap();
        assert_eq!(connection.state().asked, [0; 0], "rbufsize {size}");
    }
}

#[test]
fn with_a_buffer_one_receive_is_enough_for_many_lines() {
    let connection = Double::new(&[b"one\ntwo\n"]);
    let service = stream_fn(|stream: &mut Stream<Double>| {
        for _ in 0..2 {
            stream.rfile.read_until(b'\n', &mut Vec::new())?;
        }
        Ok(())
    });
    serve(&connection, &service.rbufsize(100)).unwrap();
    assert_eq!(connection.state().asked, [100]);
}

#[test]
fn after_an_error_reading_goes_on_where_it_was() {
    let connection = Double::new(&[b"hel", b"lo\n"]);
    connection.state().incoming.insert(1, Err(io::ErrorKind::TimedOut.into()));
    let service = stream_fn(|stream: &mut Stream<Double>| {
        let mut line = Vec::new();
        let error = stream.rfile.read_until(b'\n', &mut line).unwrap_err();
        assert_eq!((error.kind(), &line[..]), (io::ErrorKind::TimedOut, &b"hel"[..]));
        stream.rfile.read_until(b'\n', &mut line)?;
        assert_eq!(line, b"hello\n");
        Ok(())
    });
    serve(&connection, &service).unwrap();
}

#[test]
fn an_interrupted_receive_is_tried_again() {
    let connection = Double::new(&[b"line\n"]);
    connection.state().incoming.push_front(Err(io::ErrorKind::Interrupted.into()));
    let service = stream_fn(|stream: &mut Stream<Double>| {
        assert_eq!(stream.rfile.read_until(b'\n', &mut Vec::new())?, 5);
        Ok(())
    });
    serve(&connection, &service).unwrap();
}

#[test]
fn a_closed_rfile_reads_no_more_and_leaves_the_connection_open() {
    let connection = Double::new(&[b"one\ntwo\n", b"three\n"]);
    let service = stream_fn(|stream: &mut Stream<Double>| {
        stream.rfile.read_until(b'\n', &mut Vec::new())?;
        stream.rfile.close();
        stream.rfile.close();
        let errors = [
            stream.rfile.read(&mut [0; 4]).unwrap_err(),
            stream.rfile.fill_buf().unwrap_err(),
            stream.rfile.read_line(&mut String::new()).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), io::ErrorKind::NotConnected);
            assert_eq!(error.to_string(), "rfile is closed");
        }
        assert_eq!(stream.rfile.buffer(), b"");
        assert_eq!(stream.connection.recv(&mut [0; 64])?, 6);
        Ok(())
    });
    serve(&connection, &service).unwrap();
}
