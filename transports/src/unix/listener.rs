//! What the Unix transports that listen have in common.

use std::io;
use std::time::Duration;

use socket2::Socket;
use socketserver_core::{GetRequestError, Readiness, Wait, Waker};

use super::addr::UnixAddr;
use super::bind::Bound;
use super::file::SocketFile;
use super::options::UnixOptions;
use super::options::sealed::FailedStep;
use crate::accept;
use crate::error::BindStep;
use crate::reserve::Reserve;
use crate::wait::Waiter;

/// A listening socket with its file.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Before the socket, so that it is removed while the socket still listens: nobody finds a file
    /// where nobody listens.
    _file: Option<SocketFile>,
    pub(crate) socket: Socket,
    reserve: Reserve,
    timeout: Option<Duration>,
    waiter: Waiter,
}

impl Listener {
    /// Of a bound socket; it listens from now on.
    pub(crate) fn listen<T>(bound: Bound, options: &UnixOptions<T>) -> Result<Self, FailedStep> {
        let at = |step| move |error| (step, error);
        if let Some(hook) = &options.before_listen {
            hook(&bound.socket).map_err(at(BindStep::BeforeListen))?;
        }
        bound.socket.listen(options.backlog).map_err(at(BindStep::Listen))?;
        Ok(Self::listening(bound, options))
    }

    /// Of a socket that listens already.
    pub(crate) fn listening<T>(mut bound: Bound, options: &UnixOptions<T>) -> Self {
        Self {
            _file: options.file_to_remove(&mut bound),
            reserve: Reserve::of(&bound.socket, options.reserve_descriptor),
            socket: bound.socket,
            timeout: options.packets.timeout,
            waiter: Waiter::new(),
        }
    }

    pub(crate) fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.waiter.wait(&self.socket, wait)
    }

    pub(crate) fn waker(&self) -> Waker {
        self.waiter.waker()
    }

    pub(crate) fn accept(&self) -> Result<(Socket, UnixAddr), GetRequestError> {
        self.waiter.prepare(&self.socket).map_err(accept::sorted)?;
        // Whatever the system says that is no name means that the client has none.
        self.reserve.accept(&self.socket, |address| Some(UnixAddr::of(address)))
    }

    pub(crate) fn local_addr(&self) -> io::Result<UnixAddr> {
        Ok(UnixAddr::of(&self.socket.local_addr()?))
    }

    pub(crate) fn after_fork(&mut self) {
        self.waiter.after_fork();
    }

    pub(crate) const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}
