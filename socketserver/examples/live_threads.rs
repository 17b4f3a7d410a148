//! What one more connection costs while many threads are alive: a client connects, sends a line and
//! gets it back, again and again, with 0, 1,000 and 4,000 other clients connected and idle.
//!
//! ```text
//! cargo run --release --example live_threads -- [CONNECTIONS]
//! ```

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Instant;

use socketserver::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let connections = match std::env::args().nth(1) {
        Some(connections) => connections.parse::<u32>()?.max(1),
        None => 2000,
    };
    let echo = stream_fn(|client: &mut Stream<TcpConnection>| {
        let mut line = Vec::new();
        client.rfile.read_until(b'\n', &mut line)?;
        client.wfile.write_all(&line)?;
        Ok(())
    });
    let mut server = ThreadingTcpServer::bind("127.0.0.1:0", echo)?;
    let address = server.local_addr()?;
    let stop = server.shutdown_handle();
    let server = thread::spawn(move || server.serve_forever());

    let mut idle = Vec::new();
    let mut alone = None;
    for live in [0, 1000, 4000] {
        while idle.len() < live {
            idle.push(TcpStream::connect(address)?);
        }
        echo_once(address)?;
        let begin = Instant::now();
        for _ in 0..connections {
            echo_once(address)?;
        }
        let each = begin.elapsed() / connections;
        let ratio = each.as_secs_f64() / alone.get_or_insert(each).as_secs_f64();
        writeln!(
            io::stdout(),
            "{live:>5} live threads: {each:?} per connection, ratio {ratio:.2}"
        )?;
    }
    drop(idle);
    stop.shutdown()?;
    server.join().map_err(|_| "the loop panicked")??;
    Ok(())
}

fn echo_once(address: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(address)?;
    server.write_all(b"hello\n")?;
    BufReader::new(server).read_until(b'\n', &mut Vec::new())?;
    Ok(())
}
