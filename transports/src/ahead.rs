//! Packets that were received before the server takes them: a busy server need not ask first whether there is one, and may
//! receive several with one system call.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::datagram::{Datagram, DatagramSocket, Shared};
use crate::many::Family;

/// The packets that are there, in the order in which they came.
pub(crate) struct Ahead<S: DatagramSocket> {
    /// How many there may be. With none each packet is waited for, and stays with the system until it is taken.
    most: usize,
    family: Family,
    stock: Mutex<Stock<S>>,
}

struct Stock<S: DatagramSocket> {
    packets: VecDeque<Datagram<S>>,
    /// What receiving ahead has failed with; whoever takes the next packet is told.
    error: Option<io::Error>,
    /// What the next packets are received into.
    buffers: Vec<Box<[u8]>>,
    /// What has just been received into the first of them.
    received: Vec<(usize, S::Addr, S::Credentials)>,
    idleness: Idleness,
}

/// How many packets in a row are waited for before there is another attempt to receive one without. An attempt that fails is
/// a system call too many, and on a server that is not busy each would fail.
#[derive(Debug, Default)]
struct Idleness {
    left: u8,
    next: u8,
}

impl Idleness {
    const LONGEST: u8 = 15;

    fn nothing_was_there(&mut self) {
        self.next = (2 * self.next + 1).min(Self::LONGEST);
        self.left = self.next;
    }

    fn something_was_there(&mut self) {
        *self = Self::default();
    }

    fn one_was_waited_for(&mut self) {
        self.left = self.left.saturating_sub(1);
    }
}

impl<S: DatagramSocket> Ahead<S> {
    /// So many packets at most, or as many as one call can receive.
    pub(crate) fn new(most: usize, socket: &S) -> Self {
        let most = most.min(S::MOST);
        let stock = Stock {
            packets: VecDeque::with_capacity(most),
            error: None,
            buffers: Vec::with_capacity(most),
            received: Vec::with_capacity(most),
            idleness: Idleness::default(),
        };
        Self { most, family: Family::of(&socket.socket_ref()), stock: Mutex::new(stock) }
    }

    pub(crate) const fn most(&self) -> usize {
        self.most
    }

    /// How many packets are there.
    pub(crate) fn len(&self) -> usize {
        self.stock().packets.len()
    }

    /// Whether there is a packet, or an error to tell; receives if there is not, unless that would hardly succeed.
    pub(crate) fn has_any(&self, shared: &Arc<Shared<S>>) -> bool {
        if self.most == 0 {
            return false;
        }
        let mut stock = self.stock();
        if !stock.packets.is_empty() || stock.error.is_some() {
            return true;
        }
        if stock.idleness.left > 0 {
            return false;
        }
        match self.receive(&mut stock, shared) {
            Ok(()) => stock.idleness.something_was_there(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                stock.idleness.nothing_was_there();
                return false;
            }
            Err(error) => stock.error = Some(error),
        }
        true
    }

    /// The next packet; receives if there is none.
    pub(crate) fn take(&self, shared: &Arc<Shared<S>>) -> io::Result<Datagram<S>> {
        if self.most == 0 {
            return Datagram::receive(shared);
        }
        let mut stock = self.stock();
        loop {
            if let Some(packet) = stock.packets.pop_front() {
                return Ok(packet);
            }
            if let Some(error) = stock.error.take() {
                return Err(error);
            }
            stock.idleness.one_was_waited_for();
            self.receive(&mut stock, shared)?;
        }
    }

    /// Forgets what is there, and receives nothing ahead any more.
    pub(crate) fn give_up(&mut self) {
        self.most = 0;
        let stock = self.stock.get_mut().unwrap_or_else(PoisonError::into_inner);
        stock.packets.clear();
        stock.error = None;
        stock.buffers = Vec::new();
    }

    /// Receives at least one packet, without blocking.
    fn receive(&self, stock: &mut Stock<S>, shared: &Arc<Shared<S>>) -> io::Result<()> {
        if self.most == 1 {
            stock.packets.push_back(Datagram::receive(shared)?);
            return Ok(());
        }
        let Stock { packets, buffers, received, .. } = stock;
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
