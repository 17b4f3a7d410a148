//! A descriptor in reserve: what to do with clients when there is none left for them.

use std::io;
use std::net::Shutdown;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use socket2::{SockAddr, Socket};
use socketserver_core::GetRequestError;

use crate::accept;
use crate::sys;

/// The reserve of a listening socket, if it is to have one.
#[derive(Debug)]
pub(crate) struct Reserve {
    wanted: bool,
    /// A duplicate of the listener, which nobody uses; `None` when it is used up, or could not be had.
    spare: Mutex<Option<Socket>>,
}

impl Reserve {
    /// So many clients are dismissed at a time; the loop has other things to do as well.
    const AT_A_TIME: usize = 100;

    /// A failure to get the spare descriptor is none: it is tried again before each accept.
    pub(crate) fn of(listener: &Socket, wanted: bool) -> Self {
        let reserve = Self { wanted, spare: Mutex::new(None) };
        reserve.replenish(listener);
        reserve
    }

    /// Accepts one connection, or dismisses those that wait.
    pub(crate) fn accept<A>(
        &self,
        listener: &Socket,
        address: impl FnOnce(&SockAddr) -> Option<A>,
    ) -> Result<(Socket, A), GetRequestError> {
        // Before the client: its place is what the spare one is for.
        self.replenish(listener);
        match accept::stream(listener, address) {
            Err(GetRequestError::Exhausted(error)) if self.wanted && is_out_of(&error) => {
                Err(self.dismiss(listener, error))
            }
            accepted => accepted,
        }
    }

    fn replenish(&self, listener: &Socket) {
        if self.wanted {
            let mut spare = self.lock();
            if spare.is_none() {
                *spare = listener.try_clone().ok();
            }
        }
    }

    /// Accepts and closes those that wait, with the descriptor that was spared for it. If another thread is faster and takes
    /// that descriptor, nobody is dismissed.
    fn dismiss(&self, listener: &Socket, error: io::Error) -> GetRequestError {
        let mut spare = self.lock();
        if spare.take().is_none() {
            return GetRequestError::Exhausted(error);
        }
        let mut clients = 0;
        while clients < Self::AT_A_TIME {
            match listener.accept() {
                Ok((client, _)) => {
                    // A clean end also for those who have sent something. They may be gone.
                    let _ = client.shutdown(Shutdown::Write);
                    clients += 1;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        *spare = listener.try_clone().ok();
        match clients {
            0 => GetRequestError::Exhausted(error),
            _ => GetRequestError::Dismissed { clients, error },
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Socket>> {
        // Nothing under this lock panics half way.
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it is descriptors that there are none of: one that is closed helps then.
fn is_out_of(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| sys::OUT_OF_DESCRIPTORS.contains(&errno))
}
