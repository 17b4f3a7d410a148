//! Ten thousand connections through a pool: no thread and no descriptor is left.

#![cfg(test)]
// Only there a process can read in /proc what it holds.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::prelude::*;

const CLIENTS: u64 = 8;
const EACH: u64 = 1250;

/// Nothing takes this long: what waits longer is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many descriptors and threads this process has.
fn held() -> (usize, usize) {
    let entries = |folder| fs::read_dir(folder).unwrap().count();
    (entries("/proc/self/fd"), entries("/proc/self/task"))
}

fn ask(address: SocketAddr, line: &str) -> String {
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    writeln!(client, "{line}").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn ten_thousand_connections_leave_nothing_behind() {
    let before = held();
    let say_back = stream_fn(|client: &mut Stream<TcpConnection>| {
        let mut line = Vec::new();
        client.rfile.read_until(b'\n', &mut line)?;
        if line.starts_with(b"1000 ") {
            return Err("one that fails".into());
        }
        client.wfile.write_all(&line)?;
        Ok(())
    });
    let say_back = say_back.on_error(|_: &mut TcpConnection, _, _| {});
    // Workers come and go.
    let pool = ThreadPool::new(6).idle_timeout(Duration::from_millis(1));
    let status = pool.status();
    let server = PoolTcpServer::new(Tcp::bind("127.0.0.1:0").unwrap(), pool, say_back);
    let server = server.spawn().unwrap();
    let address = *server.local_addr();
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                for number in 0..EACH {
                    let line = format!("{number} {client}");
                    let answer = ask(address, &line);
                    let expected = if number == 1000 { String::new() } else { format!("{line}\n") };
                    assert_eq!(answer, expected);
                }
            });
        }
    });
    let (_, counts) = server.stop().unwrap();
    assert_eq!((counts.accepted, counts.served), (CLIENTS * EACH, CLIENTS * EACH));
    assert_eq!((counts.errors, counts.in_progress()), (CLIENTS, 0));
    assert_eq!((status.workers(), status.in_progress()), (0, 0));
    // A thread that was joined can be listed for a moment longer.
    let deadline = Instant::now() + PATIENCE;
    while held() != before && Instant::now() < deadline {
        thread::yield_now();
    }
    assert_eq!(held(), before, "descriptors and threads");
}
