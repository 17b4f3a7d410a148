//! `spawn()`: serves in a thread, says how it ended, and is stopped by dropping it.

#![cfg(test)]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::core::{
    Concurrency, Dispatched, GetRequestError, Job, Listener, Patience, Readiness, Rejected,
    ServeError, Transport, Wait, Waker,
};
use socketserver::prelude::*;

const ANYWHERE: &str = "127.0.0.1:0";

/// Nothing takes this long: what waits longer is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends a line and gives what comes back until the end.
fn ask(address: SocketAddr, line: &str) -> String {
    let mut client = connect(address);
    writeln!(client, "{line}").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

fn connect(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client
}

/// Says back a line; `exit` asks to exit, `thread` asks for the thread's name.
fn say_back(client: &mut Stream<TcpConnection>) -> HandlerResult {
    let mut line = String::new();
    client.rfile.read_line(&mut line)?;
    match line.trim_end() {
        "exit" => return Err(HandlerError::exit(9)),
        "thread" => line = thread::current().name().unwrap_or_default().to_owned(),
        _ => {}
    }
    client.wfile.write_all(line.as_bytes())?;
    Ok(())
}

/// Something that a service holds, to see when the server with all it has is gone.
#[derive(Clone)]
struct Held(Arc<()>);

impl Held {
    /// Also what tells, as long as anybody holds it.
    fn new() -> (Self, impl Fn() -> bool) {
        let held = Arc::new(());
        let weak = Arc::downgrade(&held);
        (Self(held), move || weak.strong_count() == 0)
    }

    /// A service that says back a line, and holds this.
    fn say_back(self) -> impl Service<TcpConnection> + Send + Sync + 'static {
        stream_fn(move |client: &mut Stream<TcpConnection>| {
            let _ = &self.0;
            say_back(client)
        })
    }
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::yield_now();
    }
}

#[test]
fn every_strategy_can_be_spawned_and_stopped() {
    let (held, is_gone) = Held::new();
    let service = || held.clone().say_back();
    let spawned = [
        TcpServer::bind(ANYWHERE, service()).unwrap().spawn().unwrap(),
        ThreadingTcpServer::bind(ANYWHERE, service()).unwrap().spawn().unwrap(),
        PoolTcpServer::bind(ANYWHERE, service()).unwrap().spawn().unwrap(),
    ];
    drop(held);
    for server in spawned {
        let address = *server.local_addr();
        for line in ["one", "two", "three"] {
            assert_eq!(ask(address, line), format!("{line}\n"));
        }
        assert_eq!(server.counts().accepted, 3);
        let handle = server.handle().clone();
        let (ended, counts) = server.stop().unwrap();
        assert_eq!(ended, Ended::Shutdown);
        assert_eq!((counts.accepted, counts.served, counts.in_progress()), (3, 3, 0));
        assert_eq!(handle.counts(), counts, "they are final");
        assert!(handle.is_stopping());
    }
    assert!(is_gone());
}

#[test]
fn the_thread_has_a_name() {
    let server = TcpServer::bind(ANYWHERE, stream_fn(say_back)).unwrap().spawn().unwrap();
    assert_eq!(ask(*server.local_addr(), "thread"), "serve_forever");
}

#[test]
fn it_can_be_stopped_before_it_serves() {
    for _ in 0..200 {
        let server = TcpServer::bind(ANYWHERE, stream_fn(say_back)).unwrap().spawn().unwrap();
        let (ended, counts) = server.stop().unwrap();
        assert_eq!((ended, counts.accepted), (Ended::Shutdown, 0));
    }
}

#[test]
fn a_server_that_has_ended_says_how() {
    let server = TcpServer::bind(ANYWHERE, stream_fn(say_back)).unwrap().spawn().unwrap();
    assert_eq!(ask(*server.local_addr(), "exit"), "");
    match server.stop().unwrap() {
        (Ended::Exited(exit), counts) => assert_eq!((exit.code(), counts.served), (9, 1)),
        other => panic!("{other:?}"),
    }
    let server = ThreadingTcpServer::bind(ANYWHERE, stream_fn(say_back)).unwrap().spawn().unwrap();
    server.handle().request_shutdown();
    assert_eq!(server.stop().unwrap().0, Ended::Shutdown);
}

#[test]
fn dropping_it_stops_it_and_waits() {
    let (held, is_gone) = Held::new();
    let (sender, receiver) = mpsc::channel();
    let service = base_fn(move |context: &mut Context<'_, TcpConnection>| {
        let _ = &held;
        sender.send(())?;
        // Until the client is gone.
        while context.request.recv(&mut [0; 64])? > 0 {}
        Ok(())
    });
    let server = PoolTcpServer::bind(ANYWHERE, service).unwrap().spawn().unwrap();
    let handle = server.handle().clone();
    let client = connect(*server.local_addr());
    receiver.recv_timeout(PATIENCE).unwrap();
    let dropper = thread::spawn(move || drop(server));
    drop(client);
    dropper.join().unwrap();
    assert!(is_gone());
    assert_eq!((handle.counts().served, handle.counts().in_progress()), (1, 0));
}

