//! The pool with other transports than TCP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::UdpSocket;
use std::thread;

use socketserver::prelude::*;

use crate::support::PATIENCE;

struct Upper;

impl<C: StreamRequest> KeepAliveHandler<C> for Upper {
    fn handle_one_request(&mut self, stream: &mut Stream<C>) -> Result<Next, HandlerError> {
        let mut line = String::new();
        stream.rfile.read_line(&mut line)?;
        stream.wfile.write_all(line.to_uppercase().as_bytes())?;
        Ok(Next::Keep)
    }
}

#[test]
fn udp() {
    for await_first_byte in [false, true] {
        let pool = LeaderPool::new(3).await_first_byte(await_first_byte);
        let service = datagram_fn(|exchange: &mut DatagramExchange<'_, _>| {
            let answer = exchange.packet().to_ascii_uppercase();
            Ok(exchange.wfile.write_all(&answer)?)
        });
        let server = Server::new(Udp::bind("127.0.0.1:0").unwrap(), pool, service).spawn().unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.connect(server.local_addr()).unwrap();
        for _ in 0..50 {
            client.send(b"hello").unwrap();
            let mut answer = [0; 16];
            let length = client.recv(&mut answer).unwrap();
            assert_eq!(&answer[..length], b"HELLO");
        }
        let (_, counts) = server.stop().unwrap();
        assert_eq!((counts.served, counts.errors), (50, 0));
    }
}

#[cfg(unix)]
#[test]
fn unix_streams() {
    use std::os::unix::net::UnixStream;
    for await_first_byte in [false, true] {
        let path =
            std::env::temp_dir().join(format!("leader-{}-{await_first_byte}", std::process::id()));
        let transport = socketserver::transports::UnixStream::bind(path.clone()).unwrap();
        let pool = LeaderPool::new(3).await_first_byte(await_first_byte);
        let service = StreamService::new(|| KeepAlive(Upper));
        let server = Server::new(transport, pool, service).spawn().unwrap();
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let stream = UnixStream::connect(&path).unwrap();
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    let mut client = BufReader::new(stream);
                    for _ in 0..20 {
                        client.get_ref().write_all(b"a\nb\n").unwrap();
                        for expected in ["A\n", "B\n"] {
                            let mut line = String::new();
                            client.read_line(&mut line).unwrap();
                            assert_eq!(line, expected);
                        }
                    }
                    client.get_ref().write_all(b"last\n").unwrap();
                    client.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
                    let mut rest = String::new();
                    client.read_to_string(&mut rest).unwrap();
                    assert_eq!(rest, "LAST\n");
                });
            }
        });
        let (_, counts) = server.stop().unwrap();
        assert_eq!((counts.served, counts.errors), (20, 0));
    }
}
