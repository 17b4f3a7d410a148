//! A server that ends as an operator wants it: SIGTERM or Ctrl-C drains it, a second one forces it, and the exit code says
//! what came of that. Each line comes back in upper case.
//!
//! ```text
//! cargo run --features signals --example signals -- 127.0.0.1:9999
//! ```

#![expect(clippy::print_stderr, reason = "it talks to the one who started it")]

use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Duration;

use socketserver::prelude::*;
use socketserver::signals::{ServeUntilSignal, Signalled, Signals};

fn main() -> Result<Signalled, Box<dyn Error>> {
    // First of all: from here on a signal waits for the server.
    let mut signals = Signals::catch()?;
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9999".to_owned());

    let upper = stream_fn(|client: &mut Stream<TcpConnection>| {
        let mut line = String::new();
        // Between two lines the connection is idle: then a drain ends it at once.
        while client.while_idle(|rfile| rfile.read_line(&mut line))? > 0 {
            client.wfile.write_all(line.to_uppercase().as_bytes())?;
            line.clear();
        }
        Ok(())
    });
    let mut server = ThreadingTcpServer::bind(&*address, upper)?;

    eprintln!("listening on {}", server.local_addr()?);
    let drain = Drain::new().deadline(Duration::from_secs(20)).backlog(Backlog::Serve);
    let outcome = server.serve_until(&mut signals, drain)?;
    eprintln!("{outcome}");
    Ok(outcome)
}
