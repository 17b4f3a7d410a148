//! A small pool that says so when it is busy: each client sends a line and gets it back in upper case, or
//! is answered `busy` at once.
//!
//! ```text
//! cargo run --example pool_overload -- 127.0.0.1:9999
//! ```
//!
//! Two clients are served at the same time and two more wait; try it with five times
//! `nc 127.0.0.1 9999`.

#![expect(clippy::print_stderr, reason = "it talks to the one who started it")]

use std::error::Error;
use std::io::{BufRead, Read, Write};
use std::time::Duration;

use socketserver::prelude::*;

const WORKERS: usize = 2;
const PLACES_TO_WAIT: usize = 2;
/// A longer line is cut.
const LONGEST_LINE: u64 = 10_000;
/// A client that says nothing for longer gives up its worker.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9999".to_owned());

    let upper = stream_fn(|client| {
        let mut line = Vec::new();
        (&mut client.rfile).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        line.make_ascii_uppercase();
        client.wfile.write_all(&line)?;
        Ok(())
    })
    .timeout(PATIENCE)
    // This runs in the loop, so it is short: a few bytes fit into the socket's buffer without a wait.
    .on_refusal(|client: &mut TcpConnection, _client_address, _refusal| {
        // The client may be gone.
        let _ = client.send(b"busy\n");
    });

    // Daemon threads: Ctrl-C ends the program even if a client is still connected.
    let pool = ThreadPool::new(WORKERS)
        .queue(PLACES_TO_WAIT)
        .when_full(WhenFull::Refuse)
        .name("upper")
        .daemon_threads(true);
    let mut server = PoolTcpServer::new(Tcp::bind(&*address)?, pool, upper);

    let stop = server.shutdown_handle();
    ctrlc::set_handler(move || {
        stop.request();
    })?;

    eprintln!("listening on {}", server.local_addr()?);
    server.serve_forever()?;
    Ok(())
}
