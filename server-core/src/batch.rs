//! Requests that are handed to the strategy one after another, without a wait between them.

use std::marker::PhantomData;

use crate::concurrency::{AfterBatch, Concurrency, Job};
use crate::job::guarded;

/// The requests since the last one ended; by default of a verb that takes one.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The verb takes one after another, so it may take the next ones later.
    of_many: bool,
    /// How many there are, with those that were turned away behind the first one.
    length: u8,
}

impl Batch {
    /// No request is kept from beginning by more of those behind it.
    const LONGEST: u8 = 16;

    pub(crate) const fn of_many() -> Self {
        Self { of_many: true, length: 0 }
    }

    /// A request comes to the strategy.
    pub(crate) const fn grows(&mut self) {
        self.length += 1;
    }

    /// A request was taken that does not come to the strategy.
    pub(crate) fn turns_away(&mut self) {
        self.length += u8::from(self.length > 0);
    }

    /// It ends, whether or not there are more requests.
    pub(crate) const fn is_long(&self) -> bool {
        self.length >= Self::LONGEST
    }

    /// The loop is about to wait, or has taken enough. Says how it goes on.
    pub(crate) fn ends<J: Job, C: Concurrency<J>>(&mut self, concurrency: &C) -> AfterBatch {
        if std::mem::take(&mut self.length) == 0 {
            return AfterBatch::Wait;
        }
        match concurrency.batch_ends() {
            AfterBatch::Later if !self.of_many => AfterBatch::Wait,
            after => after,
        }
    }
}

/// The last batch of a verb ends with it, whatever ends that.
pub(crate) struct End<'a, J: Job, C: Concurrency<J>> {
    concurrency: &'a C,
    of: PhantomData<fn(J)>,
}

impl<'a, J: Job, C: Concurrency<J>> End<'a, J, C> {
    pub(crate) const fn of(concurrency: &'a C) -> Self {
        Self { concurrency, of: PhantomData }
    }
}

impl<J: Job, C: Concurrency<J>> Drop for End<'_, J, C> {
    fn drop(&mut self) {
        // A panic may be on its way already; nobody waits for the answer.
        let _ = guarded(|| self.concurrency.batch_ends());
    }
}
