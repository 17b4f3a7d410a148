//! Process descriptors: each becomes readable when its process ends. One epoll descriptor watches all.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{Timespec, epoll};
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};

use super::notify::Ended;

/// The processes that are watched.
#[derive(Debug)]
pub(crate) struct PidFds {
    epoll: Arc<OwnedFd>,
    /// Processes that could not be watched, because there were no descriptors left, say. Until all of them
    /// have ended, each child is asked each time.
    unwatched: Arc<Mutex<usize>>,
}

/// One process that is watched, as long as this lives.
#[derive(Debug)]
pub(crate) struct Watched {
    epoll: Arc<OwnedFd>,
    pidfd: Option<OwnedFd>,
    unwatched: Arc<Mutex<usize>>,
}

impl PidFds {
    /// Fails where the kernel has no process descriptors.
    pub(crate) fn new() -> io::Result<Self> {
        pidfd_open(getpid(), PidfdFlags::empty())?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self { epoll: Arc::new(epoll), unwatched: Arc::default() })
    }

    pub(crate) fn source(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    pub(crate) fn watch(&self, pid: Pid) -> Watched {
        let watched = pidfd_open(pid, PidfdFlags::empty()).and_then(|pidfd| {
            let data =
                epoll::EventData::new_u64(u64::from(pid.as_raw_nonzero().get().unsigned_abs()));
            // Told once: a process that has ended but cannot be waited for yet (a debugger has it) must not
            // keep the loop awake.
            let events = epoll::EventFlags::IN | epoll::EventFlags::ET;
            epoll::add(&*self.epoll, &pidfd, data, events)?;
            Ok(pidfd)
        });
        if watched.is_err() {
            *lock(&self.unwatched) += 1;
        }
        Watched {
            epoll: Arc::clone(&self.epoll),
            pidfd: watched.ok(),
            unwatched: Arc::clone(&self.unwatched),
        }
    }

    pub(crate) fn ended(&self) -> Ended {
        if *lock(&self.unwatched) > 0 {
            return Ended::PerhapsAny;
        }
        let none =
            epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) };
        let mut events = [none; 64];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        match epoll::wait(&*self.epoll, &mut events[..], Some(&now)) {
            Ok(count) => {
                let pids = events[..count].iter().filter_map(|event| {
                    i32::try_from(event.data.u64()).ok().and_then(Pid::from_raw)
                });
                Ended::These(pids.collect())
            }
            Err(_) => Ended::PerhapsAny,
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        match &self.pidfd {
            // Closing would not be enough: children that were forked meanwhile have it open too.
            Some(pidfd) => drop(epoll::delete(&*self.epoll, pidfd)),
            None => *lock(&self.unwatched) -= 1,
        }
    }
}

fn lock(unwatched: &Mutex<usize>) -> std::sync::MutexGuard<'_, usize> {
    // Nothing panics under this lock.
    unwatched.lock().unwrap_or_else(PoisonError::into_inner)
}
