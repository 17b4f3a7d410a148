//! Each packet comes back in upper case.
//!
//! ```text
//! cargo run --example udp_upper -- 127.0.0.1:9999
//! ```

#![expect(clippy::print_stderr, reason = "it talks to the one who started it")]

use std::error::Error;
use std::io::Write;

use socketserver::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9999".to_owned());

    let upper = datagram_fn(|packet| {
        let upper = packet.packet().to_ascii_uppercase();
        packet.wfile.write_all(&upper)?;
        Ok(())
    });
    let mut server = UdpServer::bind(&*address, upper)?;

    let stop = server.shutdown_handle();
    ctrlc::set_handler(move || {
        stop.request();
    })?;

    eprintln!("listening on {}", server.local_addr()?);
    server.serve_forever()?;
    Ok(())
}
