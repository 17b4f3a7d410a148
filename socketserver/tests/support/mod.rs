//! A client that never hangs.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Nothing takes this long: what waits longer is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A client of the server at `address`.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.set_write_timeout(Some(PATIENCE)).unwrap();
    client
}

/// All that the server still sends, up to a clean end.
pub(crate) fn read_to_end(mut client: &TcpStream) -> String {
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    text
}
