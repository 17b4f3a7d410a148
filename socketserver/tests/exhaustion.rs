//! A server that has run out of descriptors: with one in reserve its clients are let go, and it recovers. In a binary of its
//! own, with one test: it uses up the descriptors of the process.

#![cfg(test)]
#![cfg(target_os = "linux")]

mod support;

use std::fs::File;
use std::io::Write;
use std::thread;
use std::time::Instant;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socketserver::prelude::*;
use support::{PATIENCE, connect, read_to_end};

/// Takes all descriptors there are.
fn fill(files: &mut Vec<File>) {
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
}

#[test]
fn clients_are_let_go_while_there_are_no_descriptors_and_served_again_afterwards() {
    let most = Rlimit { current: Some(128), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, most).unwrap();
    let service =
        stream_fn(|client: &mut Stream<TcpConnection>| Ok(client.wfile.write_all(b"hello")?));
    let transport = Tcp::options().reserve_descriptor(true).bind("127.0.0.1:0").unwrap();
    let server = ThreadingTcpServer::with_transport(transport, service).spawn().unwrap();
    let to = *server.local_addr();
    assert_eq!(read_to_end(&connect(to)), "hello");
    // Its descriptor was given back when it has left.
    assert!(server.handle().wait_until_at_most(0, PATIENCE));

    let mut files = Vec::new();
    for dismissed in 1..=5 {
        fill(&mut files);
        // For the client alone.
        drop(files.pop());
        let client = connect(to);
        assert_eq!(read_to_end(&client), "", "it does not wait for better times");
        // Then the reserve is there again, and not to be filled by this test.
        let deadline = Instant::now() + PATIENCE;
        while server.counts().dismissed < dismissed && Instant::now() < deadline {
            thread::yield_now();
        }
    }
    drop(files);
    assert_eq!(read_to_end(&connect(to)), "hello");
    let counts = server.stop().unwrap().1;
    assert_eq!((counts.served, counts.dismissed, counts.in_progress()), (2, 5, 0));
    assert!(counts.exhausted >= 5);
}
