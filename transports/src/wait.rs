//! Waiting for a listener and for a wake at the same time.

use std::fmt;
use std::io;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socket2::Socket;
use socketserver_core::{Readiness, Wait, Waker};

use crate::sys::{Bell, Ear, wake_pair};

/// The waiting half of a transport.
///
/// The pair of sockets that wakes it is made by the first wait: making a transport then costs one
/// descriptor and cannot fail for another, and adopting a listener cannot fail at all.
pub(crate) struct Waiter {
    nonblocking: bool,
    ear: OnceLock<Ear>,
    bell: Arc<Mutex<BellState>>,
    /// The process this was made for.
    process: u32,
}

/// What a waker finds.
enum BellState {
    /// Nobody has waited yet; the first wait must know whether it was woken before.
    Unmade {
        rung: bool,
    },
    Made(Bell),
    /// The transport is gone; the socket must not live on in a forgotten waker.
    Gone,
}

impl Waiter {
    pub(crate) fn new() -> Self {
        Self::with(true)
    }

    /// For a socket that is received from without blocking, call by call, and that blocks otherwise.
    #[cfg(unix)]
    pub(crate) fn of_blocking() -> Self {
        Self::with(false)
    }

    fn with(nonblocking: bool) -> Self {
        let bell = Arc::new(Mutex::new(BellState::Unmade { rung: false }));
        Self { nonblocking, ear: OnceLock::new(), bell, process: process::id() }
    }

    pub(crate) fn waker(&self) -> Waker {
        let bell = Arc::clone(&self.bell);
        Waker::new(move || match &mut *lock(&bell) {
            BellState::Unmade { rung } => *rung = true,
            BellState::Made(bell) => bell.ring(),
            BellState::Gone => {}
        })
    }

    /// In a child process: forgets the pair that the parent waits with; the next wait makes another. The wakers
    /// that were given out wake that one.
    pub(crate) fn after_fork(&mut self) {
        self.process = process::id();
        self.ear = OnceLock::new();
        *lock(&self.bell) = BellState::Unmade { rung: false };
    }

    /// What has to be there before the first wait or accept: the listener does not block, and can be
    /// woken from.
    pub(crate) fn prepare(&self, listener: &Socket) -> io::Result<&Ear> {
        if let Some(ear) = self.ear.get() {
            return Ok(ear);
        }
        let mut state = lock(&self.bell);
        listener.set_nonblocking(self.nonblocking)?;
        let (bell, ear) = wake_pair()?;
        if matches!(*state, BellState::Unmade { rung: true }) {
            bell.ring();
        }
        // Another thread may have been faster: then its pair stays, and this one is dropped.
        if self.ear.set(ear).is_ok() {
            *state = BellState::Made(bell);
        }
        self.ear.get().ok_or_else(|| io::ErrorKind::Other.into())
    }

    /// Waits until `listener` is readable, somebody rings, or the time is over.
    pub(crate) fn wait(&self, listener: &Socket, wait: Wait<'_>) -> io::Result<Readiness> {
        let ear = self.prepare(listener)?;
        let deadline = wait.get_timeout().and_then(|timeout| Instant::now().checked_add(timeout));
        // What is not waited for is outside the range that is polled.
        let first = usize::from(!wait.is_for_request());
        let end = if wait.get_source().is_some() { 3 } else { 2 };
        loop {
            let bell = PollFd::new(ear.socket(), PollFlags::IN);
            let source = match &wait.get_source() {
                Some(source) => PollFd::from_borrowed_fd(*source, PollFlags::IN),
                None => bell.clone(),
            };
            let mut fds = [PollFd::new(listener, PollFlags::IN), bell, source];
            match poll(&mut fds[first..end], left(deadline).as_ref()) {
                // A signal: the deadline stays where it was.
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                // Some systems wake a little early; the deadline has not passed then.
                Ok(0) if deadline.is_some_and(|deadline| deadline > Instant::now()) => {}
                Ok(0) => return Ok(Readiness::TimedOut),
                // Also an error or a hang-up of the listener: accepting will say what it is.
                Ok(_) if first == 0 && !fds[0].revents().is_empty() => {
                    return Ok(Readiness::Request);
                }
                Ok(_) => {
                    ear.clear();
                    return Ok(Readiness::Woken);
                }
            }
        }
    }
}

/// Waits until `socket` has room for a packet, for `patience` at most, and says whether it has.
pub(crate) fn is_writable(socket: &Socket, patience: Duration) -> io::Result<bool> {
    let deadline = Instant::now().checked_add(patience);
    loop {
        match poll(&mut [PollFd::new(socket, PollFlags::OUT)], left(deadline).as_ref()) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(ready) => return Ok(ready > 0),
        }
    }
}

/// The time until `deadline`, as `poll` wants it; `None` waits for ever.
fn left(deadline: Option<Instant>) -> Option<Timespec> {
    // Where the system counts milliseconds in 32 bits a longer wait is an error; waking once a day
    // to wait again costs nothing.
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let left = deadline?.saturating_duration_since(Instant::now());
    Timespec::try_from(left.min(LONGEST)).ok()
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.process == process::id() {
            *lock(&self.bell) = BellState::Gone;
        } else if let Ok(mut state) = self.bell.try_lock() {
            // In a child whoever holds the lock may have stayed behind in the parent; then the bell goes with
            // the process.
            *state = BellState::Gone;
        }
    }
}

impl fmt::Debug for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter").finish_non_exhaustive()
    }
}

fn lock(bell: &Mutex<BellState>) -> MutexGuard<'_, BellState> {
    // No code that panics runs under this lock.
    bell.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_wait_is_cut_to_a_day() {
        let month = Duration::from_secs(30 * 24 * 60 * 60);
        let left = left(Instant::now().checked_add(month)).unwrap();
        assert_eq!(left.tv_sec, 24 * 60 * 60);
        assert!(super::left(None).is_none());
    }
}
