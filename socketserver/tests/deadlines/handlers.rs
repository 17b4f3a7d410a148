//! What a handler can do about deadlines, and what it sees of them.

use std::io::{BufRead, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;

use socketserver::prelude::*;
use socketserver::{CutReason, Deadline, Running};

use crate::service::{Failures, LONGER, Log, SHORT, handle};
use crate::support::{PATIENCE, connect, read_to_end};

type Client = Stream<TcpConnection>;

/// Longer than a system takes to say what it received.
const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

/// A server whose handlers do this.
fn serve(
    deadlines: Deadlines,
    handler: impl Fn(&mut Client) -> HandlerResult + Send + Sync + 'static,
) -> (Running<std::net::SocketAddr>, Failures) {
    let (log, failures) = Log::new();
    let server = ThreadingTcpServer::bind("127.0.0.1:0", handle(&log, handler)).unwrap();
    let server = server.with_config(ServerConfig::new().deadlines(deadlines));
    (server.spawn().unwrap(), failures)
}

/// Whether nothing comes for longer than any short deadline.
fn is_left_alone(mut client: &TcpStream) {
    client.set_read_timeout(Some(LONGER)).unwrap();
    let error = client.read(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    client.set_read_timeout(Some(PATIENCE)).unwrap();
}

fn answer_a_line(client: &mut Client) -> HandlerResult {
    let mut line = String::new();
    client.rfile.read_line(&mut line)?;
    client.wfile.write_all(line.to_uppercase().as_bytes())?;
    Ok(())
}

fn all(time: std::time::Duration) -> Deadlines {
    Deadlines::new().first_byte(time).read(time).write(time).whole(time).min_rate(u64::MAX, time)
}

#[test]
fn longer_ones_or_none_let_a_slow_client_be() {
    for others in [all(PATIENCE).min_rate(1, PATIENCE), Deadlines::new()] {
        let (server, failures) = serve(all(SHORT), move |client| {
            assert_eq!(client.deadlines(), all(SHORT));
            client.set_deadlines(others);
            assert_eq!(client.deadlines(), others);
            answer_a_line(client)
        });
        let mut slow = connect(*server.local_addr());
        is_left_alone(&slow);
        slow.write_all(b"hel").unwrap();
        is_left_alone(&slow);
        slow.write_all(b"lo\n").unwrap();
        assert_eq!(read_to_end(&slow), "HELLO\n");
        assert_eq!(server.handle().cuts().deadlines(), 0);
        server.stop().unwrap();
        failures.are_none();
    }
}

#[test]
fn shorter_ones_hold_whether_the_server_has_some_or_not() {
    for server_has in [all(PATIENCE).min_rate(1, PATIENCE), Deadlines::new()] {
        let (server, failures) = serve(server_has, |client| {
            client.set_deadlines(client.deadlines().read(SHORT).without(Deadline::FirstByte));
            answer_a_line(client)
        });
        let client = connect(*server.local_addr());
        failures.is_over(Deadline::Read);
        assert_eq!(read_to_end(&client), "");
        assert_eq!(server.handle().cuts().read, 1);
    }
}

#[test]
fn a_timeout_of_its_own_cuts_nothing_and_does_not_put_a_deadline_off() {
    let deadlines = Deadlines::new().read(20 * SHORT);
    let (server, failures) = serve(deadlines, |client| {
        client.connection.set_timeout(Some(SHORT / 6))?;
        loop {
            let error = client.rfile.fill_buf().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            if CutReason::of(&error).is_some() {
                return Err(error.into());
            }
            client.wfile.write_all(b".")?;
        }
    });
    let client = connect(*server.local_addr());
    failures.is_over(Deadline::Read);
    let dots = read_to_end(&client);
    assert!(!dots.is_empty() && dots.bytes().all(|byte| byte == b'.'));

    let (server, failures) = serve(Deadlines::new().read(SHORT), |client| {
        client.connection.set_timeout(Some(PATIENCE))?;
        answer_a_line(client)
    });
    let client = connect(*server.local_addr());
    failures.is_over(Deadline::Read);
    assert_eq!(read_to_end(&client), "");
}

#[test]
fn after_a_cut_every_call_says_the_same() {
    let (server, failures) = serve(Deadlines::new().whole(SHORT), |client| {
        let error = client.rfile.read_to_end(&mut Vec::new()).unwrap_err();
        // What has been sent is not received any more, and the deadline cannot be put off.
        client.set_deadlines(Deadlines::new());
        for again in [
            client.rfile.fill_buf().unwrap_err(),
            client.wfile.write_all(b"hello").unwrap_err(),
            client.connection.recv(&mut [0]).unwrap_err(),
        ] {
            assert_eq!((again.kind(), again.to_string()), (error.kind(), error.to_string()));
            assert_eq!(CutReason::of(&again), CutReason::of(&error));
        }
        Err(error.into())
    });
    let client = connect(*server.local_addr());
    failures.is_over(Deadline::Whole);
    let _ = (&client).read_to_end(&mut Vec::new());
    assert_eq!(server.handle().cuts().whole, 1);
}

#[test]
fn the_whole_is_over_also_for_calls_that_would_not_wait() {
    let (server, failures) = serve(Deadlines::new().whole(SHORT), |client| {
        loop {
            client.rfile.read_exact(&mut [0])?;
        }
    });
    let mut client = connect(*server.local_addr());
    // Faster than it is read.
    while client.write(&[b'x'; 10_000]).is_ok() {}
    failures.is_over(Deadline::Whole);

    let (server, failures) = serve(Deadlines::new().whole(SHORT), |client| {
        loop {
            client.wfile.write_all(b"x")?;
        }
    });
    let mut client = connect(*server.local_addr());
    while matches!(client.read(&mut [0; 10_000]), Ok(1..)) {}
    failures.is_over(Deadline::Whole);
}

#[test]
fn a_connection_that_was_taken_over_has_none() {
    let (sender, taken_over) = channel();
    let sender = Mutex::new(sender);
    let (server, failures) = serve(all(SHORT), move |client| {
        client.connection.set_timeout(Some(PATIENCE))?;
        sender.lock().unwrap().send(client.detach()?).unwrap();
        Ok(())
    });
    let mut client = connect(*server.local_addr());
    let mut taken_over = taken_over.recv_timeout(PATIENCE).unwrap();
    is_left_alone(&client);
    // Its socket has the timeout that the handler gave it.
    let timeout = taken_over.connection().read_timeout().unwrap();
    assert_eq!(timeout, Some(PATIENCE));
    let writer = thread::spawn(move || {
        is_left_alone(&client);
        client.write_all(b"b").unwrap();
        client
    });
    taken_over.read_exact(&mut [0]).unwrap();
    taken_over.write_all(b"still here").unwrap();
    drop(taken_over);
    assert_eq!(read_to_end(&writer.join().unwrap()), "still here");
    assert_eq!(server.handle().cuts().deadlines(), 0);
    assert_eq!(server.stop().unwrap().1.detached, 1);
    failures.are_none();
}

#[test]
fn a_connection_that_was_taken_over_ends_as_its_client_does_whatever_the_server_wants() {
    let (sender, taken_over) = channel();
    let (go, ended_by_hand) = channel();
    let (sender, ended_by_hand) = (Mutex::new(sender), Mutex::new(ended_by_hand));
    let (server, failures) = serve(Deadlines::new(), move |client| {
        let mut detached = client.detach()?;
        sender.lock().unwrap().send(()).unwrap();
        ended_by_hand.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        detached.read_exact(&mut [0])?;
        assert_eq!(detached.read(&mut [0])?, 0);
        Ok(())
    });
    let mut client = connect(*server.local_addr());
    taken_over.recv_timeout(PATIENCE).unwrap();
    server.handle().end_connection(server.handle().connections()[0].id);
    client.write_all(b"a").unwrap();
    drop(client);
    go.send(()).unwrap();
    assert_eq!(server.stop().unwrap().1.errors, 0);
    failures.are_none();
}

#[test]
fn they_hold_in_another_thread_of_the_handler_too() {
    let (server, failures) = serve(Deadlines::new().read(SHORT), |client| {
        let connection = client.connection.clone();
        let receiving = thread::spawn(move || connection.recv(&mut [0]));
        receiving.join().unwrap()?;
        Ok(())
    });
    let client = connect(*server.local_addr());
    failures.is_over(Deadline::Read);
    assert_eq!(read_to_end(&client), "");
}

#[test]
fn what_is_not_set_is_not_asked_for_and_the_socket_is_as_it_was() {
    for (deadlines, timed) in [(Deadlines::new(), false), (all(PATIENCE), true)] {
        let (server, failures) = serve(deadlines, move |client| {
            answer_a_line(client)?;
            assert_eq!(client.connection.watch().unwrap().is_timed(), timed);
            assert_eq!(client.connection.read_timeout()?, None);
            assert_eq!(client.connection.write_timeout()?, None);
            Ok(())
        });
        let mut client = connect(*server.local_addr());
        client.write_all(b"hello\n").unwrap();
        assert_eq!(read_to_end(&client), "HELLO\n");
        server.stop().unwrap();
        failures.are_none();
    }
}

#[test]
fn a_drain_and_an_end_by_hand_wake_a_call_that_keeps_deadlines() {
    let (started, begun) = channel();
    let started = Mutex::new(started);
    let (server, failures) = serve(all(PATIENCE).idle(PATIENCE), move |client| {
        started.lock().unwrap().send(()).unwrap();
        let mut line = String::new();
        client.while_idle(|rfile| rfile.read_line(&mut line))?;
        Ok(client.rfile.read_line(&mut line).map(drop)?)
    });
    let mut clients = [(); 3].map(|()| {
        let client = connect(*server.local_addr());
        begun.recv_timeout(PATIENCE).unwrap();
        client
    });
    // Two are busy, one is idle.
    for client in &mut clients[..2] {
        client.write_all(b"hello\n").unwrap();
    }
    let list = || server.handle().connections();
    while list().iter().filter(|info| info.received == 6).count() < 2 || list()[2].state != IDLE {
        thread::yield_now();
    }
    assert!(server.handle().end_connection(list()[0].id));
    assert_eq!(failures.next().reason, Some(CutReason::Ended));
    assert!(server.handle().wait_until_at_most(2, PATIENCE));
    let handle = server.handle().clone();
    let drain = Drain::new().deadline(20 * SHORT).grace(PATIENCE);
    let (report, counts) = server.drain(drain).unwrap();
    assert_eq!((report.idle_ended, report.forced, report.is_stuck()), (1, 1, false), "{report}");
    assert_eq!(failures.next().reason, Some(CutReason::Forced));
    assert_eq!((counts.served, counts.errors), (3, 2), "the end of an idle one is no error");
    let cuts = handle.cuts();
    assert_eq!((cuts.ended, cuts.forced, cuts.drained, cuts.deadlines()), (1, 1, 1, 0));
}

const IDLE: socketserver::ConnectionState = socketserver::ConnectionState::Idle;

#[test]
fn what_buffers_take_buys_no_time_for_who_takes_nothing() {
    let (server, failures) = serve(Deadlines::new().min_rate(10_000, SECOND), |client| {
        loop {
            client.wfile.write_all(&[b'x'; 16_384])?;
        }
    });
    let _never_reads = connect(*server.local_addr());
    failures.is_over(Deadline::Rate);
    assert_eq!(server.handle().cuts().rate, 1);
}
