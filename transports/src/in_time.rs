//! Receiving and sending by deadlines: tries, waits for no longer than is left, tries again.

use std::io;
use std::time::{Duration, Instant};

use socketserver_core::{Direction, Watch};

use crate::connection::Connection;
use crate::stream_socket::{StreamSocket, sealed::Block};
use crate::sys;

/// Where a cut of another thread does not end a wait: how often to look.
const LOOK: Duration = Duration::from_millis(50);

/// How long to let it be when the system says that there is room, and then that there is not.
const A_MOMENT: Duration = Duration::from_millis(1);

impl<S: StreamSocket> Connection<S> {
    /// Does a receive or send to its end, or up to the first deadline, at which the connection is cut.
    ///
    /// The socket's own timeouts are of no use for that: they would have to be set again and again, and taken back when
    /// the handler takes the connection over; other threads that use the socket would be hit by them; and of a send
    /// they do not say what moved.
    pub(crate) fn in_time(
        &self,
        watch: &Watch,
        direction: Direction,
        mut call: impl FnMut(&S, Block) -> io::Result<usize>,
    ) -> io::Result<usize> {
        watch.on_time()?;
        let mut waiting = None;
        let mut said_ready = false;
        loop {
            match call(self, Block::No) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
            if self.detached() || (!sys::SHUTDOWN_ENDS_POLL && watch.cut_reason().is_some()) {
                // Nobody's deadlines; or a socket that is shut down and does not block any more.
                return self.with_timeout(|socket| call(socket, Block::Yes));
            }
            let (waiting, since) =
                waiting.get_or_insert_with(|| (watch.wait(direction), Instant::now()));
            let mut time = waiting.left()?;
            if let Some(timeout) = self.timeout() {
                let left = timeout.saturating_sub(since.elapsed());
                if left.is_zero() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                time = Some(time.map_or(left, |time| time.min(left)));
            }
            if !sys::SHUTDOWN_ENDS_POLL {
                time = Some(time.map_or(LOOK, |time| time.min(LOOK)));
            }
            if said_ready {
                // The system is short of memory, or a message does not fit yet. It must not cost all the processor's time.
                std::thread::sleep(A_MOMENT);
            }
            said_ready = self.wait(direction, time)?;
        }
    }
}
