//! `wfile`: what is written leaves at once or from a buffer, in full, once, at the latest in the end.

#![cfg(test)]

mod support;

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;

use socketserver_core::{HandlerResult, StreamRequest};
use socketserver_handlers::{Stream, StreamRequestHandler, StreamService, stream_fn};
use support::{Double, serve};

/// What each send took, as text.
fn sends(connection: &Double) -> Vec<String> {
    let state = connection.state();
    state.sent.iter().map(|sent| String::from_utf8_lossy(sent).into_owned()).collect()
}

/// Writes these, one after another, with a buffer of this size; the handler ignores how that goes.
fn write_all(connection: &Double, wbufsize: usize, texts: &[&str]) -> HandlerResult {
    let service = stream_fn(|stream: &mut Stream<Double>| {
        for text in texts {
            let _ = stream.wfile.write_all(text.as_bytes());
        }
        Ok(())
    });
    serve(connection, &service.wbufsize(wbufsize))
}

#[test]
fn without_a_buffer_each_write_is_sent_at_once() {
    let connection = Double::new(&[]);
    let service = stream_fn(|stream: &mut Stream<Double>| {
        for text in ["one", "two"] {
            assert_eq!(stream.wfile.write(text.as_bytes())?, 3);
            assert_eq!(sends(&stream.connection).last().unwrap(), text);
        }
        Ok(())
    });
    serve(&connection, &service).unwrap();
    assert_eq!(sends(&connection), ["one", "two"]);
}

#[test]
fn one_write_takes_everything_even_if_a_send_takes_little() {
    for wbufsize in [0, 4] {
        let connection = Double::new(&[]);
        connection.state().send_limit = 3;
        let service = stream_fn(|stream: &mut Stream<Double>| {
            assert_eq!(stream.wfile.write(b"one two three")?, 13);
            Ok(())
        });
        serve(&connection, &service.wbufsize(wbufsize)).unwrap();
        assert_eq!(sends(&connection), ["one", " tw", "o t", "hre", "e"], "{wbufsize}");
    }
}

#[test]
fn writing_nothing_takes_nothing_and_sends_nothing() {
    for wbufsize in [0, 8] {
        let connection = Double::new(&[]);
        let service = stream_fn(|stream: &mut Stream<Double>| {
            assert_eq!(stream.wfile.write(b"")?, 0);
            stream.wfile.flush()?;
            Ok(())
        });
        serve(&connection, &service.wbufsize(wbufsize)).unwrap();
        assert_eq!(sends(&connection), [""; 0]);
    }
}

#[test]
fn an_interrupted_send_is_tried_again() {
    let connection = Double::new(&[]);
    connection.state().failures.push_back(Some(ErrorKind::Interrupted));
    write_all(&connection, 0, &["text"]).unwrap();
    assert_eq!(sends(&connection), ["", "text"]);
}

#[test]
fn a_buffer_leaves_at_a_flush() {
    let connection = Double::new(&[]);
    let service = stream_fn(|stream: &mut Stream<Double>| {
        stream.wfile.write_all(b"one ")?;
        stream.wfile.write_all(b"two")?;
        assert_eq!(sends(&stream.connection), [""; 0]);
        stream.wfile.flush()?;
        assert_eq!(sends(&stream.connection), ["one two"]);
        Ok(())
    });
    serve(&connection, &service.wbufsize(100)).unwrap();
    assert_eq!(sends(&connection), ["one two"]);
}

#[test]
fn a_buffer_leaves_when_it_is_full_and_when_the_handler_has_finished() {
    let connection = Double::new(&[]);
    write_all(&connection, 8, &["123456", "7890"]).unwrap();
    assert_eq!(sends(&connection), ["123456", "7890"]);
    let connection = Double::new(&[]);
    write_all(&connection, 8, &["1234567890"]).unwrap();
    assert_eq!(sends(&connection), ["1234567890"]);
}

#[test]
fn a_buffer_leaves_after_the_handler_failed_too() {
    for panics in [false, true] {
        let connection = Double::new(&[]);
        let service = stream_fn(|stream: &mut Stream<Double>| {
            stream.wfile.write_all(b"so far")?;
            assert!(!panics, "handle");
            Err("handle".into())
        });
        let error = serve(&connection, &service.wbufsize(100)).unwrap_err();
        assert!(error.to_string().ends_with("handle"), "{error}");
        assert_eq!(sends(&connection), ["so far"]);
    }
}

/// A handler that writes in each of its steps.
struct Talkative;

impl StreamRequestHandler<Double> for Talkative {
    fn setup(&mut self, stream: &mut Stream<Double>) -> HandlerResult {
        Ok(stream.wfile.write_all(b"setup ")?)
    }

    fn handle(&mut self, stream: &mut Stream<Double>) -> HandlerResult {
        Ok(stream.wfile.write_all(b"handle ")?)
    }