#[test]
fn a_failing_assertion_does_not_hang_on_a_client_that_stays() {
    // Outlives the server, and the handler waits for it.
    let mut client = None;
    let mut handle = None;
    let failed = catch_unwind(AssertUnwindSafe(|| {
        let service = stream_fn(say_back);
        let server = ThreadingTcpServer::bind(ANYWHERE, service).unwrap().spawn().unwrap();
        handle = Some(server.handle().clone());
        client = Some(connect(*server.local_addr()));
        eventually("a worker that waits for the client", || server.counts().accepted == 1);
        panic!("an assertion that fails");
    }));
    assert_eq!(failed.unwrap_err().downcast_ref(), Some(&"an assertion that fails"));
    assert!(handle.unwrap().is_stopping());
    drop(client);
}

#[test]
fn a_panic_of_the_loop_goes_on_in_who_stops() {
    let (held, is_gone) = Held::new();
    let service = held.say_back().verify(|_: &TcpConnection, _| panic!("verify"));
    let server = TcpServer::bind(ANYWHERE, service).unwrap().spawn().unwrap();
    let mut answer = String::new();
    connect(*server.local_addr()).read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "");
    let stopped = catch_unwind(AssertUnwindSafe(|| server.stop()));
    assert_eq!(stopped.unwrap_err().downcast_ref(), Some(&"verify"));
    assert!(is_gone());
}

#[test]
fn dropping_a_server_whose_loop_panicked_is_quiet() {
    let service = stream_fn(say_back).on_service_actions(|_| panic!("service_actions"));
    let server = TcpServer::bind(ANYWHERE, service).unwrap().spawn().unwrap();
    assert_eq!(ask(*server.local_addr(), "one"), "one\n");
    drop(server);
}

/// A transport that cannot wait.
struct Broken(Tcp);

impl Transport for Broken {
    type Request = TcpConnection;

    fn wait(&self, _: Wait<'_>) -> io::Result<Readiness> {
        Err(io::Error::other("broken"))
    }

    fn waker(&self) -> Waker {
        self.0.waker()
    }

    fn get_request(&self) -> Result<(TcpConnection, SocketAddr), GetRequestError> {
        self.0.get_request()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[test]
fn a_broken_transport_is_an_error_of_stop() {
    let transport = Broken(Tcp::bind(ANYWHERE).unwrap());
    let (held, is_gone) = Held::new();
    let server = Server::new(transport, Synchronous, held.say_back()).spawn().unwrap();
    eventually("what has ended by itself is closed by itself", is_gone);
    assert!(matches!(server.stop(), Err(ServeError::Wait(_))));
}

#[test]
fn a_closed_server_cannot_be_spawned() {
    let mut server = TcpServer::bind(ANYWHERE, stream_fn(say_back)).unwrap();
    server.close();
    let error = server.spawn().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotConnected);
}

#[test]
fn a_handler_can_drop_it_in_the_serving_thread() {
    let (give, given) = mpsc::channel::<Box<dyn Send>>();
    let given = Mutex::new(given);
    let service = stream_fn(move |client: &mut Stream<TcpConnection>| {
        let server = given.lock().map_err(|_| "poisoned")?.recv()?;
        drop(server);
        client.wfile.write_all(b"dropped\n")?;
        Ok(())
    });
    let server = TcpServer::bind(ANYWHERE, service).unwrap().spawn().unwrap();
    let handle = server.handle().clone();
    let mut client = BufReader::new(connect(*server.local_addr()));
    give.send(Box::new(server)).unwrap();
    let mut answer = String::new();
    client.read_line(&mut answer).unwrap();
    assert_eq!(answer, "dropped\n");
    assert!(handle.is_stopping());
}

/// Serves somewhere else, where it takes for ever.
struct Elsewhere(Mutex<mpsc::Sender<()>>);

impl<J: Job> Concurrency<J> for Elsewhere {
    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        job.close_request();
        Ok(Dispatched::Started)
    }

    fn wait_for_workers(&self, patience: &Patience<'_>) -> usize {
        let (wake, woken) = mpsc::channel();
        let _wake = patience.wake_with(move || {
            let _ = wake.send(());
        });
        let _ = self.0.lock().unwrap().send(());
        while !patience.left().is_zero() {
            let _ = woken.recv_timeout(patience.left());
        }
        1
    }

    fn server_close(&self) {
        let _ = self.0.lock().unwrap().send(());
        thread::park();
    }
}

#[test]
fn workers_elsewhere_that_outlive_the_loop_do_not_keep_a_drain_waiting() {
    let (tell, waits) = mpsc::channel();
    let transport = Tcp::bind(ANYWHERE).unwrap();
    let server = Server::new(transport, Elsewhere(Mutex::new(tell)), stream_fn(say_back));
    let server = server.spawn().unwrap();
    let _client = connect(*server.local_addr());
    eventually("it is served elsewhere", || server.counts().handed_over == 1);
    server.handle().request_shutdown();
    waits.recv_timeout(PATIENCE).unwrap();
    let (tell, drained) = mpsc::channel();
    thread::spawn(move || {
        let drained = server.drain(Drain::new().deadline(Duration::ZERO).grace(Duration::ZERO));
        tell.send(drained.unwrap().0).unwrap();
    });
    let report = drained.recv_timeout(PATIENCE).unwrap();
    assert_eq!(report.workers_left, 1, "{report}");
}
