//! Waiting for children with patience: woken by their ends, by whoever hurries, and by what the thread attends to.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use socketserver_core::{Patience, WakeGuard};

use super::notify::Notifier;

/// Waits until none are left, or the patience is over. `left` reaps, and says how many there still are; so does this.
pub(crate) fn await_children(
    patience: &Patience<'_>,
    notifier: &Notifier,
    mut left: impl FnMut() -> usize,
) -> usize {
    let count = left();
    if count == 0 {
        return 0;
    }
    let wake = Wake::new(patience);
    loop {
        if let Some(wake) = &wake {
            wake.clear();
        }
        let time = patience.left();
        let count = left();
        if count == 0 || time.is_zero() {
            return count;
        }
        let pipe = wake.as_ref().map(|wake| wake.woken.as_fd());
        // Woken or not, the next look tells.
        let _ = match wake {
            Some(_) => notifier.wait(time, [pipe, patience.source()]),
            None => notifier.wait(time.min(Wake::SLICE), [None, patience.source()]),
        };
    }
}

/// Readable when somebody hurries.
struct Wake<'a> {
    woken: UnixStream,
    _guard: WakeGuard<'a>,
}

impl<'a> Wake<'a> {
    /// How often to look, should there be no descriptors left.
    const SLICE: Duration = Duration::from_millis(100);

    fn new(patience: &Patience<'a>) -> Option<Self> {
        let (woken, waker) = UnixStream::pair().ok()?;
        woken.set_nonblocking(true).ok()?;
        waker.set_nonblocking(true).ok()?;
        let guard = patience.wake_with(move || {
            // If it is full it is readable.
            let _ = (&waker).write(&[0]);
        });
        Some(Self { woken, _guard: guard })
    }

    /// Forgets who hurried so far: one who does not end the wait must not keep it awake.
    fn clear(&self) {
        while matches!((&self.woken).read(&mut [0; 64]), Ok(1..)) {}
    }
}