    fn finish(&mut self, stream: &mut Stream<Double>) -> HandlerResult {
        Ok(stream.wfile.write_all(b"finish")?)
    }
}

#[test]
fn every_step_of_a_handler_can_write() {
    let connection = Double::new(&[]);
    serve(&connection, &StreamService::new(|| Talkative).wbufsize(100)).unwrap();
    assert_eq!(sends(&connection), ["setup handle finish"]);
}

#[test]
fn a_closed_wfile_writes_no_more_and_leaves_the_connection_open() {
    for wbufsize in [0, 100] {
        let connection = Double::new(&[]);
        let service = stream_fn(|stream: &mut Stream<Double>| {
            stream.wfile.write_all(b"one")?;
            stream.wfile.close()?;
            stream.wfile.close()?;
            let errors =
                [stream.wfile.write(b"two").unwrap_err(), stream.wfile.flush().unwrap_err()];
            for error in errors {
                assert_eq!(error.kind(), ErrorKind::NotConnected);
                assert_eq!(error.to_string(), "wfile is closed");
            }
            stream.connection.send(b"three")?;
            Ok(())
        });
        serve(&connection, &service.wbufsize(wbufsize)).unwrap();
        assert_eq!(sends(&connection), ["one", "three"]);
    }
}

#[test]
fn that_the_client_is_gone_when_the_buffer_leaves_in_the_end_is_no_failure() {
    for gone in [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted] {
        let connection = Double::new(&[]);
        connection.state().failures.push_back(Some(gone));
        write_all(&connection, 100, &["text"]).unwrap();
        assert_eq!(sends(&connection), [""], "{gone}");
    }
}

#[test]
fn another_failure_when_the_buffer_leaves_in_the_end_is_reported_once() {
    let connection = Double::new(&[]);
    connection.state().failures.push_back(Some(ErrorKind::TimedOut));
    let error = write_all(&connection, 100, &["text"]).unwrap_err();
    assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), ErrorKind::TimedOut);
    assert!(error.context().is_none());
    assert_eq!(sends(&connection), [""]);
}

#[test]
fn the_failure_to_leave_in_the_end_happened_after_that_of_the_handler() {
    let connection = Double::new(&[]);
    connection.state().failures.push_back(Some(ErrorKind::TimedOut));
    let service = stream_fn(|stream: &mut Stream<Double>| {
        stream.wfile.write_all(b"text")?;
        Err("handle".into())
    });
    let error = serve(&connection, &service.wbufsize(100)).unwrap_err();
    assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), ErrorKind::TimedOut);
    assert_eq!(error.context().unwrap().to_string(), "handle");
}

#[test]
fn a_flush_of_the_handlers_that_fails_is_the_handlers_failure() {
    let connection = Double::new(&[]);
    // The client is gone, so the end fails as well, and that is no failure.
    connection.state().failures.extend([Some(ErrorKind::BrokenPipe); 2]);
    let service = stream_fn(|stream: &mut Stream<Double>| {
        stream.wfile.write_all(b"text")?;
        stream.wfile.flush()?;
        unreachable!("the flush fails");
    });
    let error = serve(&connection, &service.wbufsize(100)).unwrap_err();
    assert!(error.is_disconnect() && error.context().is_none(), "{error:?}");
}

#[test]
fn after_a_failed_flush_nothing_is_sent_twice() {
    let connection = Double::new(&[]);
    {
        let mut state = connection.state();
        state.send_limit = 3;
        state.failures.extend([None, Some(ErrorKind::TimedOut)]);
    }
    let service = stream_fn(|stream: &mut Stream<Double>| {
        stream.wfile.write_all(b"abcdefgh")?;
        assert_eq!(stream.wfile.flush().unwrap_err().kind(), ErrorKind::TimedOut);
        Ok(())
    });
    serve(&connection, &service.wbufsize(100)).unwrap();
    assert_eq!(sends(&connection), ["abc", "", "def", "gh"]);
}

#[test]
fn what_could_not_leave_in_the_end_is_not_tried_again() {
    let connection = Double::new(&[]);
    {
        let mut state = connection.state();
        state.send_limit = 3;
        state.failures.extend([None, Some(ErrorKind::TimedOut)]);
    }
    write_all(&connection, 100, &["abcdefgh"]).unwrap_err();
    assert_eq!(sends(&connection), ["abc", ""]);
}

#[test]
fn neither_file_keeps_the_connection_open_afterwards() {
    for wbufsize in [0, 100] {
        let connection = Double::new(&[]);
        write_all(&connection, wbufsize, &["text"]).unwrap();
        assert_eq!(Arc::strong_count(&connection.0), 1);
        connection.state().failures.push_back(Some(ErrorKind::TimedOut));
        let _ = write_all(&connection, wbufsize, &["text"]);
        assert_eq!(Arc::strong_count(&connection.0), 1);
    }
}
