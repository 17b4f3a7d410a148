//! Four worker processes accept on one listener; a client sends a line and gets it back in upper case. Unix
//! only.
//!
//! ```text
//! cargo run --example prefork_upper -- 127.0.0.1:9999
//! ```
//!
//! A process that forks should have no other threads, so Ctrl-C is not waited for in one: the signal sets a
//! flag, and the loops look at it ten times a second.

#![expect(clippy::print_stderr, reason = "it talks to the one who started it")]

#[cfg(unix)]
mod unix {
    use std::error::Error;
    use std::io::{BufRead, Read, Write};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use signal_hook::consts::{SIGINT, SIGTERM};
    use socketserver::concurrency::PreFork;
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
        .on_service_actions(move |server| {
            if stop.load(Ordering::Relaxed) {
                server.request_shutdown();
            }
        });

        let every = PollInterval::Every(Duration::from_millis(100));
        let mut server = TcpServer::bind(&*address, upper)?
            .with_config(ServerConfig::new().poll_interval(every));

        eprintln!("listening on {}", server.local_addr()?);
        let workers = PreFork::new(4).on_worker_exit(|worker| eprintln!("{worker}"));
        // Workers ignore Ctrl-C, which is the parent's. So a client that stays silent is not waited for without end.
        let (_, report) = workers.serve_and_drain(&mut server, Drain::new())?;
        if !report.is_clean() {
            eprintln!("{report}");
        }
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
