//! Edge-triggered epoll, as far as the clients need it.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use crate::Outcome;

/// How long a wait lasts at most, so that a new phase is seen.
const TURN: Duration = Duration::from_millis(20);

/// Who can be read from.
pub(super) struct Poller {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Poller {
    pub(super) fn new() -> Outcome<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)?, events: Vec::with_capacity(256) })
    }

    /// Watches it until it is closed.
    pub(super) fn add(&self, socket: impl AsFd, key: usize) -> Outcome<()> {
        let flags = EventFlags::IN | EventFlags::ET;
        Ok(epoll::add(&self.epoll, socket, EventData::new_u64(key as u64), flags)?)
    }

    /// The keys of those with something new to read; after a while without, none.
    pub(super) fn wait(&mut self) -> Outcome<impl Iterator<Item = usize> + use<'_>> {
        self.events.clear();
        let turn = Timespec::try_from(TURN)?;
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&turn)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.events.iter().filter_map(|event| usize::try_from(event.data.u64()).ok()))
    }
}
