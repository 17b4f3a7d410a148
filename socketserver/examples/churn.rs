//! Whether the limit on connections is exact: many come and go while it changes at random.
//!
//! ```text
//! cargo run --release --example churn -- 1000000
//! ```
//!
//! Overshoot is when a connection is let in although as many were inside as the limit allowed at that moment. (When the
//! limit is lowered, those who are inside stay; but nobody comes in until they are fewer than it.) The program keeps its own
//! books, apart from the server's, and ends with 1 if there was any overshoot.
//!
//! How it is seen without a race: the serving thread lets connections in one after another, and calls `verify_request` for
//! each. So a connection was let in between the call for the one before and its own, and the limit at that moment was one of
//! those in force in between. It is counted in there, and out when it is closed; that comes before its place is free again.
//! So the count is never more than what was inside at that moment, and has to be within the highest of those limits.

#![expect(clippy::print_stdout, reason = "it tells what it found")]

use std::error::Error;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::prelude::*;
use socketserver::transports::socket2::SockRef;

/// The limit is between 1 and this.
const MOST: usize = 100;
const SEED: u64 = 20_260_101;
const CLIENT_THREADS: usize = 4;
/// Each thread has so many connections at a time: together twice as many as are ever let in.
const AT_A_TIME: i64 = 50;

/// The books of this program.
struct Books {
    limits: Mutex<Limits>,
    /// Connections that were let in and are not closed.
    inside: AtomicUsize,
    highest_inside: AtomicUsize,
    /// Handlers at work.
    handlers: AtomicUsize,
    highest_handlers: AtomicUsize,
    /// How often a connection took the last place.
    filled: AtomicU64,
    /// The most that were ever too many.
    overshoot: AtomicUsize,
}

struct Limits {
    now: usize,
    /// The highest that was in force since the last connection was let in.
    highest: usize,
}

impl Books {
    fn new() -> Self {
        Self {
            limits: Mutex::new(Limits { now: MOST, highest: MOST }),
            inside: AtomicUsize::new(0),
            highest_inside: AtomicUsize::new(0),
            handlers: AtomicUsize::new(0),
            highest_handlers: AtomicUsize::new(0),
            filled: AtomicU64::new(0),
            overshoot: AtomicUsize::new(0),
        }
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the limit. Nobody reads the books in between.
    fn change(&self, server: &ServerHandle, most: usize) {
        let mut limits = self.limits();
        *limits = Limits { now: most, highest: limits.highest.max(most) };
        server.set_max_connections(Some(most));
    }

    /// In the serving thread, once for each connection that was let in.
    fn let_in(&self) {
        let mut limits = self.limits();
        let allowed = limits.highest;
        limits.highest = limits.now;
        let inside = self.inside.fetch_add(1, SeqCst) + 1;
        self.highest_inside.fetch_max(inside, SeqCst);
        self.overshoot.fetch_max(inside.saturating_sub(allowed), SeqCst);
        self.filled.fetch_add(u64::from(inside == allowed), SeqCst);
    }

    /// In a worker, as long as a handler is at work there.
    fn handler<T>(&self, handle: impl FnOnce() -> T) -> T {
        let handlers = self.handlers.fetch_add(1, SeqCst) + 1;
        self.highest_handlers.fetch_max(handlers, SeqCst);
        self.overshoot.fetch_max(handlers.saturating_sub(MOST), SeqCst);
        let result = handle();
        self.handlers.fetch_sub(1, SeqCst);
        result
    }
}

/// Says something, and stays until the client goes.
struct Churn(Arc<Books>);

impl Service<TcpConnection> for Churn {
    fn finish_request(
        &self,
        client: &mut TcpConnection,
        _: &SocketAddr,
        _: &ServerHandle,
    ) -> HandlerResult {
        self.0.handler(|| {
            client.send(b"!")?;
            // Clients go without a word, so this is an error.
            let _ = client.recv(&mut [0]);
            Ok(())
        })
    }

