//! How long a client may take for what, as a value. Who keeps the time is in `connections`.

use std::fmt;
use std::time::Duration;

/// How long the client of a connection may take: for its first byte, between requests, within one, and over all.
///
/// A server has them for all its connections ([`ServerConfig::deadlines`](crate::ServerConfig::deadlines)); a handler
/// can have others for its own ([`Watch::set_deadlines`](crate::Watch::set_deadlines), `Stream::set_deadlines`). The
/// default is none, and nothing is counted then. CPython has only the `timeout` of a handler, which a client that sends a
/// byte now and then never exceeds.
///
/// When a deadline passes the connection is [cut](crate::CutReason::Deadline): its socket is shut down in both
/// directions, and the receive or send that its handler is in returns an error of the kind
/// [`TimedOut`](std::io::ErrorKind::TimedOut) that [says](crate::CutReason::of) which deadline it was. Later calls fail
/// like that one.
///
/// ```
/// use socketserver_core::{Deadlines, ServerConfig};
/// use std::time::Duration;
///
/// let deadlines = Deadlines::new()
///     .first_byte(Duration::from_secs(5))
///     .idle(Duration::from_secs(60))
///     .read(Duration::from_secs(10))
///     .write(Duration::from_secs(30))
///     .min_rate(240, Duration::from_secs(5))
///     .whole(Duration::from_secs(3600));
/// let config = ServerConfig::new().deadlines(deadlines);
/// assert_eq!(config.get_deadlines(), deadlines);
/// ```
///
/// # What they hold for
///
/// For the calls that receive and send: [`StreamRequest::recv`](crate::StreamRequest::recv) and
/// [`send`](crate::StreamRequest::send), and with them `rfile`, `wfile` and reading and writing a connection. The call
/// keeps its own time, so no thread is needed, and they hold in the serving thread and in a forked child too. So a handler
/// is not cut while it computes, waits for something else, or uses the bare socket: it is when it next receives or sends,
/// if the deadline is over by then. What a client has sent is received first, except when the time of the
/// [whole](Self::whole) connection is over. A transport has to do its part, see [`Watch::is_timed`](crate::Watch::is_timed):
/// the stream transports of this project do.
///
/// A timeout of the handler's own ([`StreamRequest::set_timeout`](crate::StreamRequest::set_timeout)) holds beside
/// them; it fails one call and cuts nothing. They end when the handler takes the connection over.
///
/// Less than a millisecond counts as a millisecond.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[must_use]
pub struct Deadlines {
    first_byte: Option<Duration>,
    idle: Option<Duration>,
    read: Option<Duration>,
    write: Option<Duration>,
    whole: Option<Duration>,
    rate: Option<Rate>,
}

/// So many bytes a second, after a grace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Rate {
    bytes_per_second: u64,
    grace: Duration,
}

/// One of the [`Deadlines`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Deadline {
    /// [`Deadlines::first_byte`].
    FirstByte,
    /// [`Deadlines::idle`].
    Idle,
    /// [`Deadlines::read`].
    Read,
    /// [`Deadlines::write`].
    Write,
    /// [`Deadlines::min_rate`].
    Rate,
    /// [`Deadlines::whole`].
    Whole,
}

impl Deadlines {
    const SHORTEST: Duration = Duration::from_millis(1);

    /// No deadlines.
    pub const fn new() -> Self {
        Self { first_byte: None, idle: None, read: None, write: None, whole: None, rate: None }
    }

    /// How long a client may take for its first byte, since it was accepted, whether or not somebody has begun to serve
    /// it. So those that were silent while they waited for a worker do not keep it. (Who waits in the listener's backlog has
    /// not been accepted: a pool that is to be kept from slow clients has a long queue.) A client that is sent something
    /// first has the time since that. Until the first byte no other deadline holds for receives, except [`whole`](Self::whole).
    pub fn first_byte(mut self, time: Duration) -> Self {
        self.first_byte = Some(time.max(Self::SHORTEST));
        self
    }

    /// How long a client may be silent while its handler says that the connection is [idle](crate::Watch::idle): between
    /// two requests of a `KeepAliveHandler`, or in `Stream::while_idle`. A kept connection ends well then, without an
    /// error.
    pub fn idle(mut self, time: Duration) -> Self {
        self.idle = Some(time.max(Self::SHORTEST));
        self
    }

    /// How long receives may wait for a byte while the connection is not [idle](crate::Watch::idle). Each byte begins it
    /// anew: what a client that sends one now and then exceeds is a [rate](Self::min_rate).
    pub fn read(mut self, time: Duration) -> Self {
        self.read = Some(time.max(Self::SHORTEST));
        self
    }

    /// How long sends may wait until the system takes some more bytes. It does so when the client has made room by
    /// receiving; of a client that receives slowly it may take nothing for a while, and then much.
    pub fn write(mut self, time: Duration) -> Self {
        self.write = Some(time.max(Self::SHORTEST));
        self
    }

    /// How long a connection may live, since it was accepted, whatever it does.
    pub fn whole(mut self, time: Duration) -> Self {
        self.whole = Some(time.max(Self::SHORTEST));
        self
    }

