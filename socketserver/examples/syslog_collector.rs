//! Collects syslog messages on a UDP address and, with a second argument, on a Unix datagram socket of that
//! path too; prints each on a line of its own. Python's `logging.handlers.SysLogHandler` is a client.
//!
//! ```text
//! cargo run --example syslog_collector -- 127.0.0.1:5140 /tmp/log
//! ```

#![expect(clippy::print_stderr, reason = "it talks to the one who started it")]

use std::error::Error;
use std::io::{self, Write};

use socketserver::core::DatagramRequest;
use socketserver::prelude::*;

/// Prints a message; the same for all kinds of packets.
fn collector<R: DatagramRequest + 'static>() -> impl Service<R> + Send + Sync + 'static {
    datagram_fn(|packet: &mut DatagramExchange<'_, R>| {
        let message = String::from_utf8_lossy(packet.packet());
        // The end that some senders mark is no part of the message, and a line is a line.
        let message = message.trim_end_matches(['\0', '\n']).replace(['\n', '\r'], " ");
        let cut = if packet.is_truncated() { " [cut]" } else { "" };
        writeln!(io::stdout(), "{message}{cut}")?;
        Ok(())
    })
}

/// The second server, in a thread of its own.
#[cfg(unix)]
fn collect_on(path: &str) -> Result<impl Sized + use<>, Box<dyn Error>> {
    let server = UnixDatagramServer::bind(path, collector())?;
    eprintln!("listening on {}", server.local_addr()?);
    Ok(server.spawn()?)
}

#[cfg(not(unix))]
fn collect_on(path: &str) -> Result<(), Box<dyn Error>> {
    Err(format!("{path}: there are no Unix sockets here").into())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:5140".to_owned());
    // Stopped when it is dropped.
    let _second = arguments.next().map(|path| collect_on(&path)).transpose()?;

    let mut server = UdpServer::bind(&*address, collector())?;
    let stop = server.shutdown_handle();
    ctrlc::set_handler(move || {
        stop.request();
    })?;

    eprintln!("listening on {}", server.local_addr()?);
    server.serve_forever()?;
    Ok(())
}
