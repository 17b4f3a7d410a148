//! Whether the next request may come in, has to wait, or is turned away: asked before each wait of the loop.

use std::time::Duration;

use crate::alarm::Alarm;
use crate::clock;
use crate::concurrency::{AfterBatch, Concurrency};
use crate::connections::{Place, Room};
use crate::error::ServeError;
use crate::job::ServiceJob;
use crate::refusal::{AtLimit, Refusal};
use crate::serve::Serve;
use crate::service::Service;
use crate::transport::{Readiness, Transport, Wait};

/// What is to become of the next request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Entry {
    /// It is let in.
    Open,
    /// It is accepted and turned away.
    Refuse(Refusal),
    /// It stays in the backlog for so long at least: it comes too early.
    Early(Duration),
    /// It stays in the backlog until there is room.
    Shut,
}

/// What the loop waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum How {
    Requests,
    /// For nothing: there may be one already.
    Hopes,
    /// For the strategy to have done what it has.
    Later,
    /// For there to be something that can be done about a request.
    Wakes,
}

/// What was decided about the request that is there.
#[derive(Debug)]
pub(crate) enum Pass {
    /// It has its place already. It is given up when nothing comes of it.
    In(Place),
    Out(Refusal),
}

impl<T, C, S> Serve<'_, T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// What is to become of the next request: by the limit and the rate, by the strategy, and if nobody has suspended the
    /// server.
    pub(crate) fn entry(&self) -> Entry {
        let registry = self.server.registry();
        // Both are asked, for both have to know that the loop waits for them.
        let (room, strategy) = (registry.gate.room(), self.concurrency.has_room());
        match room {
            Room::Shut => Entry::Shut,
            // The strategy is not needed for this.
            Room::Full => Entry::Refuse(Refusal::Limit),
            Room::Free => match registry.rate.until_token(clock::now) {
                Duration::ZERO if strategy => Entry::Open,
                Duration::ZERO => Entry::Shut,
                _ if registry.gate.at_limit() == AtLimit::Refuse => Entry::Refuse(Refusal::Rate),
                left if strategy => Entry::Early(left),
                _ => Entry::Shut,
            },
        }
    }

    /// How to wait if something can be done about a request, or if not.
    fn how(&mut self, open: bool) -> Result<How, ServeError> {
        let tries = open && self.transport()?.can_be_tried();
        let hopes = tries && self.hope.is_there();
        if hopes && !self.batch.is_long() {
            return Ok(How::Hopes);
        }
        Ok(match self.batch.ends(self.concurrency) {
            _ if !open => How::Wakes,
            AfterBatch::Later => How::Later,
            AfterBatch::Again if tries => How::Hopes,
            AfterBatch::Wait if hopes => How::Hopes,
            AfterBatch::Again | AfterBatch::Wait => How::Requests,
        })
    }

    /// Waits for a request if something can be done about it and nothing has run out, else until that may be so.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> Result<Readiness, ServeError> {
        let (entry, rest) = (self.entry(), self.rest_left());
        let early = match entry {
            Entry::Early(left) if rest.is_none() => Some(left),
            _ => None,
        };
        let open = matches!(entry, Entry::Open | Entry::Refuse(_)) && rest.is_none();
        let how = self.how(open)?;
        self.hopes = how == How::Hopes;
        let wait = match how {
            How::Hopes => {
                let attending = self.server.common().interrupts.attending(&self.server);
                attending.attend();
                drop(attending);
                self.look_for_stuck();
                return Ok(self.pass(entry));
            }
            How::Requests => Wait::for_request(),
            How::Later | How::Wakes => Wait::for_wake(),
        };
        let limit = timeout.into_iter().chain(rest).chain(early).min();
        let look = self.alarm.as_ref().map(Alarm::left);
        let first = limit.into_iter().chain(look).min();
        let attending = self.server.common().interrupts.attending(&self.server);
        let wait = wait.timeout(first).source(self.concurrency.source());
        let wait = wait.interrupt(attending.source());
        let readiness = self.transport()?.wait(wait).map_err(ServeError::Wait)?;
        attending.attend();
        drop(attending);
        self.look_for_stuck();
        if readiness == Readiness::TimedOut && first != limit {
            return Ok(Readiness::Woken);
        }
        if how == How::Later {
            // There should be some by now.
            self.hope.renew();
        }
        if let Some(rest) = rest {
            return Ok(self.rested(readiness, rest, timeout));
        }
        match readiness {
            Readiness::Request => {}
            // The time that is over is not the caller's.
            Readiness::TimedOut if limit < timeout || timeout.is_none() => {
                return Ok(Readiness::Woken);
            }
            readiness => return Ok(readiness),
        }
        // Who comes when there is room again is not turned away because there was none before.
        let entry = if matches!(entry, Entry::Refuse(_)) { self.entry() } else { entry };
        Ok(self.pass(entry))
    }

    /// Decides about the request that is there, or may be. Says whether one is to be taken: meanwhile the server may have
    /// been suspended, or its limit lowered.
    fn pass(&mut self, entry: Entry) -> Readiness {
        self.pass = match entry {
            Entry::Open => self.server.registry().reserve().map(Pass::In),
            Entry::Refuse(refusal) => Some(Pass::Out(refusal)),
            Entry::Early(_) | Entry::Shut => None,
        };
        if self.pass.is_some() { Readiness::Request } else { Readiness::Woken }
    }

    fn look_for_stuck(&mut self) {
        if let Some(alarm) = self.alarm {
            alarm.look(&self.server);
        }
    }
}
