//! A child process for each client, which sends a line and gets it back in upper case. Unix only.
//!
//! ```text
//! cargo run --example forking_upper -- 127.0.0.1:9999
//! ```
//!
//! A process that forks should have no other threads, so Ctrl-C is not waited for in one: the signal sets a
//! flag, and the loop looks at it ten times a second.

#![expect(clippy::print_stderr, reason = "it talks to the one who started it")]

#[cfg(unix)]
mod unix {
    use std::error::Error;
    use std::io::{BufRead, Read, Write};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use signal_hook::consts::{SIGINT, SIGTERM};
    use socketserver::prelude::*;

    pub(super) fn main() -> Result<(), Box<dyn Error>> {
        let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9999".to_owned());
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&stop))?;
        }

        let upper = stream_fn(|client: &mut Stream<TcpConnection>| {
            let mut line = Vec::new();
            (&mut client.rfile).take(10_000).read_until(b'\n', &mut line)?;
            line.make_ascii_uppercase();
            client.wfile.write_all(&line)?;
            Ok(())
        })
        // Children ignore Ctrl-C, which is the parent's, so nothing else would end one whose client is silent.
        .timeout(Duration::from_secs(60))
        .on_service_actions(move |server| {
            if stop.load(Ordering::Relaxed) {
                server.request_shutdown();
            }
        });

        let fork = Fork::new().block_on_close(false).on_child_exit(|child| {
            if child.code() != Some(0) {
                eprintln!("{child}");
            }
        });
        let every = PollInterval::Every(Duration::from_millis(100));
        let mut server = Server::new(Tcp::bind(&*address)?, fork, upper)
            .with_config(ServerConfig::new().poll_interval(every));

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
    eprintln!("there is no fork here");
}
