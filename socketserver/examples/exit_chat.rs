//! Keeps each client's connection open, prints the length and the lower-cased text of every message,
//! and stops serving a client that says `exit`. A message is what one receive brings, or a line of it.
//!
//! ```text
//! cargo run --example exit_chat -- 127.0.0.1 9999
//! ```

#![expect(clippy::print_stderr, reason = "it talks to the one who started it")]

use std::error::Error;
use std::io::{self, BufRead, Write};

use socketserver::prelude::*;

/// Serves one client.
fn chat(client: &mut Stream<TcpConnection>) -> HandlerResult {
    loop {
        let received = client.rfile.fill_buf()?;
        if received.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(received);
        for message in text.lines() {
            if message == "exit" {
                return Ok(());
            }
            writeln!(io::stdout(), "{} {}", message.len(), message.to_lowercase())?;
        }
        let length = received.len();
        client.rfile.consume(length);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let address = match &arguments[..] {
        [] => "127.0.0.1:9999".to_owned(),
        [address] => address.clone(),
        [host, port] if host.contains(':') => format!("[{host}]:{port}"),
        [host, port] => format!("{host}:{port}"),
        _ => return Err("usage: exit_chat ADDRESS PORT".into()),
    };

    // Daemon threads: Ctrl-C ends the program even if a client is still connected.
    let threads = ThreadPerRequest::new().name("chat").daemon_threads(true);
    let mut server = Server::new(Tcp::bind(&*address)?, threads, stream_fn(chat));

    let stop = server.shutdown_handle();
    ctrlc::set_handler(move || {
        stop.request();
    })?;

    eprintln!("listening on {}", server.local_addr()?);
    server.serve_forever()?;
    Ok(())
}
