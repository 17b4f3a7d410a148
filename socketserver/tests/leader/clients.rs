//! Clients of all sorts at once, at random, and a pool whose threads take over from one another all the time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use socketserver::prelude::*;

use crate::site::{Any, Pool, Site, eventually};
use crate::support::connect;

/// Numbers without end, the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % end
    }
}

/// Blocks now and then, computes, and answers.
struct Churns;

impl KeepAliveHandler<TcpConnection> for Churns {
    fn handle_one_request(
        &mut self,
        stream: &mut Stream<TcpConnection>,
    ) -> Result<Next, HandlerError> {
        let mut line = String::new();
        stream.rfile.read_line(&mut line)?;
        let number: u64 =
            line.trim_end().rsplit(' ').next().and_then(|it| it.parse().ok()).unwrap_or(0);
        match number % 10 {
            0 => thread::park_timeout(Duration::from_micros(number % 500)),
            1 => (0..number * 20).for_each(|_| std::hint::spin_loop()),
            _ => {}
        }
        stream.wfile.write_all(line.to_uppercase().as_bytes())?;
        Ok(if line == "quit\n" { Next::Close } else { Next::Keep })
    }
}

/// One client; says how many answers it heard.
fn client(address: SocketAddr, random: &mut Random) -> u64 {
    let mut client = BufReader::new(connect(address));
    let mut socket = client.get_ref().try_clone().unwrap();
    let lines: Vec<_> =
        (0..=random.below(20)).map(|_| format!("x {}\n", random.below(1000))).collect();
    let hear = |client: &mut BufReader<_>, line: &str| {
        let mut answer = String::new();
        client.read_line(&mut answer).unwrap();
        assert_eq!(answer, line.to_uppercase());
    };
    match random.below(7) {
        0 => {
            // All at once, and the end behind it.
            socket.write_all(lines.concat().as_bytes()).unwrap();
            socket.shutdown(Shutdown::Write).unwrap();
            for line in &lines {
                hear(&mut client, line);
            }
            assert_eq!(client.read(&mut [0]).unwrap(), 0);
        }
        1 => {
            for byte in lines.concat().bytes() {
                socket.write_all(&[byte]).unwrap();
            }
            for line in &lines {
                hear(&mut client, line);
            }
        }
        2 => {
            for pair in lines.chunks(2) {
                socket.write_all(pair.concat().as_bytes()).unwrap();
                for line in pair {
                    hear(&mut client, line);
                }
            }
            socket.write_all(b"quit\n").unwrap();
            hear(&mut client, "quit\n");
            assert_eq!(client.read(&mut [0]).unwrap(), 0);
        }
        // Two that are gone before they have heard anything, or without a word.
        3 => {
            let _ = socket.write_all(lines.concat().as_bytes());
            return 0;
        }
        4 => return 0,
        _ => {
            for line in &lines {
                socket.write_all(line.as_bytes()).unwrap();
                hear(&mut client, line);
            }
        }
    }
    lines.len() as u64
}

#[test]
fn nothing_is_lost_whoever_takes_over_when() {
    const CLIENTS: u64 = 32;
    const EACH: u64 = 12;
    for (seed, await_first_byte) in [(1, false), (2, true), (3, false), (4, true)] {
        let threads = 2 + usize::try_from(seed).unwrap();
        let pool = Pool::new(threads)
            .patience(Duration::from_micros(50))
            .idle_timeout(Duration::from_millis(seed))
            .queue(1)
            .await_first_byte(await_first_byte);
        let site = Site::of(pool, ServerConfig::new(), |_, _| {
            Box::new(StreamService::new(|| KeepAlive(Churns)).rbufsize(64)) as Any
        });
        let heard = AtomicU64::new(0);
        thread::scope(|scope| {
            for number in 0..CLIENTS {
                let (heard, address) = (&heard, site.address());
                scope.spawn(move || {
                    let mut random = Random(seed * 1000 + number);
                    for _ in 0..EACH {
                        heard.fetch_add(client(address, &mut random), Ordering::Relaxed);
                    }
                });
            }
        });
        assert!(heard.into_inner() > CLIENTS * EACH, "most have heard something");
        // Who is gone at once may not have been accepted yet.
        let accepted = || site.server.counts().accepted;
        eventually("all have been accepted", || accepted() == CLIENTS * EACH);
        let counts = site.stop();
        assert_eq!((counts.accepted, counts.served), (CLIENTS * EACH, CLIENTS * EACH));
        assert_eq!((counts.overloaded, counts.unserved, counts.hook_panics), (0, 0, 0));
    }
}
