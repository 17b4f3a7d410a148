//! How fast requests may come in: a bucket of tokens that fills by itself.
//!
//! The bucket is kept as the time it takes until it is full again, so that nothing has to fill it: one token is missing
//! for each interval of that time.

use std::time::{Duration, Instant};

use crate::sync::{AtomicBool, Mutex, Ordering, lock};
use crate::transport::Waker;

/// How many requests are accepted per time: a bucket of tokens. Each request takes one, one comes back at each interval,
/// and there are never more than the [burst](Self::burst). So in any time `t` no more than the burst and
/// `t / interval` are accepted.
///
/// ```
/// use socketserver_core::AcceptRate;
/// use std::time::Duration;
///
/// let rate = AcceptRate::per_second(100).burst(20);
/// assert_eq!(rate.get_interval(), Duration::from_millis(10));
/// assert_eq!(rate.get_burst(), 20);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[must_use]
pub struct AcceptRate {
    interval: Duration,
    burst: u32,
}

impl AcceptRate {
    /// So many per second, and a second's worth at once. 0 counts as 1: to let nobody in, suspend the server.
    pub const fn per_second(requests: u32) -> Self {
        const SECOND: u64 = 1_000_000_000;
        let requests = if requests == 0 { 1 } else { requests };
        // Rounded up, so that there are never more than so many.
        Self { interval: Duration::from_nanos(SECOND.div_ceil(requests as u64)), burst: requests }
    }

    /// One at each interval, and one at once. A zero interval counts as a nanosecond, one of more than a year as a year.
    pub const fn one_per(interval: Duration) -> Self {
        // So that any number of them can be told as a time.
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        let interval = match interval.as_secs() {
            0 if interval.is_zero() => Duration::from_nanos(1),
            seconds if seconds < YEAR.as_secs() => interval,
            _ => YEAR,
        };
        Self { interval, burst: 1 }
    }

    /// How many may come at once after a time in which nobody came. 0 counts as 1.
    pub const fn burst(mut self, requests: u32) -> Self {
        self.burst = if requests == 0 { 1 } else { requests };
        self
    }

    /// After which time another request may come, in the long run.
    pub const fn get_interval(&self) -> Duration {
        self.interval
    }

    /// How many may come at once: what [`per_second`](Self::per_second) was given, or 1, unless set.
    pub const fn get_burst(&self) -> u32 {
        self.burst
    }

    /// The time in which an empty bucket fills, but for its last token.
    fn all_but_one(&self) -> Duration {
        self.interval.saturating_mul(self.burst - 1)
    }
}

/// The tokens of a server. The loop looks and takes; others only say how fast it fills, so that only the loop's clock
/// counts.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// There is a rate: if not, the loop need not look further, or at the clock.
    limited: AtomicBool,
    state: Mutex<State>,
    /// Ends the loop's wait for a token.
    waker: Waker,
}

#[derive(Debug, Default)]
struct State {
    /// What is wanted.
    rate: Option<AcceptRate>,
    /// What is there.
    level: Option<Level>,
}

#[derive(Debug)]
struct Level {
    rate: AcceptRate,
    /// How long it takes, from `seen` on, until the bucket is full.
    missing: Duration,
    seen: Instant,
}

impl Level {
    /// Goes on with another rate; the tokens that are missing still are.
    fn change(&mut self, rate: AcceptRate) {
        let missing = self.missing.as_nanos().saturating_mul(rate.interval.as_nanos())
            / self.rate.interval.as_nanos();
        let empty = rate.interval.saturating_mul(rate.burst);
        self.missing = u64::try_from(missing).map_or(empty, Duration::from_nanos).min(empty);
        self.rate = rate;
    }
}

impl State {
    fn level(&mut self, now: Instant) -> Option<&mut Level> {
        let Some(rate) = self.rate else {
            self.level = None;
            return None;
        };
        let level = self.level.get_or_insert(Level { rate, missing: Duration::ZERO, seen: now });
        level.missing = level.missing.saturating_sub(now.saturating_duration_since(level.seen));
        level.seen = now;
        if level.rate != rate {
            level.change(rate);
        }
        Some(level)
    }
}

impl Bucket {
    pub(crate) fn new(waker: Waker) -> Self {
        Self { limited: AtomicBool::new(false), state: Mutex::default(), waker }
    }