    fn verify_request(&self, _: &TcpConnection, _: &SocketAddr) -> bool {
        self.0.let_in();
        true
    }

    fn close_request(&self, client: TcpConnection) {
        drop(client);
        self.0.inside.fetch_sub(1, SeqCst);
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let connections = match &arguments[..] {
        [] => Ok(1_000_000),
        [number] => number.parse().map_err(drop),
        _ => Err(()),
    };
    let Ok(connections) = connections else {
        println!("usage: churn [CONNECTIONS]");
        return Ok(ExitCode::from(2));
    };
    churn(connections)
}

fn churn(connections: u32) -> Result<ExitCode, Box<dyn Error>> {
    let books = Arc::new(Books::new());
    let pool = ThreadPool::new(MOST + MOST / 4);
    let config = ServerConfig::new().max_connections(MOST);
    let server = PoolTcpServer::new(Tcp::bind("127.0.0.1:0")?, pool, Churn(Arc::clone(&books)));
    let server = server.with_config(config).spawn()?;
    println!(
        "seed {SEED}, limits from 1 to {MOST}, {CLIENT_THREADS} times {AT_A_TIME} at the door"
    );

    let (address, handle) = (*server.local_addr(), server.handle());
    let left = AtomicI64::new(connections.into());
    let started = Instant::now();
    let changes = thread::scope(|scope| {
        let (done, wait_for_done) = mpsc::channel();
        let (books, handle) = (&*books, &handle);
        let changes = scope.spawn(move || change_at_random(books, handle, &wait_for_done));
        let clients = [(); CLIENT_THREADS].map(|()| scope.spawn(|| come_and_go(address, &left)));
        let clients = clients.map(thread::ScopedJoinHandle::join);
        drop(done);
        let changes = changes.join().map_err(|_| "the limit's thread panicked")?;
        for client in clients {
            client.map_err(|_| "a client panicked")??;
        }
        Ok::<_, Box<dyn Error>>(changes)
    })?;
    let time = started.elapsed();
    let (_, counts) = server.stop()?;

    let per_second = f64::from(connections) / time.as_secs_f64();
    let overshoot = books.overshoot.load(SeqCst);
    println!("connections {} in {time:.1?}, {per_second:.0} per second", counts.served);
    println!("changes of the limit {changes}");
    println!("took the last place {}", books.filled.load(SeqCst));
    println!("highest inside {}", books.highest_inside.load(SeqCst));
    println!("highest handlers at work {}", books.highest_handlers.load(SeqCst));
    println!("overshoot {overshoot}");
    let all = counts.served == u64::from(connections) && counts.in_progress() == 0;
    if !all {
        println!("not all were served: {counts:?}");
    }
    Ok(if all && overshoot == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Changes the limit every few milliseconds, until the sender is dropped; says how often.
fn change_at_random(books: &Books, server: &ServerHandle, done: &Receiver<()>) -> u64 {
    let (mut state, mut changes) = (SEED, 0);
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    loop {
        let pause = Duration::from_micros(random(2000));
        if done.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
            return changes;
        }
        books.change(server, usize::try_from(random(MOST as u64)).unwrap_or_default() + 1);
        changes += 1;
    }
}

/// Connects many times, several at a time; each waits until it was let in.
fn come_and_go(address: SocketAddr, left: &AtomicI64) -> std::io::Result<()> {
    loop {
        let mine = left.fetch_sub(AT_A_TIME, SeqCst).min(AT_A_TIME);
        if mine <= 0 {
            return Ok(());
        }
        let clients: std::io::Result<Vec<_>> =
            (0..mine).map(|_| TcpStream::connect(address)).collect();
        for mut client in clients? {
            client.read_exact(&mut [0])?;
            // It ends with a reset, which leaves no port behind that waits: there are not enough of them.
            SockRef::from(&client).set_linger(Some(Duration::ZERO))?;
        }
    }
}
