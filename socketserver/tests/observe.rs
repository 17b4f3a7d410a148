//! What the observers for `tracing` and `metrics` make of a real server's events.

#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use socketserver::observe::{Event, MetricsObserver, Observer, TracingObserver};
use socketserver::prelude::*;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Serves one client in this thread that sends `word`, and says what it got.
fn talk(server: &mut TcpServer<impl Service<TcpConnection>>, word: &[u8]) -> Vec<u8> {
    let mut client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
    client.write_all(word).unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = server.handle_request().unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    answer
}

fn shout() -> impl Service<TcpConnection> {
    stream_fn(|client: &mut Stream<TcpConnection>| {
        let mut word = String::new();
        client.rfile.read_to_string(&mut word)?;
        match &*word {
            "fail" => Err("as told".into()),
            "panic" => panic!("as told"),
            _ => Ok(client.wfile.write_all(word.to_uppercase().as_bytes())?),
        }
    })
    .verify(|_: &TcpConnection, _: &SocketAddr| true)
    .on_error(|_, _, _| {})
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

/// What `tracing` writes while `run` runs.
fn traced(run: impl FnOnce()) -> Vec<String> {
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(kept.clone())
        .with_max_level(tracing::Level::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .finish();
    tracing::subscriber::with_default(subscriber, run);
    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn each_connection_has_a_span_in_which_its_handler_runs() {
    let service = stream_fn(|client: &mut Stream<TcpConnection>| {
        tracing::info!("in the handler");
        client.wfile.write_all(b"four")?;
        Ok(())
    });
    let mut server = TcpServer::bind("127.0.0.1:0", service)
        .unwrap()
        .with_observer(TracingObserver::named("test"));
    let lines = traced(|| assert_eq!(talk(&mut server, b""), b"four"));
    assert!(lines[0].starts_with("DEBUG accepted id=1 peer=127.0.0.1:"), "{lines:#?}");
    let span = "connection{server=\"test\" id=1 peer=127.0.0.1:";
    assert!(lines[1].contains(span) && lines[1].ends_with("in the handler"), "{lines:#?}");
    let end = "door=\"served\" received=0 sent=4}";
    assert!(lines[2].contains(span) && lines[2].contains(end), "{lines:#?}");
    assert!(lines[2].contains("finished seconds="), "{lines:#?}");
    assert!(lines[3].contains(end) && lines[3].contains("close"), "{lines:#?}");
    assert_eq!(lines.len(), 4, "{lines:#?}");
}

#[test]
fn failures_and_panics_are_told_inside_the_span() {
    let mut server =
        TcpServer::bind("127.0.0.1:0", shout()).unwrap().with_observer(TracingObserver::new());
    let lines = traced(|| {
        talk(&mut server, b"fail");
        talk(&mut server, b"panic");
    });
    let find = |text: &str| lines.iter().find(|line| line.contains(text)).unwrap();
    assert!(find("handler failed").starts_with("WARN connection{id=1"), "{lines:#?}");
    assert!(find("handler panicked").starts_with("ERROR connection{id=2"), "{lines:#?}");
}

#[test]
fn who_is_told_of_the_end_only_does_not_say_that_nobody_served() {
    let late = TracingObserver::new();
    let mut server =
        TcpServer::bind("127.0.0.1:0", shout()).unwrap().with_observer(move |event: &Event<'_>| {
            // As if it had been added when the handler was running already.
            if matches!(event, Event::Finished(..)) {
                late.event(event);
            }
        });
    let lines = traced(|| drop(talk(&mut server, b"a")));
    assert!(lines[0].starts_with("DEBUG finished id=1"), "{lines:#?}");
    assert_eq!(lines.len(), 1, "{lines:#?}");
}

#[test]
fn a_server_inside_a_handler_has_its_spans_inside() {
    let inner = stream_fn(|client: &mut Stream<TcpConnection>| {
        tracing::info!("innermost");
        Ok(client.wfile.write_all(b"in")?)
    });
    let outer = stream_fn(move |client: &mut Stream<TcpConnection>| {
        let inner = TcpServer::bind("127.0.0.1:0", &inner)?;
        let mut inner = inner.with_observer(TracingObserver::named("inner"));
        let answer = talk(&mut inner, b"");
        tracing::info!("back");
        Ok(client.wfile.write_all(&answer)?)
    });
    let mut server = TcpServer::bind("127.0.0.1:0", outer)
        .unwrap()
        .with_observer(TracingObserver::named("outer"));
    let lines = traced(|| assert_eq!(talk(&mut server, b""), b"in"));
    let find = |text: &str| lines.iter().find(|line| line.ends_with(text)).unwrap();
    assert!(find("innermost").contains("server=\"outer\""), "{lines:#?}");
    assert!(find("innermost").contains("server=\"inner\""), "{lines:#?}");
    assert!(!find("back").contains("server=\"inner\""), "{lines:#?}");
}

#[test]
fn what_happens_is_counted_under_stable_names() {
    let recorder = DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let mut server = TcpServer::bind("127.0.0.1:0", shout())
            .unwrap()
            .with_observer(MetricsObserver::named("test"));
        assert_eq!(talk(&mut server, b"hello"), b"HELLO");
        talk(&mut server, b"fail");
        talk(&mut server, b"panic");
        server.handle().suspend();
        let _ = server.drain(Drain::new());
    });
    let seen = lines(&snapshots);
    let expected = [
        "socketserver_accept_failures_total{server=test} 0",
        "socketserver_accept_paused{server=test} 0",
        "socketserver_accept_pauses_total{server=test} 0",
        "socketserver_draining{server=test} 1",
        "socketserver_handler_errors_total{server=test} 1",
        "socketserver_handler_panics_total{server=test} 1",
        "socketserver_handlers_stuck_total{server=test} 0",
        "socketserver_received_bytes_total{server=test} 14",
        "socketserver_request_duration_seconds{server=test} 3 values",
        "socketserver_requests_accepted_total{server=test} 3",
        "socketserver_requests_finished_total{server=test,door=served} 3",
        "socketserver_requests_in_progress{server=test} 0",
        "socketserver_sent_bytes_total{server=test} 5",
        "socketserver_suspended{server=test} 1",
    ];
    assert_eq!(seen, expected);
}

/// What was counted, in the order of the names.
fn lines(snapshots: &Snapshotter) -> Vec<String> {
    let mut lines: Vec<_> = snapshots
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, _, _, value)| {
            let labels: Vec<_> =
                key.key().labels().map(|l| format!("{}={}", l.key(), l.value())).collect();
            let value = match value {
                DebugValue::Counter(count) => count.to_string(),
                DebugValue::Gauge(level) => level.to_string(),
                DebugValue::Histogram(values) => format!("{} values", values.len()),
            };
            format!("{}{{{}}} {value}", key.key().name(), labels.join(","))
        })
        .collect();
    lines.sort();
    lines
}