    /// How many bytes a second are to move at least, on average over a request: its handler may wait in receives for no
    /// longer than `grace` and the time that the received bytes take at this rate. The same holds for sends, on an account
    /// of their own. A rate of 0 is none.
    ///
    /// An account begins with the first byte of a request, and so does not count the time before it: that is the business
    /// of [`first_byte`](Self::first_byte), [`idle`](Self::idle) and [`read`](Self::read). It ends with the answer. Only
    /// on a new connection that has no `first_byte` deadline and is not idle the rate holds from the beginning.
    ///
    /// Time in which the handler does not wait is not counted; but of a new connection the time that it waited for
    /// somebody to serve it is, for its client could have sent meanwhile. So those that are slow do not keep the workers
    /// of a pool for long, however many they are. A client that has sent 4096 bytes is forgiven that time: perhaps it
    /// could not send more before somebody received.
    ///
    /// Of what is sent, only what the system takes after sends have waited for a quarter of the grace is counted as moved:
    /// before that, it is the buffers of both systems that fill. They may take some ten kilobytes later, too; so who
    /// receives nothing at all is, at a low rate, the business of [`write`](Self::write).
    pub fn min_rate(mut self, bytes_per_second: u64, grace: Duration) -> Self {
        let grace = grace.max(Self::SHORTEST);
        self.rate = (bytes_per_second > 0).then_some(Rate { bytes_per_second, grace });
        self
    }

    /// The same without one of them.
    pub const fn without(mut self, deadline: Deadline) -> Self {
        match deadline {
            Deadline::FirstByte => self.first_byte = None,
            Deadline::Idle => self.idle = None,
            Deadline::Read => self.read = None,
            Deadline::Write => self.write = None,
            Deadline::Rate => self.rate = None,
            Deadline::Whole => self.whole = None,
        }
        self
    }

    /// The time of one of them, if it is set; of the rate, the grace. The default is `None`.
    pub const fn time(&self, deadline: Deadline) -> Option<Duration> {
        match deadline {
            Deadline::FirstByte => self.first_byte,
            Deadline::Idle => self.idle,
            Deadline::Read => self.read,
            Deadline::Write => self.write,
            Deadline::Whole => self.whole,
            Deadline::Rate => match self.rate {
                Some(rate) => Some(rate.grace),
                None => None,
            },
        }
    }

    /// The minimum data rate in bytes a second, if it is set. The default is `None`.
    pub const fn bytes_per_second(&self) -> Option<u64> {
        match self.rate {
            Some(rate) => Some(rate.bytes_per_second),
            None => None,
        }
    }

    /// Whether none is set.
    pub const fn is_empty(&self) -> bool {
        matches!(
            self,
            Self { first_byte: None, idle: None, read: None, write: None, whole: None, rate: None }
        )
    }

    /// How long calls may wait in which so many bytes move.
    pub(crate) fn time_for(&self, bytes: u64) -> Option<Duration> {
        self.rate.map(|Rate { bytes_per_second, grace }| {
            let nanos = u128::from(bytes % bytes_per_second) * 1_000_000_000;
            // Less than a second, so it fits.
            let nanos = u32::try_from(nanos / u128::from(bytes_per_second)).unwrap_or_default();
            Duration::new(bytes / bytes_per_second, nanos).saturating_add(grace)
        })
    }
}

impl Deadline {
    /// Its name, for people, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstByte => "first byte",
            Self::Idle => "idle",
            Self::Read => "read",
            Self::Write => "write",
            Self::Rate => "minimum rate",
            Self::Whole => "whole connection",
        }
    }
}

/// Its name: "first byte", "idle", "read", "write", "minimum rate", "whole connection".
impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Deadline; 6] = [
        Deadline::FirstByte,
        Deadline::Idle,
        Deadline::Read,
        Deadline::Write,
        Deadline::Rate,
        Deadline::Whole,
    ];

    #[test]
    fn each_is_set_and_taken_away_on_its_own() {
        let second = Duration::from_secs;
        let all = Deadlines::new()
            .first_byte(second(1))
            .idle(second(2))
            .read(second(3))
            .write(second(4))
            .min_rate(100, second(5))
            .whole(second(6));
        assert_eq!(ALL.map(|it| all.time(it)), [1, 2, 3, 4, 5, 6].map(|it| Some(second(it))));
        assert_eq!(all.bytes_per_second(), Some(100));
        for without in ALL {
            let others = all.without(without);
            assert!(ALL.iter().all(|it| others.time(*it).is_none() == (*it == without)));
        }
        let none = ALL.into_iter().fold(all, Deadlines::without);
        assert!(none.is_empty() && none == Deadlines::default() && !all.is_empty());
    }

    #[test]
    fn too_short_a_time_is_a_millisecond_and_no_rate_is_none() {
        let shortest = Deadlines::new().idle(Duration::ZERO).min_rate(1, Duration::ZERO);
        assert_eq!(shortest.time(Deadline::Idle), Some(Duration::from_millis(1)));
        assert_eq!(shortest.time(Deadline::Rate), Some(Duration::from_millis(1)));
        assert!(Deadlines::new().min_rate(0, Duration::ZERO).is_empty());
    }

    #[test]
    fn bytes_buy_time() {
        let rate = Deadlines::new().min_rate(1000, Duration::from_secs(1));
        assert_eq!(rate.time_for(0), Some(Duration::from_secs(1)));
        assert_eq!(rate.time_for(2500), Some(Duration::from_millis(3500)));
        let extreme = Deadlines::new().min_rate(u64::MAX, Duration::from_secs(1));
        assert_eq!(extreme.time_for(u64::MAX), Some(Duration::from_secs(2)));
        let slowest = Deadlines::new().min_rate(1, Duration::MAX);
        assert_eq!(slowest.time_for(u64::MAX), Some(Duration::MAX));
    }
}
