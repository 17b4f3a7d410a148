//! Ctrl-C and its like as messages.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use socketserver_core::Interrupt;

use super::Signal;
use super::course::{Course, Event};

/// The exit code of a process that is interrupted when nobody waits for it any more.
const INTERRUPTED: i32 = 130;

/// Ctrl-C and its like, caught as long as this lives.
pub(super) struct Caught {
    events: Mutex<Receiver<Event>>,
    end: Sender<Event>,
}

impl Caught {
    pub(super) fn new() -> io::Result<Self> {
        let (end, events) = channel();
        let sender = end.clone();
        let caught = move || {
            if sender.send(Event::Signal(Signal::Interrupt)).is_err() {
                std::process::exit(INTERRUPTED);
            }
        };
        ctrlc::try_set_handler(caught).map_err(|error| match error {
            ctrlc::Error::System(error) => error,
            other => io::Error::new(io::ErrorKind::AlreadyExists, other),
        })?;
        Ok(Self { events: Mutex::new(events), end })
    }

    /// There is nothing to prepare here.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as elsewhere")]
    #[expect(clippy::unused_self, reason = "the same signature as elsewhere")]
    pub(super) fn prepare_to_wait(&self) -> io::Result<()> {
        Ok(())
    }

    /// Waits for the next one, but no longer than until then.
    pub(super) fn next(&self, until: Option<Instant>) -> Event {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let event = match until {
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(until) => events.recv_timeout(until.saturating_duration_since(Instant::now())),
        };
        match event {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => Event::TimedOut,
            Err(RecvTimeoutError::Disconnected) => Event::End,
        }
    }

    /// Ends the wait.
    pub(super) fn end(&self) {
        let _ = self.end.send(Event::End);
    }

    /// Nothing forks here, so that no serving thread has to attend to them.
    #[expect(clippy::unused_self, reason = "the same signature as elsewhere")]
    pub(super) fn interrupt(
        &self,
        _: &Arc<Course>,
    ) -> io::Result<Arc<dyn Interrupt + Send + Sync>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
