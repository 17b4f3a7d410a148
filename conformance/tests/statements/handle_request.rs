//! One request: what its timeout is about.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use socketserver::prelude::*;
use socketserver_core::testing::{Inline, RecordingService, ScriptedTransport};

use crate::support::{connect, loopback, read_to_end};

#[test]
fn the_timeout_limits_the_wait_and_not_the_handler() {
    const TIMEOUT: Duration = Duration::from_millis(5);
    let service = stream_fn(|client: &mut Stream<TcpConnection>| {
        let begun = Instant::now();
        while begun.elapsed() < TIMEOUT * 3 {
            thread::yield_now();
        }
        client.wfile.write_all(b"took my time")?;
        Ok(())
    });
    let server = TcpServer::bind(loopback(), service).unwrap();
    let mut server = server.with_config(ServerConfig::new().timeout(TIMEOUT));
    let client = connect(server.local_addr().unwrap());
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!(read_to_end(&client), "took my time");
}

#[test]
fn a_timeout_of_the_transport_alone_counts() {
    let transport = ScriptedTransport::new().with_timeout(Duration::from_secs(7));
    let script = transport.script();
    let mut server = Server::new(transport, Inline, RecordingService::new());
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
    assert_eq!(script.waited(), Duration::from_secs(7));
}
