//! How long an idle server takes to stop: from the call of `shutdown()` to its return.
//!
//! ```text
//! cargo run --release --example stop_latency -- [ROUNDS]
//! ```
//!
//! The poll interval is `Never`, so nothing but the wake-up itself can end the loop.

use std::error::Error;
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = match std::env::args().nth(1) {
        Some(rounds) => rounds.parse::<usize>()?.max(1),
        None => 1000,
    };
    let config = ServerConfig::new().poll_interval(PollInterval::Never);
    let mut server =
        TcpServer::bind("127.0.0.1:0", stream_fn(|_client| Ok(())))?.with_config(config);
    let mut latencies = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let stop = server.shutdown_handle();
        latencies.push(thread::scope(|scope| -> Result<Duration, Box<dyn Error>> {
            let loop_thread = scope.spawn(|| server.serve_forever());
            // Long enough for the loop to be asleep; how long does not matter for the measurement.
            thread::sleep(Duration::from_millis(2));
            let begin = Instant::now();
            stop.shutdown()?;
            let latency = begin.elapsed();
            loop_thread.join().map_err(|_| "the loop panicked")??;
            Ok(latency)
        })?);
    }
    latencies.sort_unstable();
    let percentile = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
    writeln!(
        io::stdout(),
        "{rounds} stops of an idle server: median {:?}, 99th percentile {:?}, longest {:?}",
        percentile(50),
        percentile(99),
        percentile(100)
    )?;
    Ok(())
}
