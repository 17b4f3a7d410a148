//! A clock that only moves when somebody sleeps by it, for the thread that has it.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

thread_local! {
    static TIME: Cell<Option<Time>> = const { Cell::new(None) };
}

/// Where time ends: some centuries from now, which every platform's `Instant` can tell.
const END: Duration = Duration::from_secs(200 * 366 * 24 * 3600);

/// The time of a thread that has a virtual clock.
#[derive(Clone, Copy)]
struct Time {
    /// The machine's time when the clock was installed.
    start: Instant,
    elapsed: Duration,
    tick: Duration,
}

impl Time {
    fn end_of_sleep(&self, timeout: Duration) -> Duration {
        let end = self.elapsed.saturating_add(timeout);
        // A look takes no time; and a clock without ticks is exact.
        if timeout.is_zero() || self.tick.is_zero() {
            return end;
        }
        let beyond = end.as_nanos() % self.tick.as_nanos();
        match u64::try_from(self.tick.as_nanos() - beyond) {
            Ok(missing) if beyond > 0 => end.saturating_add(Duration::from_nanos(missing)),
            _ => end,
        }
    }
}

/// As long as this lives, servers in this thread tell the time by a virtual clock, which stands still
/// until they wait or pause: then it jumps to the end of that.
///
/// A [`ScriptedTransport`](super::ScriptedTransport) in this thread waits by it, and what its
/// [`Script`](super::Script) has for a certain time happens at that time. Other threads, and all that is
/// done without a server, keep the machine's time; a stop with a time limit as well.
///
/// ```
/// use socketserver_core::testing::{Inline, RecordingService, ScriptedTransport, VirtualClock};
/// use socketserver_core::{Handled, Server, ServerConfig};
/// use std::time::Duration;
///
/// let clock = VirtualClock::install();
/// let transport = ScriptedTransport::new();
/// transport.script().request_at(Duration::from_secs(3600), "late");
/// let config = ServerConfig::new().timeout(Duration::from_secs(1));
/// let mut server = Server::new(transport, Inline, RecordingService::new()).with_config(config);
/// assert!(matches!(server.handle_request()?, Handled::TimedOut));
/// assert_eq!(clock.elapsed(), Duration::from_secs(1));
/// # Ok::<(), socketserver_core::ServeError>(())
/// ```
#[must_use = "the thread is back in the machine's time when this is dropped"]
pub struct VirtualClock {
    /// It belongs to the thread that installed it.
    not_send: PhantomData<*const ()>,
}

impl VirtualClock {
    /// A clock for this thread. Sleeps by it end to the nanosecond.
    ///
    /// # Panics
    ///
    /// When the thread has one already.
    pub fn install() -> Self {
        Self::with_tick(Duration::ZERO)
    }

    /// The same, but like a machine's timer it only wakes sleepers at multiples of `tick`: they sleep up to
    /// one tick too long. What happens meanwhile still wakes them at once.
    ///
    /// # Panics
    ///
    /// When the thread has one already.
    pub fn with_tick(tick: Duration) -> Self {
        assert!(TIME.get().is_none(), "this thread has a virtual clock already");
        TIME.set(Some(Time { start: Instant::now(), elapsed: Duration::ZERO, tick }));
        Self { not_send: PhantomData }
    }

    /// How much virtual time has gone by.
    pub fn elapsed(&self) -> Duration {
        elapsed().unwrap_or_default()
    }

    /// Lets time go by, as work does.
    pub fn advance(&self, by: Duration) {
        advance_to(self.elapsed().saturating_add(by));
    }
}

impl Drop for VirtualClock {
    fn drop(&mut self) {
        TIME.set(None);
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualClock").field("elapsed", &self.elapsed()).finish_non_exhaustive()
    }
}

/// Now, if this thread has a virtual clock.
pub(crate) fn now() -> Option<Instant> {
    TIME.get().map(|time| time.start + time.elapsed)
}

/// The virtual time since the clock was installed.
pub(crate) fn elapsed() -> Option<Duration> {
    TIME.get().map(|time| time.elapsed)
}

/// When a sleep of `timeout` that begins now will be over.
pub(crate) fn end_of_sleep(timeout: Duration) -> Option<Duration> {
    TIME.get().map(|time| time.end_of_sleep(timeout))
}

/// Moves the clock, never back, and never beyond what an `Instant` can tell.
pub(crate) fn advance_to(elapsed: Duration) {
    let Some(time) = TIME.get() else { return };
    let elapsed = if time.start.checked_add(elapsed).is_some() { elapsed } else { END };
    TIME.set(Some(Time { elapsed: elapsed.max(time.elapsed), ..time }));
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_sleep_ends_at_the_next_tick_and_a_look_at_once() {
        let clock = VirtualClock::with_tick(10 * MS);
        clock.advance(3 * MS);
        assert_eq!(end_of_sleep(Duration::ZERO), Some(3 * MS));
        assert_eq!(end_of_sleep(MS), Some(10 * MS));
        assert_eq!(end_of_sleep(7 * MS), Some(10 * MS));
        assert_eq!(end_of_sleep(8 * MS), Some(20 * MS));
    }

    #[test]
    fn it_ends_with_its_guard_and_is_unknown_to_other_threads() {
        let clock = VirtualClock::install();
        clock.advance(MS);
        advance_to(Duration::ZERO);
        assert_eq!(clock.elapsed(), MS, "it does not go back");
        assert!(std::thread::spawn(now).join().unwrap().is_none());
        assert!(std::panic::catch_unwind(VirtualClock::install).is_err(), "one at a time");
        drop(clock);
        assert!(now().is_none());
    }
}
