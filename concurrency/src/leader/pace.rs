//! How the serving thread and those that lead keep pace, so that each has several jobs to do before the other is woken.

/// What the one knows of the other.
#[derive(Debug)]
pub(super) struct Pace {
    /// There are jobs of which those who poll have not been told.
    put_off: bool,
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
    pub(super) const fn new() -> Self {
        Self { put_off: false, serving: Serving::Apart }
    }

    /// A job may begin together with the next ones.
    pub(super) fn put_off(&mut self) {
        self.put_off = true;
    }

    /// What was put off begins. Says whether there is something.
    pub(super) fn take_put_off(&mut self) -> bool {
        std::mem::take(&mut self.put_off)
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
