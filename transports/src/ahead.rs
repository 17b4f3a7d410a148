//! Packets that were received before the server takes them: several with one system call.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::datagram::{Datagram, DatagramSocket, Shared};
use crate::many::Family;

/// The packets that are there, in the order in which they came.
pub(crate) struct Ahead<S: DatagramSocket> {
    /// How many may be received with one call. With one, packets stay with the system until they are taken.
    most: usize,
    family: Family,
    stock: Mutex<Stock<S>>,
}

struct Stock<S: DatagramSocket> {
    packets: VecDeque<Datagram<S>>,
    /// What the next packets are received into.
    buffers: Vec<Box<[u8]>>,
    /// What has just been received into the first of them.
    received: Vec<(usize, S::Addr, S::Credentials)>,
}

impl<S: DatagramSocket> Ahead<S> {
    /// So many packets at most, or as many as one call can receive.
    pub(crate) fn new(most: usize, socket: &S) -> Self {
        let most = most.clamp(1, S::MOST);
        let stock = Stock {
            packets: VecDeque::with_capacity(most),
            buffers: Vec::with_capacity(most),
            received: Vec::with_capacity(most),
        };
        Self { most, family: Family::of(&socket.socket_ref()), stock: Mutex::new(stock) }
    }

    pub(crate) const fn most(&self) -> usize {
        self.most
    }

    /// How many packets are there.
    pub(crate) fn len(&self) -> usize {
        if self.most == 1 { 0 } else { self.stock().packets.len() }
    }

    /// The next packet; receives if there is none.
    pub(crate) fn take(&self, shared: &Arc<Shared<S>>) -> io::Result<Datagram<S>> {
        if self.most == 1 {
            return Datagram::receive(shared);
        }
        let mut stock = self.stock();
        loop {
            if let Some(packet) = stock.packets.pop_front() {
                return Ok(packet);
            }
            self.receive(&mut stock, shared)?;
        }
    }

    /// Forgets what is there, and receives nothing ahead any more.
    pub(crate) fn give_up(&mut self) {
        self.most = 1;
        let stock = self.stock.get_mut().unwrap_or_else(PoisonError::into_inner);
        stock.packets.clear();
        stock.buffers = Vec::new();
    }

    /// Receives at least one packet, without blocking.
    fn receive(&self, stock: &mut Stock<S>, shared: &Arc<Shared<S>>) -> io::Result<()> {
        let Stock { packets, buffers, received } = stock;
        shared.buffers.fill(buffers, self.most);
        loop {
            let each = |length, sender, credentials| received.push((length, sender, credentials));
            match shared.socket.receive_many(self.family, buffers, each) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        }
        let filled = buffers.drain(..received.len());
        for (buffer, (length, sender, credentials)) in filled.zip(received.drain(..)) {
            packets.push_back(Datagram::new(shared, buffer, length, sender, credentials));
        }
        Ok(())
    }

    fn stock(&self) -> MutexGuard<'_, Stock<S>> {
        // No code that panics half-way runs under this lock.
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: DatagramSocket> fmt::Debug for Ahead<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead").field("most", &self.most).finish_non_exhaustive()
    }
}
