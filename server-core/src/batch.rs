//! Requests that are handed to the strategy one after another, without a wait between them.

use std::marker::PhantomData;

use crate::concurrency::{AfterBatch, Concurrency, Job};
use crate::job::guarded;

/// The requests since the last wait; by default of a verb that takes one.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The verb takes one after another, so it may take the next ones later.
    of_many: bool,
    /// There are some.
    any: bool,
    /// So many more were taken since, and turned away.
    turned_away: u8,
}

impl Batch {
    /// Those who are turned away are no reason to put others off for longer than that.
    const LONGEST: u8 = 16;

    pub(crate) const fn of_many() -> Self {
        Self { of_many: true, any: false, turned_away: 0 }
    }

    pub(crate) const fn grows(&mut self) {
        self.any = true;
    }

    /// A request was taken that does not come to the strategy.
    pub(crate) fn turns_away(&mut self) {
        self.turned_away = self.turned_away.saturating_add(u8::from(self.any));
    }

    /// The strategy is to know of what it has before another one is taken.
    pub(crate) const fn is_long(&self) -> bool {
        self.turned_away >= Self::LONGEST
    }

    /// The loop is about to wait, or turns many away. Says how it goes on.
    pub(crate) fn ends<J: Job, C: Concurrency<J>>(&mut self, concurrency: &C) -> AfterBatch {
        self.turned_away = 0;
        if !std::mem::take(&mut self.any) {
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
