//! The options of a stream service: what is set on the connection before the handler is set up.

#![cfg(test)]

mod support;

use std::io;
use std::time::Duration;

use socketserver_handlers::{Stream, stream_fn};
use support::{Double, serve};

#[test]
fn nothing_is_set_by_default() {
    let connection = Double::new(&[]);
    serve(&connection, &stream_fn(|_: &mut Stream<Double>| Ok(()))).unwrap();
    let state = connection.state();
    assert!(state.timeouts.is_empty() && state.nodelays.is_empty());
}

#[test]
fn by_default_reading_is_buffered_and_writing_is_not() {
    let connection = Double::new(&[]);
    let service = stream_fn(|stream: &mut Stream<Double>| {
        io::copy(&mut stream.rfile, &mut io::sink())?;
        io::Write::write_all(&mut stream.wfile, b"text")?;
        assert_eq!(stream.connection.state().sent, [b"text"]);
        Ok(())
    });
    serve(&connection, &service).unwrap();
    assert_eq!(connection.state().asked.first(), Some(&8192));
}

#[test]
fn a_timeout_is_set_before_the_handler_runs() {
    let connection = Double::new(&[]);
    let service = stream_fn(|stream: &mut Stream<Double>| {
        assert_eq!(stream.connection.state().timeouts, [Some(Duration::from_secs(5))]);
        Ok(())
    });
    serve(&connection, &service.timeout(Duration::from_secs(5))).unwrap();
    assert_eq!(connection.state().timeouts.len(), 1);
}

#[test]
fn a_timeout_below_a_millisecond_counts_as_one() {
    for timeout in [Duration::ZERO, Duration::from_nanos(1)] {
        let connection = Double::new(&[]);
        let service = stream_fn(|_: &mut Stream<Double>| Ok(()));
        serve(&connection, &service.timeout(timeout)).unwrap();
        assert_eq!(connection.state().timeouts, [Some(Duration::from_millis(1))]);
    }
}

#[test]
fn nagles_algorithm_is_switched_off_before_the_handler_runs() {
    let connection = Double::new(&[]);
    let service = stream_fn(|stream: &mut Stream<Double>| {
        assert_eq!(stream.connection.state().nodelays, [true]);
        Ok(())
    });
    serve(&connection, &service.disable_nagle_algorithm(true)).unwrap();
}

#[test]
fn nagles_algorithm_is_left_alone_if_not_to_be_switched_off() {
    let connection = Double::new(&[]);
    let service = stream_fn(|_: &mut Stream<Double>| Ok(()));
    serve(&connection, &service.disable_nagle_algorithm(false)).unwrap();
    assert!(connection.state().nodelays.is_empty());
}

#[test]
fn a_connection_that_refuses_an_option_is_not_handled() {
    let handled = |_: &mut Stream<Double>| unreachable!("no handler runs");
    let services = [
        stream_fn(handled).timeout(Duration::from_secs(1)),
        stream_fn(handled).disable_nagle_algorithm(true),
    ];
    for service in services {
        let connection = Double::new(&[]);
        connection.state().refuses_options = true;
        let error = serve(&connection, &service).unwrap_err();
        let error = error.downcast_ref::<io::Error>().expect("the error of the option");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
