//! Signals as bytes in a pipe.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::{pipe, unregister};
use socketserver_core::{Interrupt, ServerHandle, Source};

use super::Signal;
use super::course::{Course, Event};

/// The signals, caught as long as this lives.
pub(super) struct Caught(Arc<Pipe>);

struct Pipe {
    read: UnixStream,
    /// The end that the signals write to, for what is no signal.
    write: UnixStream,
    /// Set by the signal before it writes.
    terminate: Arc<AtomicBool>,
    registered: Vec<SigId>,
}

/// The byte that is no signal. (`signal-hook` writes an `X`.)
const END: u8 = b'E';

impl Caught {
    pub(super) fn new() -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        let mut pipe = Pipe { read, write, terminate: Arc::default(), registered: Vec::new() };
        // What has been registered is unregistered if the rest fails. Those of one signal are called in this order.
        let flag = signal_hook::flag::register(SIGTERM, Arc::clone(&pipe.terminate))?;
        pipe.registered.push(flag);
        for signal in [SIGTERM, SIGINT] {
            let write = pipe.write.try_clone()?;
            pipe.registered.push(pipe::register(signal, write)?);
        }
        Ok(Self(Arc::new(pipe)))
    }

    /// From here on [`next`](Self::next) may be called.
    pub(super) fn prepare_to_wait(&self) -> io::Result<()> {
        self.0.read.set_nonblocking(false)
    }

    /// Waits for the next signal, but no longer than until then.
    pub(super) fn next(&self, until: Option<Instant>) -> Event {
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Event::TimedOut;
            }
            let mut byte = [0];
            let read =
                self.0.read.set_read_timeout(left).and_then(|()| (&self.0.read).read(&mut byte));
            match read {
                Ok(1) if byte[0] != END => return Event::Signal(self.0.which()),
                Err(error) if is_passing(error.kind()) => {}
                Ok(_) | Err(_) => return Event::End,
            }
        }
    }

    /// Ends the wait for signals.
    pub(super) fn end(&self) {
        // There is room: whoever waits reads all that comes.
        let _ = (&self.0.write).write_all(&[END]);
    }

    /// What a serving thread attends to.
    pub(super) fn interrupt(
        &self,
        course: &Arc<Course>,
    ) -> io::Result<Arc<dyn Interrupt + Send + Sync>> {
        self.0.read.set_nonblocking(true)?;
        Ok(Arc::new(Attended { pipe: Arc::clone(&self.0), course: Arc::clone(course) }))
    }
}

/// Whether it is no more than that a signal came to this very thread, or the time is over.
fn is_passing(error: io::ErrorKind) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error, Interrupted | TimedOut | WouldBlock)
}

impl Pipe {
    /// Which signal it was; of several that come at once, any.
    fn which(&self) -> Signal {
        if self.terminate.swap(false, Ordering::Relaxed) {
            Signal::Terminate
        } else {
            Signal::Interrupt
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        for registered in self.registered.drain(..) {
            unregister(registered);
        }
    }
}

/// The pipe, watched by the serving thread.
struct Attended {
    pipe: Arc<Pipe>,
    course: Arc<Course>,
}

impl Interrupt for Attended {
    fn source(&self) -> Source<'_> {
        self.pipe.read.as_fd()
    }

    fn attend(&self, server: &ServerHandle) {
        let mut byte = [0];
        while matches!((&self.pipe.read).read(&mut byte), Ok(1)) {
            self.course.signal(self.pipe.which(), server);
        }
    }
}
