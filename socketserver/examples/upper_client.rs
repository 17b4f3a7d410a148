//! The client of CPython's documentation: sends its arguments as a line, prints the answer.
//!
//! ```text
//! cargo run --example upper_client -- 127.0.0.1:9999 hello world
//! ```

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("usage: upper_client ADDRESS:PORT WORD...")?;
    let line = arguments.collect::<Vec<_>>().join(" ");

    let mut server =
        TcpStream::connect(&*address).map_err(|error| format!("{address}: {error}"))?;
    server.write_all(format!("{line}\n").as_bytes())?;
    let mut answer = Vec::new();
    BufReader::new(&server).read_until(b'\n', &mut answer)?;
    io::stdout().write_all(&answer)?;
    Ok(())
}
