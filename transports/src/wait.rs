//! Waiting for a listener and for a wake at the same time.

use std::fmt;
use std::io;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::io::Errno;
use socket2::Socket;
use socketserver_core::{Direction, Readiness, Wait, Waker};

use crate::sys::{WakeReceiver, WakeSender, wake_pair};

/// The waiting half of a transport.
///
/// The pair of sockets that wakes it is made by the first wait: making a transport then costs one
/// descriptor and cannot fail for another, and adopting a listener cannot fail at all.
pub(crate) struct Waiter {
    nonblocking: bool,
    receiver: OnceLock<WakeReceiver>,
    sender: Arc<Mutex<SenderState>>,
    /// The process this was made for.
    process: u32,
}

/// What a waker finds.
enum SenderState {
    /// Nobody has waited yet; the first wait must know whether it was woken before.
    Unmade {
        woken: bool,
    },
    Made(WakeSender),
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
        let sender = Arc::new(Mutex::new(SenderState::Unmade { woken: false }));
        Self { nonblocking, receiver: OnceLock::new(), sender, process: process::id() }
    }

    pub(crate) fn waker(&self) -> Waker {
        let sender = Arc::clone(&self.sender);
        Waker::new(move || match &mut *lock(&sender) {
            SenderState::Unmade { woken } => *woken = true,
            SenderState::Made(sender) => sender.wake(),
            SenderState::Gone => {}
        })
    }

    /// In a child process: forgets the pair that the parent waits with; the next wait makes another. The wakers
    /// that were given out wake that one.
    pub(crate) fn after_fork(&mut self) {
        self.process = process::id();
        self.receiver = OnceLock::new();
        *lock(&self.sender) = SenderState::Unmade { woken: false };
    }

    /// What has to be there before the first wait or accept: the listener does not block, and can be
    /// woken from.
    pub(crate) fn prepare(&self, listener: &Socket) -> io::Result<&WakeReceiver> {
        if let Some(receiver) = self.receiver.get() {
            return Ok(receiver);
        }
        let mut state = lock(&self.sender);
        listener.set_nonblocking(self.nonblocking)?;
        let (sender, receiver) = wake_pair()?;
        if matches!(*state, SenderState::Unmade { woken: true }) {
            sender.wake();
        }
        // Another thread may have been faster: then its pair stays, and this one is dropped.
        if self.receiver.set(receiver).is_ok() {
            *state = SenderState::Made(sender);
        }
        self.receiver.get().ok_or_else(|| io::ErrorKind::Other.into())
    }

    /// Waits until `listener` is readable, somebody wakes it, or the time is over.
    pub(crate) fn wait(&self, listener: &Socket, wait: Wait<'_>) -> io::Result<Readiness> {
        let receiver = self.prepare(listener)?;
        let deadline = wait.get_timeout().and_then(|timeout| Instant::now().checked_add(timeout));
        // What is not waited for is outside the range that is polled.
        let first = usize::from(!wait.is_for_request());
        let others = [wait.get_source(), wait.get_interrupt()];
        let end = 2 + others.iter().flatten().count();
        // No clock is asked for what is known at first.
        let mut time = deadline.and(wait.get_timeout()).and_then(as_poll_wants_it);
        loop {
            let wake = PollFd::new(receiver.socket(), PollFlags::IN);
            let mut fds = [PollFd::new(listener, PollFlags::IN), wake.clone(), wake.clone(), wake];
            for (place, other) in fds[2..].iter_mut().zip(others.iter().flatten()) {
                *place = PollFd::from_borrowed_fd(*other, PollFlags::IN);
            }
            match poll(&mut fds[first..end], time.as_ref()) {
                // A signal: the deadline stays where it was.
                Err(Errno::INTR) => time = left(deadline),
                Err(error) => return Err(error.into()),
                // Some systems wake a little early; the deadline has not passed then.
                Ok(0) if deadline.is_some_and(|deadline| deadline > Instant::now()) => {
                    time = left(deadline);
                }
                Ok(0) => return Ok(Readiness::TimedOut),
                // Also an error or a hang-up of the listener: accepting will say what it is.
                Ok(_) if first == 0 && !fds[0].revents().is_empty() => {
                    return Ok(Readiness::Request);
                }
                Ok(_) => {
                    receiver.clear();
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

/// Waits until `socket` may have something to receive or room to send, or the time is over; says whether it may.
pub(crate) fn until_ready(
    socket: &impl AsFd,
    direction: Direction,
    time: Option<Duration>,
) -> io::Result<bool> {
    let flags = match direction {
        Direction::Receive => PollFlags::IN,
        Direction::Send => PollFlags::OUT,
    };
    let deadline = time.and_then(|time| Instant::now().checked_add(time));
    match poll(&mut [PollFd::new(socket, flags)], left(deadline).as_ref()) {
        // A signal: who waits looks how much time is left.
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
        Ok(ready) => Ok(ready > 0),
    }
}

/// The time until `deadline`, as `poll` wants it; `None` waits for ever.
fn left(deadline: Option<Instant>) -> Option<Timespec> {
    as_poll_wants_it(deadline?.saturating_duration_since(Instant::now()))
}

fn as_poll_wants_it(time: Duration) -> Option<Timespec> {
    // Where the system counts milliseconds in 32 bits a longer wait is an error; waking once a day
    // to wait again costs nothing.
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    Timespec::try_from(time.min(LONGEST)).ok()
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.process == process::id() {
            *lock(&self.sender) = SenderState::Gone;
        } else if let Ok(mut state) = self.sender.try_lock() {
            // In a child whoever holds the lock may have stayed behind in the parent; then it goes with the process.
            *state = SenderState::Gone;
        }
    }
}

impl fmt::Debug for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter").finish_non_exhaustive()
    }
}

fn lock(sender: &Mutex<SenderState>) -> MutexGuard<'_, SenderState> {
    // No code that panics runs under this lock.
    sender.lock().unwrap_or_else(PoisonError::into_inner)
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
