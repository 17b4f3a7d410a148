//! The poller of Linux: an epoll descriptor, edge-triggered. So nothing is told twice, and nothing has to be said to the
//! kernel between two requests.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use socketserver_core::Pollable;

use crate::leader::poller::News;

/// The number of what wakes the poller.
const WAKE: u64 = u64::MAX;

/// So many are told of at once.
const BATCH: usize = 128;

/// What is watched.
#[derive(Debug)]
pub(in crate::leader) struct Poller {
    epoll: OwnedFd,
    wake: OwnedFd,
}

/// Room for what a wait finds.
pub(in crate::leader) struct Events(Box<[epoll::Event; BATCH]>);

impl Events {
    pub(in crate::leader) fn new() -> Self {
        let none =
            epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) };
        Self(Box::new([none; BATCH]))
    }
}

impl Poller {
    pub(in crate::leader) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // Edge-triggered, it need not be read: each write is news.
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&epoll, &wake, epoll::EventData::new_u64(WAKE), flags)?;
        Ok(Self { epoll, wake })
    }

    /// Watches it until it is removed, or closed.
    pub(in crate::leader) fn add(&self, pollable: &Arc<dyn Pollable>, key: u64) -> io::Result<()> {
        let flags = epoll::EventFlags::IN
            | epoll::EventFlags::RDHUP
            | epoll::EventFlags::PRI
            | epoll::EventFlags::ET;
        let data = epoll::EventData::new_u64(key);
        Ok(epoll::add(&self.epoll, pollable.source(), data, flags)?)
    }

    /// Watches it no more.
    pub(in crate::leader) fn remove(&self, pollable: &Arc<dyn Pollable>, _key: u64) {
        // It is gone in any case.
        let _ = epoll::delete(&self.epoll, pollable.source());
    }

    /// Somebody waits for news of it, again.
    #[expect(clippy::unused_self, reason = "elsewhere there is something to do")]
    pub(in crate::leader) fn rearm(&self, _key: u64) {}

    /// Waits for news, or until it is woken, or the time is over.
    pub(in crate::leader) fn wait(
        &self,
        events: &mut Events,
        time: Option<Duration>,
        mut tell: impl FnMut(News),
    ) -> io::Result<()> {
        let time = time.and_then(|time| Timespec::try_from(time).ok());
        let count = match epoll::wait(self.epoll.as_fd(), &mut events.0[..], time.as_ref()) {
            Ok(count) => count,
            // A signal.
            Err(rustix::io::Errno::INTR) => 0,
            Err(error) => return Err(error.into()),
        };
        for event in &events.0[..count] {
            let (key, flags) = (event.data.u64(), event.flags);
            if key != WAKE {
                // A receive stops before urgent data, whatever is behind it.
                let ends = epoll::EventFlags::RDHUP
                    | epoll::EventFlags::HUP
                    | epoll::EventFlags::ERR
                    | epoll::EventFlags::PRI;
                tell(News { key, has_end: flags.intersects(ends) });
            }
        }
        Ok(())
    }

    /// Ends a wait, or the next.
    pub(in crate::leader) fn wake(&self) {
        // It only fails when it has been written to 2^64 times; then it is awake.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }
}
