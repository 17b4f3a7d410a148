//! A Unix socket that is bound and does not listen yet.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use socket2::SockRef;

use super::addr::UnixAddr;
use super::bind::{Bound, failed};
use super::name::UnixName;
use super::options::{UnixListening, UnixOptions};
use crate::error::{Attempt, BindError};

/// A bound socket that does not listen yet; see [`UnixOptions::bind_only`].
///
/// Dropping it removes its file.
#[must_use = "it refuses clients until it is activated"]
pub struct BoundUnix<T> {
    name: UnixName,
    bound: Bound,
    options: UnixOptions<T>,
}

impl<T> BoundUnix<T> {
    pub(crate) const fn new(name: UnixName, bound: Bound, options: UnixOptions<T>) -> Self {
        Self { name, bound, options }
    }

    /// The address the socket is bound to.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<UnixAddr> {
        Ok(UnixAddr::of(&self.bound.socket.local_addr()?))
    }

    /// The bound socket.
    pub fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.bound.socket)
    }
}

impl<T: UnixListening> BoundUnix<T> {
    /// Starts to listen. CPython's `server_activate()`.
    ///
    /// # Errors
    ///
    /// [`BindStep::BeforeListen`](crate::BindStep::BeforeListen) or
    /// [`BindStep::Listen`](crate::BindStep::Listen); the socket is closed then, and its file removed.
    pub fn activate(self) -> Result<T, BindError> {
        T::of_bound(self.bound, &self.options)
            .map_err(|step| failed(&self.name, Attempt::of_step(step)))
    }
}

impl<T> AsFd for BoundUnix<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bound.socket.as_fd()
    }
}

impl<T> fmt::Debug for BoundUnix<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundUnix").field("name", &self.name).finish_non_exhaustive()
    }
}
