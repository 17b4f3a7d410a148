//! Test 23: what `wfile` is. Test 24, `test_write`, is in `ported_fork.rs`: its signals want a process with one
//! thread.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;

use socketserver::prelude::*;

use crate::driver::PATIENCE;

/// In CPython `wfile` is an `io.BufferedIOBase` with the `fileno()` of the request. Here that it is a file is
/// the type's affair, [`Write`], and it has no descriptor to show: what is written to it arrives where the
/// connection leads.
#[test]
fn test_basics() {
    fn write(mut file: impl Write) -> std::io::Result<()> {
        file.write_all(b"to the file\n")?;
        file.flush()
    }

    let seen: Mutex<Vec<SocketAddr>> = Mutex::default();
    let service = stream_fn(|client: &mut Stream<TcpConnection>| {
        write(&mut client.wfile)?;
        client.connection.send(b"to the connection\n")?;
        seen.lock().unwrap().extend([client.connection.peer_addr()?, client.client_address]);
        Ok(())
    });
    let mut server = TcpServer::bind("127.0.0.1:0", service).unwrap();
    let mut client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(matches!(server.handle_request().unwrap(), Handled::Served));
    drop(server);
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "to the file\nto the connection\n");
    assert_eq!(seen.into_inner().unwrap(), [client.local_addr().unwrap(); 2]);
}
