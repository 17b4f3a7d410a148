//! Tells each client on a Unix socket who it is: the ids of its process, user and group. Unix only.
//!
//! ```text
//! cargo run --example unix_whoami -- /tmp/whoami
//! ```

#![expect(clippy::print_stderr, reason = "it talks to the one who started it")]

#[cfg(unix)]
mod unix {
    use std::error::Error;
    use std::io::Write;

    use socketserver::prelude::*;
    use socketserver::transports::{StaleSocket, UnixStream};

    pub(super) fn main() -> Result<(), Box<dyn Error>> {
        let path = std::env::args().nth(1).unwrap_or_else(|| "/tmp/whoami".to_owned());

        let whoami = stream_fn(|client: &mut Stream<UnixConnection>| {
            let peer = client.connection.peer_credentials()?;
            let pid = peer.pid().map_or_else(|| "unknown".to_owned(), |pid| pid.to_string());
            writeln!(client.wfile, "pid {pid} uid {} gid {}", peer.uid(), peer.gid())?;
            Ok(())
        });

        // A file that a server left behind when it was killed is in nobody's use.
        let transport = UnixStream::options().stale(StaleSocket::Replace).bind(&path)?;
        let threads = ThreadPerRequest::new().name("whoami").daemon_threads(true);
        let mut server = Server::new(transport, threads, whoami);

        let stop = server.shutdown_handle();
        ctrlc::set_handler(move || {
            stop.request();
        })?;

        eprintln!("listening on {}", server.local_addr()?);
        server.serve_forever()?;
        Ok(())
    }
}

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    unix::main()
}

#[cfg(not(unix))]
fn main() {
    eprintln!("there are no Unix sockets here");
}
