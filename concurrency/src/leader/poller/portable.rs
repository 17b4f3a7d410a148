//! The poller of other systems: `poll` on all that rests. Each wait costs time for each of them; what it needs, every
//! system has, and it needs no unsafe code.

use std::collections::HashMap;
use std::io;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socketserver_core::Pollable;

use crate::leader::poller::News;

/// How often to look for connections that were cut, where that wakes nobody.
const LOOK: Duration = Duration::from_millis(50);

/// What is watched.
#[derive(Debug)]
pub(in crate::leader) struct Poller {
    watched: Mutex<HashMap<u64, Watched>>,
    /// Sends to itself.
    wake: UdpSocket,
}

struct Watched {
    pollable: Arc<dyn Pollable>,
    /// Nothing has been told of it since somebody last began to wait.
    armed: bool,
}

/// Room for what a wait finds.
#[derive(Default)]
pub(in crate::leader) struct Events(Vec<(u64, Arc<dyn Pollable>)>);

impl Events {
    pub(in crate::leader) fn new() -> Self {
        Self::default()
    }
}

impl Poller {
    pub(in crate::leader) fn new() -> io::Result<Self> {
        let wake = UdpSocket::bind(("127.0.0.1", 0))?;
        wake.connect(wake.local_addr()?)?;
        wake.set_nonblocking(true)?;
        Ok(Self { watched: Mutex::default(), wake })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches it until it is removed. Who waits already does not know it: it is to be rearmed.
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(in crate::leader) fn add(&self, pollable: &Arc<dyn Pollable>, key: u64) -> io::Result<()> {
        self.lock().insert(key, Watched { pollable: Arc::clone(pollable), armed: false });
        Ok(())
    }

    /// Watches it no more.
    pub(in crate::leader) fn remove(&self, _pollable: &Arc<dyn Pollable>, key: u64) {
        let removed = self.lock().remove(&key);
        // Who waits has it too: as long as he does it is not closed.
        if removed.is_some_and(|removed| Arc::strong_count(&removed.pollable) > 2) {
            self.wake();
        }
    }

    /// Somebody waits for news of it, again.
    pub(in crate::leader) fn rearm(&self, key: u64) {
        if let Some(watched) = self.lock().get_mut(&key) {
            watched.armed = true;
        }
        self.wake();
    }

    /// Waits for news, or until it is woken, or the time is over.
    pub(in crate::leader) fn wait(
        &self,
        events: &mut Events,
        time: Option<Duration>,
        mut tell: impl FnMut(News),
    ) -> io::Result<()> {
        {
            let watched = self.lock();
            let armed = watched.iter().filter(|(_, watched)| watched.armed);
            events.0.extend(armed.map(|(key, watched)| (*key, Arc::clone(&watched.pollable))));
        }
        let mut fds = vec![PollFd::new(&self.wake, PollFlags::IN)];
        let sources = events.0.iter().map(|(_, pollable)| pollable.source());
        fds.extend(sources.map(|source| PollFd::from_borrowed_fd(source, PollFlags::IN)));
        // There cutting a connection does not end a poll of it.
        let time = if cfg!(windows) && !events.0.is_empty() {
            Some(time.map_or(LOOK, |time| time.min(LOOK)))
        } else {
            time
        };
        let time = time.and_then(|time| Timespec::try_from(time).ok());
        let polled = poll(&mut fds, time.as_ref());
        let ready: Vec<bool> = fds[1..].iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        if polled.is_ok() {
            while self.wake.recv(&mut [0; 8]).is_ok() {}
            let mut watched = self.lock();
            let news = events.0.iter().zip(&ready);
            for ((key, _), _) in news.filter(|((_, it), ready)| **ready || it.was_cut()) {
                if let Some(watched) = watched.get_mut(key) {
                    watched.armed = false;
                }
                // Whatever is there is told again as long as it is there.
                tell(News { key: *key, has_end: false });
            }
        }
        events.0.clear();
        match polled {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends a wait, or the next.
    pub(in crate::leader) fn wake(&self) {
        // What does not fit finds it awake.
        let _ = self.wake.send(&[0]);
    }
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("armed", &self.armed).finish_non_exhaustive()
    }
}
