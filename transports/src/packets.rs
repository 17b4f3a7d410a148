//! What the datagram transports have in common: waiting for packets and receiving them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use socketserver_core::{GetRequestError, Readiness, Wait, Waker};

use crate::accept;
use crate::buffers::Buffers;
use crate::datagram::{Datagram, DatagramSocket, Shared};
use crate::wait::Waiter;

/// How to receive packets and reply to them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PacketOptions {
    pub(crate) max_packet_size: usize,
    pub(crate) reply_timeout: Duration,
    pub(crate) timeout: Option<Duration>,
    /// Whether each packet tells who sent it.
    pub(crate) pass_credentials: bool,
}

impl PacketOptions {
    pub(crate) const fn new() -> Self {
        Self {
            max_packet_size: 8192,
            reply_timeout: Duration::from_secs(1),
            timeout: None,
            pass_credentials: false,
        }
    }
}

/// A bound socket of packets, as a transport uses it.
#[derive(Debug)]
pub(crate) struct Packets<S> {
    shared: Arc<Shared<S>>,
    timeout: Option<Duration>,
    waiter: Waiter,
}

impl<S: DatagramSocket> Packets<S> {
    pub(crate) fn new(socket: S, waiter: Waiter, options: PacketOptions) -> Self {
        let buffers = Buffers::new(options.max_packet_size);
        let shared = Shared {
            socket,
            buffers,
            patience: options.reply_timeout,
            pass_credentials: options.pass_credentials,
        };
        Self { shared: Arc::new(shared), timeout: options.timeout, waiter }
    }

    pub(crate) fn after_fork(&mut self) {
        self.waiter.after_fork();
    }

    pub(crate) fn raw(&self) -> &S {
        &self.shared.socket
    }

    pub(crate) fn socket(&self) -> SockRef<'_> {
        self.raw().socket_ref()
    }

    pub(crate) fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.waiter.wait(&self.socket(), wait)
    }

    pub(crate) fn waker(&self) -> Waker {
        self.waiter.waker()
    }

    pub(crate) fn get_request(&self) -> Result<(Datagram<S>, S::Addr), GetRequestError> {
        self.waiter.prepare(&self.socket()).map_err(accept::sorted)?;
        let datagram = Datagram::receive(&self.shared).map_err(accept::sort_received)?;
        let sender = datagram.sender().clone();
        Ok((datagram, sender))
    }

    pub(crate) const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}
