//! The server of CPython's documentation: each client sends a line and gets it back in upper case.
//!
//! ```text
//! cargo run --example upper -- 127.0.0.1:9999
//! ```

#![expect(clippy::print_stderr, reason = "it talks to the one who started it")]

use std::error::Error;
use std::io::{BufRead, Read, Write};

use socketserver::prelude::*;

/// A longer line is cut.
const LONGEST_LINE: u64 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9999".to_owned());

    let upper = stream_fn(|client| {
        let mut line = Vec::new();
        (&mut client.rfile).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        line.make_ascii_uppercase();
        client.wfile.write_all(&line)?;
        Ok(())
    });

    // Daemon threads: Ctrl-C ends the program even if a client is still connected.
    let threads = ThreadPerRequest::new().name("upper").daemon_threads(true);
    let mut server = Server::new(Tcp::bind(&*address)?, threads, upper);

    let stop = server.shutdown_handle();
    ctrlc::set_handler(move || {
        stop.request();
    })?;

    eprintln!("listening on {}", server.local_addr()?);
    server.serve_forever()?;
    Ok(())
}
