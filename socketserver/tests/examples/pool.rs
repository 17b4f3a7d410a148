//! The examples of pools. `pool_overload`: who is served, who waits, who is told that it is busy, how it ends; and `churn`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::program::{Program, assert_fails, example, say};
use crate::support::{connect, read_to_end};

/// Clients of a new server that connect and say nothing: two are with the workers, two in the queue, the rest are refused.
fn fill(address: SocketAddr) -> [TcpStream; 4] {
    let silent = [(); 4].map(|()| connect(address));
    // Connections are taken in their order.
    assert_eq!(read_to_end(&connect(address)), "busy\n");
    silent
}

#[test]
fn it_answers_in_upper_case_and_says_when_it_is_busy() {
    let (_program, address) = Program::serve_somewhere("pool_overload");
    let [first, second, third, fourth] = fill(address);
    for _ in 0..20 {
        assert_eq!(read_to_end(&connect(address)), "busy\n");
    }
    for (client, line, answer) in [
        (&first, "first", "FIRST\n"),
        (&second, "second", "SECOND\n"),
        (&third, "third", "THIRD\n"),
        (&fourth, "fourth", "FOURTH\n"),
    ] {
        say(client, line);
        assert_eq!(read_to_end(client), answer);
    }

    // A worker is free a moment after its client has seen the end, so some may still be refused.
    let answers = (0..10_000).map(|_| ask_blindly(&connect(address)));
    let served = answers.into_iter().find(|answer| !["busy\n", ""].contains(&&**answer));
    assert_eq!(served.as_deref(), Some("AGAIN\n"));
}

/// What a client gets that sends a line without looking first; it may be cut off by a refusal.
fn ask_blindly(mut client: &TcpStream) -> String {
    let _ = writeln!(client, "again");
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_bad_address_is_told_in_one_line() {
    assert_fails("pool_overload", &["127.0.0.1:99999"], &["cannot listen on", "127.0.0.1:99999"]);
}

#[test]
fn a_churn_over_a_limit_that_changes_shows_no_overshoot() {
    let (status, said, _) = Program::start(example("churn").arg("3000")).unwrap().wait();
    assert_eq!(status.code(), Some(0), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("connections 3000 in ")), "{said:?}");
    assert!(said.iter().any(|line| line == "overshoot 0"), "{said:?}");
}

// Elsewhere one program cannot send another the signal of Ctrl-C.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_well_while_clients_are_connected() {
    let (program, address) = Program::serve_somewhere("pool_overload");
    let silent = fill(address);
    program.interrupt();
    let (status, _, said) = program.wait();
    assert_eq!((status.code(), said), (Some(0), vec![]));
    drop(silent);
}
