//! The server under test: its handler does what its clients say, and waits at a gate when they want that.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use socketserver::concurrency::PoolStatus;
use socketserver::core::ServiceJob;
use socketserver::prelude::*;
use socketserver::{ConnectionInfo, ConnectionState, Running};

use crate::support::{PATIENCE, connect};

pub(crate) type Any = Box<dyn Service<TcpConnection> + Send + Sync>;
pub(crate) type Pool = LeaderPool<ServiceJob<TcpConnection, Any>>;

/// Lets so many through as somebody says.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    passes: usize,
    waiting: usize,
}

impl Gate {
    pub(crate) fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.waiting += 1;
        self.changed.notify_all();
        let left = self.changed.wait_timeout_while(state, PATIENCE, |state| state.passes == 0);
        state = left.unwrap().0;
        state.waiting -= 1;
        state.passes = state.passes.saturating_sub(1);
    }

    /// Like passing, but at work all the time.
    pub(crate) fn compute(&self) {
        self.state.lock().unwrap().waiting += 1;
        self.changed.notify_all();
        loop {
            let mut state = self.state.lock().unwrap();
            if state.passes > 0 {
                state.passes -= 1;
                state.waiting -= 1;
                return;
            }
            drop(state);
            std::hint::spin_loop();
        }
    }

    pub(crate) fn open(&self, passes: usize) {
        self.state.lock().unwrap().passes += passes;
        self.changed.notify_all();
    }

    /// Until so many wait at it.
    pub(crate) fn await_waiting(&self, count: usize) {
        let state = self.state.lock().unwrap();
        let waited =
            self.changed.wait_timeout_while(state, PATIENCE, |state| state.waiting < count);
        let (state, time) = waited.unwrap();
        assert!(!time.timed_out(), "{} of {count} wait", state.waiting);
    }

    pub(crate) fn waiting(&self) -> usize {
        self.state.lock().unwrap().waiting
    }
}

/// Does what its client says, line by line.
pub(crate) struct Talk {
    pub(crate) gate: Arc<Gate>,
    pub(crate) log: Sender<String>,
}

impl<C: StreamRequest> KeepAliveHandler<C> for Talk {
    fn setup(&mut self, _: &mut Stream<C>) -> HandlerResult {
        let _ = self.log.send("setup".to_owned());
        Ok(())
    }

    fn handle_one_request(&mut self, stream: &mut Stream<C>) -> Result<Next, HandlerError> {
        let mut line = String::new();
        stream.rfile.read_line(&mut line)?;
        match line.trim_end() {
            "block" => self.gate.pass(),
            "compute" => self.gate.compute(),
            "panic" => panic!("as told"),
            "fail" => return Err("as told".into()),
            "exit" => return Err(HandlerError::exit(7)),
            "more" => drop(stream.rfile.read_line(&mut line)?),
            _ => {}
        }
        stream.wfile.write_all(line.to_uppercase().as_bytes())?;
        Ok(if line == "quit\n" { Next::Close } else { Next::Keep })
    }

    fn finish(&mut self, _: &mut Stream<C>) -> HandlerResult {
        let _ = self.log.send("finish".to_owned());
        Ok(())
    }
}

/// A server in the background.
pub(crate) struct Site {
    pub(crate) server: Running<SocketAddr>,
    pub(crate) status: PoolStatus,
    pub(crate) gate: Arc<Gate>,
    /// What handlers said, and errors.
    pub(crate) log: Receiver<String>,
}

impl Site {
    pub(crate) fn new(pool: Pool) -> Self {
        Self::with(pool, ServerConfig::new())
    }

    pub(crate) fn with(pool: Pool, config: ServerConfig) -> Self {
        Self::of(pool, config, |gate, log| {
            let talk = move || KeepAlive(Talk { gate: Arc::clone(&gate), log: log.clone() });
            Box::new(StreamService::new(talk))
        })
    }

    pub(crate) fn of(
        pool: Pool,
        config: ServerConfig,
        service: impl FnOnce(Arc<Gate>, Sender<String>) -> Any,
    ) -> Self {
        let (sender, log) = channel();
        let gate = Arc::<Gate>::default();
        let service = service(Arc::clone(&gate), sender.clone());
        let sender = Mutex::new(sender);
        let service: Any = Box::new(service.on_error(move |_: &mut TcpConnection, _, error| {
            let _ = sender.lock().unwrap().send(format!("failed: {error}"));
        }));
        let service: Any = Box::new(service.on_refusal(|client: &mut TcpConnection, _, _| {
            let _ = client.send(b"busy\n");
        }));
        let status = pool.status();
        let server = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), pool, service);
        let server = server.with_config(config).spawn().unwrap();
        Self { server, status, gate, log }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        *self.server.local_addr()
    }

    pub(crate) fn client(&self) -> Client {
        Client(BufReader::new(connect(self.address())))
    }

    pub(crate) fn clients(&self, count: usize) -> Vec<Client> {
        (0..count).map(|_| self.client()).collect()
    }

    /// A client whose handler waits at the gate.
    pub(crate) fn blocked(&self) -> Client {
        let waiting = self.gate.waiting();
        let mut client = self.client();
        client.say("block\n");
        self.gate.await_waiting(waiting + 1);
        client
    }

    /// Until so many connections are in this state.
    pub(crate) fn await_state(&self, state: ConnectionState, count: usize) {
        let handle = self.server.handle();
        let is_it = |info: &ConnectionInfo| info.state == state;
        eventually(&format!("{count} are {state:?}"), || {
            handle.connections().into_iter().filter(is_it).count() == count
        });
    }

    /// What failed so far.
    pub(crate) fn failures(&self) -> Vec<String> {
        self.log.try_iter().filter(|line| line.starts_with("failed")).collect()
    }

    /// Stops the server, of which all clients have to be gone, or to go.
    pub(crate) fn stop(self) -> Counts {
        let (ended, counts) = self.server.stop().unwrap();
        assert_eq!((ended, counts.in_progress()), (Ended::Shutdown, 0));
        assert_eq!((self.status.workers(), self.status.in_progress()), (0, 0));
        counts
    }
}

/// Somebody who talks in lines.
pub(crate) struct Client(pub(crate) BufReader<TcpStream>);

impl Client {
    pub(crate) fn socket(&self) -> &TcpStream {
        self.0.get_ref()
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.socket().write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn hears(&mut self, text: &str) {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert_eq!(line, text);
    }

    pub(crate) fn asks(&mut self, line: &str) {
        self.say(line);
        self.hears(&line.to_uppercase());
    }

    /// What is still to come, up to a clean end.
    pub(crate) fn rest(mut self) -> String {
        let mut text = String::new();
        self.0.read_to_string(&mut text).unwrap();
        text
    }
}

pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::yield_now();
    }
}
