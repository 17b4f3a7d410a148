//! The client's end of a scripted connection.

use crate::connections::CutReason;
use crate::sync::{Arc, Condvar, Mutex, lock, wait};

/// The client's end of a connection that was [scripted](super::Script::connect). Clones are the same client.
#[derive(Clone, Debug, Default)]
pub struct ScriptedClient(Arc<Line>);

#[derive(Debug, Default)]
struct Line {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Sent and not received yet.
    bytes: usize,
    gone: bool,
    cuts: Vec<CutReason>,
}

impl ScriptedClient {
    /// A client that has sent nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends so many bytes.
    pub fn send(&self, bytes: usize) {
        self.change(|state| state.bytes += bytes);
    }

    /// Sends no more.
    pub fn hang_up(&self) {
        self.change(|state| state.gone = true);
    }

    /// How the server has cut the connection, each time it did.
    pub fn cuts(&self) -> Vec<CutReason> {
        lock(&self.0.state).cuts.clone()
    }

    pub(crate) fn cut(&self, reason: CutReason) {
        self.change(|state| state.cuts.push(reason));
    }

    /// What was sent; waits until there is something. `None` when nothing will come any more. What was sent before a cut
    /// comes all the same, as with a socket whose reading side was shut down.
    pub(crate) fn taken(&self) -> Option<usize> {
        let mut state = lock(&self.0.state);
        loop {
            if state.bytes > 0 {
                return Some(std::mem::take(&mut state.bytes));
            }
            if state.gone || !state.cuts.is_empty() {
                return None;
            }
            state = wait(&self.0.changed, state);
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut lock(&self.0.state));
        self.0.changed.notify_all();
    }
}