    /// How long it takes until there is a token; zero if there is one. The time is asked for only if there is a rate.
    pub(crate) fn until_token(&self, now: impl FnOnce() -> Instant) -> Duration {
        if !self.is_limited() {
            return Duration::ZERO;
        }
        let mut state = lock(&self.state);
        let level = state.level(now());
        level.map_or(Duration::ZERO, |level| level.missing.saturating_sub(level.rate.all_but_one()))
    }

    /// Takes one. There was one, or the rate was changed in between: then it is owed.
    pub(crate) fn take(&self, now: impl FnOnce() -> Instant) {
        if self.is_limited()
            && let Some(level) = lock(&self.state).level(now())
        {
            level.missing = level.missing.saturating_add(level.rate.interval);
        }
    }

    fn is_limited(&self) -> bool {
        // Whoever sets a rate wakes the loop after that, so it looks again. Acquire pairs with the release there.
        self.limited.load(Ordering::Acquire)
    }

    pub(crate) fn rate(&self) -> Option<AcceptRate> {
        lock(&self.state).rate
    }

    pub(crate) fn set_rate(&self, rate: Option<AcceptRate>) {
        let changed = {
            let mut state = lock(&self.state);
            if rate.is_none() {
                // Without a rate nothing is missing, also if the next one comes before the loop looks.
                state.level = None;
            }
            // Under the lock, so that of two who set it the same one is last here and there.
            self.limited.store(rate.is_some(), Ordering::Release);
            std::mem::replace(&mut state.rate, rate) != rate
        };
        // A transport's code, so not under the lock.
        if changed {
            self.waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A bucket, and how to ask and take at so many milliseconds.
    struct At(Bucket, Instant);

    impl At {
        fn with(rate: AcceptRate) -> Self {
            let bucket = Bucket::new(Waker::new(|| {}));
            bucket.set_rate(Some(rate));
            Self(bucket, Instant::now())
        }

        fn ms(&self, ms: u64) -> Instant {
            self.1 + Duration::from_millis(ms)
        }

        /// How many milliseconds it takes until there is a token.
        fn until(&self, ms: u64) -> u128 {
            self.0.until_token(|| self.ms(ms)).as_millis()
        }

        /// Takes all there are at this time.
        fn take_all(&self, ms: u64) -> usize {
            let mut taken = 0;
            while self.0.until_token(|| self.ms(ms)).is_zero() {
                self.0.take(|| self.ms(ms));
                taken += 1;
            }
            taken
        }
    }

    #[test]
    fn it_begins_full_and_fills_at_its_interval_up_to_the_burst() {
        let at = At::with(AcceptRate::per_second(10).burst(3));
        assert_eq!(at.take_all(0), 3);
        assert_eq!(at.until(0), 100);
        assert_eq!(at.until(60), 40);
        assert_eq!(at.take_all(100), 1);
        assert_eq!(at.take_all(350), 2);
        assert_eq!(at.until(350), 50, "what was half full stays so");
        assert_eq!(at.take_all(100_000), 3);
    }

    #[test]
    fn another_rate_takes_over_what_is_missing() {
        let at = At::with(AcceptRate::per_second(10));
        assert_eq!(at.take_all(0), 10);
        at.0.set_rate(Some(AcceptRate::per_second(100).burst(10)));
        assert_eq!(at.until(0), 10, "empty, but it fills faster");
        at.0.set_rate(Some(AcceptRate::one_per(SECOND)));
        assert_eq!(at.until(0), 1000, "no more can be missing than there is room for");
        at.0.set_rate(None);
        assert_eq!((at.until(0), at.0.rate()), (0, None));
        at.0.set_rate(Some(AcceptRate::one_per(SECOND)));
        assert_eq!(at.take_all(0), 1, "without a rate nothing is missing");
    }

    #[test]
    fn the_ends_of_the_scale() {
        assert_eq!(AcceptRate::per_second(0), AcceptRate::per_second(1));
        assert_eq!(AcceptRate::per_second(3).get_interval().as_nanos(), 333_333_334);
        assert_eq!(AcceptRate::per_second(5).burst(0).get_burst(), 1);
        let slow = At::with(AcceptRate::one_per(Duration::MAX));
        assert_eq!(slow.take_all(0), 1);
        slow.0.set_rate(Some(AcceptRate::one_per(Duration::ZERO)));
        assert_eq!(slow.take_all(1), 1, "no more was missing than there was room for");
        slow.0.set_rate(Some(AcceptRate::one_per(Duration::MAX).burst(u32::MAX)));
        slow.0.take(|| slow.ms(1));
        assert_eq!(slow.until(1), 0, "a burst that takes billions of years to fill");
    }
}
