//! What the datagram transports have in common: waiting for packets and receiving them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use socketserver_core::{GetRequestError, Readiness, Wait, Waker};

use crate::accept;
use crate::ahead::Ahead;
use crate::buffers::Buffers;
use crate::datagram::{Datagram, DatagramSocket, Shared};
use crate::wait::Waiter;

/// How to receive packets and reply to them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PacketOptions {
    pub(crate) max_packet_size: usize,
    pub(crate) reply_timeout: Duration,
    pub(crate) timeout: Option<Duration>,
    /// How many packets may be received with one call.
    pub(crate) ahead: usize,
    /// Whether each packet tells who sent it.
    pub(crate) pass_credentials: bool,
}

impl PacketOptions {
    pub(crate) const fn new() -> Self {
        Self {
            max_packet_size: 8192,
            reply_timeout: Duration::from_secs(1),
            timeout: None,
            ahead: 1,
            pass_credentials: false,
        }
    }
}

/// A bound socket of packets, as a transport uses it.
#[derive(Debug)]
pub(crate) struct Packets<S: DatagramSocket> {
    shared: Arc<Shared<S>>,
    ahead: Ahead<S>,
    timeout: Option<Duration>,
    waiter: Waiter,
}

impl<S: DatagramSocket> Packets<S> {
    pub(crate) fn new(socket: S, waiter: Waiter, options: PacketOptions) -> Self {
        let ahead = Ahead::new(options.ahead, &socket);
        let buffers = Buffers::new(options.max_packet_size, ahead.most());
        let shared = Shared {
            socket,
            buffers,
            patience: options.reply_timeout,
            pass_credentials: options.pass_credentials,
        };
        Self { shared: Arc::new(shared), ahead, timeout: options.timeout, waiter }
    }

    pub(crate) fn after_fork(&mut self) {
        self.waiter.after_fork();
        // What was received is the parent's, and what will be may be another child's.
        self.ahead.give_up();
    }

    pub(crate) fn raw(&self) -> &S {
        &self.shared.socket
    }

    pub(crate) fn socket(&self) -> SockRef<'_> {
        self.raw().socket_ref()
    }

    pub(crate) fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        if wait.is_for_request() && self.ahead.len() > 0 {
            return Ok(Readiness::Request);
        }
        self.waiter.wait(&self.socket(), wait)
    }

    pub(crate) fn waker(&self) -> Waker {
        self.waiter.waker()
    }

    pub(crate) fn get_request(&self) -> Result<(Datagram<S>, S::Addr), GetRequestError> {
        self.waiter.prepare(&self.socket()).map_err(accept::sorted)?;
        let datagram = self.ahead.take(&self.shared).map_err(accept::sort_received)?;
        let sender = datagram.sender().clone();
        Ok((datagram, sender))
    }

    /// How many packets have been received and not been taken yet.
    pub(crate) fn received_ahead(&self) -> usize {
        self.ahead.len()
    }

    pub(crate) const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}
