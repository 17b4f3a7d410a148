//! A connection in memory that follows a script, and a way to serve it.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socketserver_core::testing::{Inline, RecordingService, ScriptedTransport};
use socketserver_core::{HandlerError, HandlerResult, Request, Server, Service, StreamRequest};

/// A connection: clones mean the same one.
#[derive(Clone, Debug)]
pub(crate) struct Double(pub(crate) Arc<Mutex<State>>);

/// What the connection will do and what was done with it.
#[derive(Debug)]
pub(crate) struct State {
    /// What each receive finds; what it has no room for is left for the next. Then the input ends.
    pub(crate) incoming: VecDeque<io::Result<Vec<u8>>>,
    /// How much each receive had room for.
    pub(crate) asked: Vec<usize>,
    /// How much one send takes at most.
    pub(crate) send_limit: usize,
    /// What the next sends do: `Some` fails, `None` works. Then all work.
    pub(crate) failures: VecDeque<Option<io::ErrorKind>>,
    /// What each send took; a send that failed took nothing.
    pub(crate) sent: Vec<Vec<u8>>,
    /// What setting an option does.
    pub(crate) refuses_options: bool,
    pub(crate) timeouts: Vec<Option<Duration>>,
    pub(crate) nodelays: Vec<bool>,
    pub(crate) detached: bool,
}

impl Double {
    /// A connection whose client sends these chunks.
    pub(crate) fn new(chunks: &[&[u8]]) -> Self {
        Self(Arc::new(Mutex::new(State {
            incoming: chunks.iter().map(|chunk| Ok(chunk.to_vec())).collect(),
            asked: Vec::new(),
            send_limit: usize::MAX,
            failures: VecDeque::new(),
            sent: Vec::new(),
            refuses_options: false,
            timeouts: Vec::new(),
            nodelays: Vec::new(),
            detached: false,
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn option(&self, set: impl FnOnce(&mut State)) -> io::Result<()> {
        let mut state = self.state();
        if state.refuses_options {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        set(&mut state);
        Ok(())
    }
}

impl Request for Double {
    type Addr = &'static str;

    fn is_detached(&self) -> bool {
        self.state().detached
    }
}

impl StreamRequest for Double {
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        state.asked.push(buf.len());
        let Some(next) = state.incoming.pop_front() else { return Ok(0) };
        let mut chunk = next?;
        let taken = chunk.len().min(buf.len());
        buf[..taken].copy_from_slice(&chunk[..taken]);
        if taken < chunk.len() {
            state.incoming.push_front(Ok(chunk.split_off(taken)));
        }
        Ok(taken)
    }

    fn send(&self, buf: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        if let Some(Some(failure)) = state.failures.pop_front() {
            state.sent.push(Vec::new());
            return Err(failure.into());
        }
        let taken = buf.len().min(state.send_limit);
        state.sent.push(buf[..taken].to_vec());
        Ok(taken)
    }

    fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.option(|state| state.timeouts.push(timeout))
    }

    fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.option(|state| state.nodelays.push(nodelay))
    }

    fn local_addr(&self) -> io::Result<&'static str> {
        Ok("server")
    }

    fn mark_detached(&self) {
        self.state().detached = true;
    }
}

/// Serves the connection once, as a server does: a panic becomes an error.
pub(crate) fn serve(connection: &Double, service: &impl Service<Double>) -> HandlerResult {
    let server = Server::new(ScriptedTransport::new(), Inline, RecordingService::new()).handle();
    let mut request = connection.clone();
    catch_unwind(AssertUnwindSafe(|| service.finish_request(&mut request, &"client", &server)))
        .unwrap_or_else(|payload| Err(HandlerError::panicked(payload)))
}
