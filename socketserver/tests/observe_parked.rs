//! What observers are told of connections that are parked, and what the one for `tracing` makes of it: one span for each,
//! on whatever thread.

#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use socketserver::observe::{Event, TracingObserver};
use socketserver::prelude::*;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

struct Says;

impl KeepAliveHandler<TcpConnection> for Says {
    fn handle_one_request(
        &mut self,
        client: &mut Stream<TcpConnection>,
    ) -> Result<Next, HandlerError> {
        let mut line = String::new();
        client.rfile.read_line(&mut line)?;
        tracing::info!(line = line.trim_end(), "request");
        client.wfile.write_all(line.as_bytes())?;
        match line.trim_end() {
            "fail" => Err("as told".into()),
            "panic" => panic!("as told"),
            "quit" => Ok(Next::Close),
            _ => Ok(Next::Keep),
        }
    }
}

/// A writer that keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn name(event: &Event<'_>) -> Option<(u64, &'static str)> {
    Some(match event {
        Event::Accepted(client) => (client.id().get(), "accepted"),
        Event::Started(client) => (client.id().get(), "started"),
        Event::Rests(client) => (client.id().get(), "rests"),
        Event::Woken(client) => (client.id().get(), "woken"),
        Event::Failed(client, _) => (client.id().get(), "failed"),
        Event::Panicked(client, _) => (client.id().get(), "panicked"),
        Event::Finished(client, _) => (client.id().get(), "finished"),
        _ => return None,
    })
}

#[test]
fn a_parked_connection_keeps_its_span_on_whatever_thread() {
    const CLIENTS: u64 = 40;
    let kept = Kept::default();
    tracing_subscriber::fmt()
        .with_writer(kept.clone())
        .with_max_level(tracing::Level::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .init();
    let told = Arc::new(Mutex::new(HashMap::<u64, Vec<&str>>::new()));
    let telling = Arc::clone(&told);
    let service = StreamService::new(|| KeepAlive(Says)).on_error(|_, _, _| {});
    // So little patience that threads take over from one another all the time.
    let pool = LeaderPool::new(4).patience(Duration::from_micros(1));
    let server = LeaderTcpServer::new(Tcp::bind("127.0.0.1:0").unwrap(), pool, service)
        .with_observer(TracingObserver::named("test"))
        .with_observer(move |event: &Event<'_>| {
            if let Some((id, name)) = name(event) {
                telling.lock().unwrap().entry(id).or_default().push(name);
            }
        });
    let server = server.spawn().unwrap();
    let address = *server.local_addr();
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            scope.spawn(move || {
                let mut client = BufReader::new(TcpStream::connect(address).unwrap());
                let last = ["quit", "fail", "panic"][usize::try_from(number % 3).unwrap()];
                for word in ["one", "two", "three", last] {
                    writeln!(client.get_ref(), "{word}").unwrap();
                    let mut line = String::new();
                    client.read_line(&mut line).unwrap();
                    assert_eq!(line.trim_end(), word);
                }
            });
        }
    });
    let (_, counts) = server.stop().unwrap();
    assert_eq!(counts.served, CLIENTS);

    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    for id in 1..=CLIENTS {
        let span = format!("connection{{server=\"test\" id={id} ");
        let lines: Vec<_> = text.lines().filter(|line| line.contains(&span)).collect();
        let all = lines.iter().all(|line| line.matches("connection{").count() == 1);
        assert!(all, "none is inside of another: {lines:#?}");
        let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
        assert_eq!(count(" request "), 4, "{lines:#?}");
        assert_eq!((count("finished seconds="), count("close")), (1, 1), "{lines:#?}");
        assert!(count("door=\"served\" received=") == 2, "{lines:#?}");

        let told = &told.lock().unwrap()[&id];
        assert_eq!(told[..2], ["accepted", "started"], "{told:?}");
        assert_eq!(told.last(), Some(&"finished"), "{told:?}");
        let turns: Vec<_> =
            told.iter().filter(|name| matches!(**name, "rests" | "woken")).collect();
        assert!(turns.chunks(2).all(|pair| pair == [&"rests", &"woken"]), "{told:?}");
    }
    // Outside of all spans nothing was written but what belongs to none.
    let strays =
        text.lines().filter(|line| !line.contains("connection{") && !line.contains("accepted"));
    assert_eq!(strays.count(), 0, "{text}");
}
