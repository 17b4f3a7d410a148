//! How the serving thread and those that lead keep pace, so that each has several jobs to do before the other is woken.

/// What the one knows of the other.
#[derive(Debug)]
pub(super) struct Pace {
    /// How many jobs are ready of which those who poll have not been told.
    put_off: usize,
    serving: Serving,
}

/// What the serving thread does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Serving {
    /// It waits for requests, or takes some.
    Apart,
    /// It lets others run first, and looks for requests then.
    GivesWay,
    /// It sleeps until there is nothing to do but what it takes next.
    Sleeps,
}

impl Pace {
    /// So many new jobs begin together at most.
    const TOGETHER: usize = 16;

    pub(super) const fn new() -> Self {
        Self { put_off: 0, serving: Serving::Apart }
    }

    /// A job has become ready that may begin together with the next ones. Says whether there are enough now.
    pub(super) fn put_off(&mut self) -> bool {
        self.put_off += 1;
        self.put_off >= Self::TOGETHER && self.begin_put_off()
    }

    /// What was put off begins. Says whether there is something.
    pub(super) fn begin_put_off(&mut self) -> bool {
        std::mem::take(&mut self.put_off) > 0
    }

    pub(super) fn gives_way(&mut self) {
        self.serving = Serving::GivesWay;
    }

    /// It has let others run first; says whether it now sleeps, for they are not through.
    pub(super) fn has_given_way(&mut self, are_through: bool) -> bool {
        self.serving = if are_through { Serving::Apart } else { Serving::Sleeps };
        !are_through
    }

    /// Those that lead have nothing to do. Says whether the serving thread goes on now, and whether it sleeps until it is told.
    pub(super) fn catch_up(&mut self) -> (bool, bool) {
        let serving = std::mem::replace(&mut self.serving, Serving::Apart);
        (serving != Serving::Apart, serving == Serving::Sleeps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_that_are_put_off_begin_when_there_are_many_or_no_more() {
        let mut pace = Pace::new();
        assert!(!pace.begin_put_off());
        assert!(!pace.put_off());
        assert!(pace.begin_put_off());
        assert!((1..Pace::TOGETHER).all(|_| !pace.put_off()));
        assert!(pace.put_off());
        assert!(!pace.begin_put_off());
    }

    #[test]
    fn who_sleeps_is_told_once_and_who_only_gives_way_need_not_be() {
        let mut pace = Pace::new();
        assert_eq!(pace.catch_up(), (false, false));
        pace.gives_way();
        assert_eq!(pace.catch_up(), (true, false));
        assert!(pace.has_given_way(false));
        assert_eq!(pace.catch_up(), (true, true));
        assert_eq!(pace.catch_up(), (false, false));
        pace.gives_way();
        assert!(!pace.has_given_way(true));
        assert_eq!(pace.catch_up(), (false, false));
    }
}
