//! The requests that a scripted transport gives out, and what became of them.

use std::io;
use std::sync::OnceLock;

use super::client::ScriptedClient;
use crate::connections::Watch;
use crate::request::{Request, Watched};
use crate::sync::{Arc, AtomicU64, Ordering};

/// A request out of a script. Its client's address is its name.
#[derive(Debug)]
pub struct ScriptedRequest {
    name: String,
    closed: Closed,
    detached: bool,
    /// The other end, if this is a connection.
    client: Option<ScriptedClient>,
    watch: OnceLock<Arc<Watch>>,
}

impl ScriptedRequest {
    pub(crate) fn new(name: String, client: Option<ScriptedClient>, closed: Closed) -> Self {
        Self { name, closed, detached: false, client, watch: OnceLock::new() }
    }

    /// The name it was scripted with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes the request over from the server, as a handler can with a connection.
    pub fn detach(&mut self) {
        self.detached = true;
    }

    /// What the server and this request share, if it is a [connection](super::Script::connect) that has been accepted.
    pub fn watch(&self) -> Option<&Watch> {
        self.watch.get().map(Arc::as_ref)
    }

    /// Receives what the client has sent, blocking until there is something, and says how many bytes it was; 0 is the
    /// end. A request that is no connection is at its end.
    ///
    /// # Errors
    ///
    /// What [`Watch::ended`] gives when the server has ended the connection.
    pub fn receive(&self) -> io::Result<usize> {
        let Some(client) = &self.client else { return Ok(0) };
        let bytes = client.taken();
        let Some(watch) = self.watch() else { return Ok(bytes.unwrap_or_default()) };
        let Some(bytes) = bytes else { return watch.ended(Ok(0)) };
        watch.count_received(bytes);
        Ok(bytes)
    }
}

impl Request for ScriptedRequest {
    type Addr = String;

    fn say_goodbye(&self) {
        self.closed.0.shut_down.fetch_add(1, Ordering::Relaxed);
    }

    fn is_detached(&self) -> bool {
        self.detached
    }

    fn as_watched(&self) -> Option<&dyn Watched> {
        self.client.as_ref().map(|_| self as _)
    }
}

impl Watched for ScriptedRequest {
    fn watched_by(&self, watch: &Arc<Watch>) {
        if let Some(client) = &self.client {
            let client = client.clone();
            watch.cut_with(move |reason| client.cut(reason));
        }
        // The server gives it once.
        let _ = self.watch.set(Arc::clone(watch));
    }
}

impl Drop for ScriptedRequest {
    fn drop(&mut self) {
        self.closed.0.closed.fetch_add(1, Ordering::Relaxed);
    }
}

/// How many scripted requests were shut down, and how many closed.
#[derive(Clone, Debug, Default)]
pub struct Closed(Arc<ClosedCounts>);

#[derive(Debug, Default)]
struct ClosedCounts {
    shut_down: AtomicU64,
    closed: AtomicU64,
}

impl Closed {
    /// Requests that were said goodbye to.
    pub fn shut_down(&self) -> u64 {
        self.0.shut_down.load(Ordering::Relaxed)
    }

    /// Requests that no longer exist.
    pub fn closed(&self) -> u64 {
        self.0.closed.load(Ordering::Relaxed)
    }
}
