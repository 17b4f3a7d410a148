//! The alarm about handlers that do nothing for their clients, and those it must not be about.

#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod support;

use std::io::{BufRead, Read, Write};
use std::net::Shutdown;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socketserver::Running;
use socketserver::observe::Event;
use socketserver::prelude::*;

use support::{PATIENCE, connect, read_to_end};

/// Longer than a thread that could run is ever kept from it.
const LONG: Duration = Duration::from_millis(300);

/// A server whose handlers, for each line they get, wait for a word from the test and then answer.
fn server(words: Receiver<()>) -> (Running<std::net::SocketAddr>, Receiver<u64>) {
    let words = Arc::new(Mutex::new(words));
    let service = stream_fn(move |client: &mut Stream<TcpConnection>| {
        let mut line = String::new();
        while client.rfile.read_line(&mut line)? > 0 {
            words.lock().unwrap().recv_timeout(PATIENCE)?;
            client.wfile.write_all(line.as_bytes())?;
            line.clear();
        }
        Ok(())
    });
    let (tell, told) = mpsc::channel();
    let config = ServerConfig::new().poll_interval(PollInterval::Never).stuck_after(LONG);
    let server = ThreadingTcpServer::bind("127.0.0.1:0", service)
        .unwrap()
        .with_config(config)
        .with_observer(move |event: &Event<'_>| {
            if let Event::Stuck(client, time) = event {
                assert!(*time >= LONG);
                tell.send(client.id().get()).unwrap();
            }
        });
    (server.spawn().unwrap(), told)
}

#[test]
fn a_handler_that_does_nothing_is_told_to_be_stuck_and_one_that_waits_is_not() {
    let (say, words) = mpsc::channel();
    let (server, told) = server(words);
    // Its handler waits for it all the time, and that is nothing to tell.
    let silent = connect(*server.local_addr());
    let mut client = connect(*server.local_addr());
    for _ in 0..2 {
        client.write_all(b"x\n").unwrap();
        assert_eq!(told.recv_timeout(PATIENCE).unwrap(), 2);
        let all = server.handle().connections();
        assert!(all[0].at_work.is_none(), "{all:?}");
        assert!(all[1].at_work.unwrap() >= LONG, "{all:?}");
        say.send(()).unwrap();
        client.read_exact(&mut [0; 2]).unwrap();
    }
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&client), "");
    drop(silent);
    server.stop().unwrap();
    assert!(told.iter().all(|id| id == 2));
}
