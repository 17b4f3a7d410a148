//! A handler that takes its connection over: another thread goes on with it after the server is gone.

#![cfg(test)]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::sync::mpsc;
use std::thread;

use socketserver::prelude::*;
use support::{PATIENCE, connect, read_to_end};

#[test]
fn another_thread_goes_on_with_a_connection_after_its_handler_and_the_server_have_ended() {
    let (hand_over, taken) = mpsc::channel();
    let service = stream_fn(move |client| {
        let mut line = String::new();
        client.rfile.read_line(&mut line)?;
        writeln!(client.wfile, "handler: {}", line.trim_end())?;
        hand_over.send(client.detach()?)?;
        Ok(())
    });
    let mut server = ThreadingTcpServer::bind("127.0.0.1:0", service).unwrap();
    let mut client = connect(server.local_addr().unwrap());
    // Both lines at once, so that the second may have been read ahead.
    client.write_all(b"one\ntwo\n").unwrap();
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    server.close();

    let counts = server.counts();
    assert_eq!((counts.accepted, counts.detached, counts.served), (1, 1, 0));
    assert_eq!((counts.errors, counts.in_progress()), (0, 0));
    drop(server);

    let detached = taken.recv_timeout(PATIENCE).unwrap();
    let other = thread::spawn(move || {
        let mut lines = BufReader::new(detached);
        for _ in 0..2 {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            writeln!(&mut lines.get_ref().connection(), "thread: {}", line.trim_end()).unwrap();
        }
    });
    client.write_all(b"three\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&client), "handler: one\nthread: two\nthread: three\n");
    other.join().unwrap();
}

#[test]
fn a_synchronous_server_leaves_a_connection_alone_that_was_taken_over() {
    let (hand_over, taken) = mpsc::channel();
    let service = stream_fn(|client| Ok(hand_over.send(client.detach()?)?));
    let mut server = TcpServer::bind("127.0.0.1:0", service).unwrap();
    let client = connect(server.local_addr().unwrap());
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!(server.counts().detached, 1);
    drop(server);
    let (connection, unread) = taken.try_recv().unwrap().into_parts();
    assert_eq!(unread, b"");
    let mut socket = connection.into_std().unwrap();
    socket.write_all(b"still open").unwrap();
    drop(socket);
    assert_eq!(read_to_end(&client), "still open");
}
