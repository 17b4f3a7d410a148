//! Keeps each client's connection open, prints the length and the lower-cased text of every message,
//! and stops serving a client that says `exit`. A message is a line.
//!
//! ```text
//! cargo run --example exit_chat -- 127.0.0.1 9999
//! ```

#![expect(clippy::print_stderr, reason = "it talks to the one who started it")]

use std::error::Error;
use std::io::{self, BufRead, Read, Write};

use socketserver::prelude::*;

/// A longer message is an error.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// One for each client.
#[derive(Default)]
struct Chat {
    line: Vec<u8>,
}

impl Chat {
    /// The next message; `None` when the client has no more.
    fn message(
        &mut self,
        client: &mut Stream<TcpConnection>,
    ) -> Result<Option<String>, HandlerError> {
        self.line.clear();
        let limit = LONGEST_MESSAGE as u64 + 1;
        if (&mut client.rfile).take(limit).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        if self.line.len() > LONGEST_MESSAGE {
            return Err(format!("a message of more than {LONGEST_MESSAGE} bytes").into());
        }
        let text = String::from_utf8_lossy(&self.line);
        Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
    }
}

impl StreamRequestHandler<TcpConnection> for Chat {
    fn handle(&mut self, client: &mut Stream<TcpConnection>) -> HandlerResult {
        while let Some(message) = self.message(client)? {
            if message == "exit" {
                break;
            }
            writeln!(io::stdout(), "{} {}", message.len(), message.to_lowercase())?;
        }
        Ok(())
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
    let chat = StreamService::new(Chat::default);
    let mut server = Server::new(Tcp::bind(&*address)?, threads, chat);

    let stop = server.shutdown_handle();
    ctrlc::set_handler(move || {
        stop.request();
    })?;

    eprintln!("listening on {}", server.local_addr()?);
    server.serve_forever()?;
    Ok(())
}
