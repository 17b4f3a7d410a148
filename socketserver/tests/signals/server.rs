//! The servers of these tests: what each is made of, what its handlers do, and what it says at the end.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use socketserver::concurrency::PreFork;
use socketserver::prelude::*;
use socketserver::signals::{PreForkUntilSignal, ServeUntilSignal, Signalled, Signals};

/// Serves until a signal comes, by the given drain.
pub(crate) fn be_server(kind: &str, drain: Drain) -> ExitCode {
    let own = Arc::new(AtomicBool::new(false));
    if kind == "own-handler" {
        signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&own)).unwrap();
    }
    if kind == "fork-without" {
        let tcp = Tcp::bind("127.0.0.1:0").unwrap();
        println!("{}", tcp.local_addr().unwrap());
        let _ = Server::new(tcp, Fork::new(), obedient()).serve_forever();
    }
    let mut signals = Signals::catch().unwrap();
    if kind == "late" {
        println!("caught");
        std::io::stdin().read_line(&mut String::new()).unwrap();
    }
    let tcp = Tcp::bind("127.0.0.1:0").unwrap();
    println!("{}", tcp.local_addr().unwrap());
    let announced = |server: &ServerHandle| server.on_drain(|| println!("draining"));
    let outcome = match kind {
        "synchronous" => Server::new(tcp, Synchronous, obedient()).serve_until(&mut signals, drain),
        "pool" => Server::new(tcp, ThreadPool::new(4), obedient()).serve_until(&mut signals, drain),
        "spawned" => {
            let server = Server::new(tcp, ThreadPerRequest::new(), obedient()).spawn().unwrap();
            server.drain_when_signalled(&mut signals, drain)
        }
        "fork" | "fork-inherit" | "fork-tell" => {
            let fork = Fork::new().inherit_signal_handlers(kind == "fork-inherit");
            let fork = fork.tell_children(kind == "fork-tell");
            let mut server = Server::new(tcp, fork, obedient());
            let _announced = announced(&server.handle());
            server.serve_until(&mut signals, drain)
        }
        "prefork" => {
            let mut server = Server::new(tcp, Synchronous, obedient());
            PreFork::new(2).serve_until(&mut server, &mut signals, drain)
        }
        _ => Server::new(tcp, ThreadPerRequest::new(), obedient()).serve_until(&mut signals, drain),
    };
    let outcome = outcome.unwrap();
    println!("{}", numbers(&outcome));
    if own.load(Ordering::Relaxed) {
        println!("own handler called");
    }
    outcome.into()
}

fn numbers(outcome: &Signalled) -> String {
    let signal = outcome.signal().map_or("none".to_owned(), |signal| signal.to_string());
    let report = outcome.report();
    let numbers = [
        ("signals", outcome.signals()),
        ("finished", report.finished),
        ("idle", report.idle_ended),
        ("forced", report.forced),
        ("terminated", report.terminated),
        ("killed", report.killed),
        ("left", report.workers_left),
    ];
    let some = numbers.iter().filter(|(_, number)| *number > 0);
    some.fold(signal, |all, (name, number)| format!("{all} {name}={number}"))
}

/// What a process does with SIGINT and SIGTERM, and whether it blocks them.
fn describe(status: &str) -> String {
    let has = |what: &str, signal: u32| {
        let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap() >> (signal - 1) & 1 == 1
    };
    let one = |signal| match (has("SigIgn:", signal), has("SigCgt:", signal)) {
        (true, _) => "ignored",
        (_, true) => "handled",
        _ => "default",
    };
    let blocked = has("SigBlk:", 2) || has("SigBlk:", 15);
    let held = if blocked { " blocked" } else { "" };
    format!("INT {} TERM {}{held}\n", one(2), one(15))
}

/// Does what its client's lines say, and is idle between them.
fn obedient() -> impl Service<TcpConnection> + Send + Sync + 'static {
    stream_fn(|client: &mut Stream<TcpConnection>| {
        client.wfile.write_all(b"hello\n")?;
        let mut line = String::new();
        while client.while_idle(|rfile| rfile.read_line(&mut line))? > 0 {
            match line.trim_end() {
                how @ ("wait" | "thread") => {
                    let own = std::fs::read_link("/proc/thread-self").unwrap_or_default();
                    let own = own.file_name().unwrap_or_default().display().to_string();
                    let said = if how == "wait" { "busy" } else { &own };
                    let mut told = client.connection.clone();
                    // A client that is gone need not be told.
                    let _told = client.server.on_drain(move || _ = told.write_all(b"told\n"));
                    writeln!(client.wfile, "{said}")?;
                    client.rfile.read_line(&mut line)?;
                    client.wfile.write_all(line.as_bytes())?;
                }
                "compute" => {
                    client.wfile.write_all(b"busy\n")?;
                    loop {
                        thread::park();
                    }
                }
                "signals" => {
                    let status = std::fs::read_to_string("/proc/self/status")?;
                    client.wfile.write_all(describe(&status).as_bytes())?;
                }
                "exit" => return Err(HandlerError::exit(7)),
                _ => client.wfile.write_all(line.as_bytes())?,
            }
            line.clear();
        }
        Ok(())
    })
    .on_error(|_, _, _| ())
}
