//! Whether to ask for the next request without waiting for it first: on a busy server it is there already.

/// How many requests in a row are waited for before there is another attempt to take one without. An attempt in vain is a
/// system call too many, and on a server that is not busy each would be.
#[derive(Debug)]
pub(crate) struct Hope {
    left: u8,
    next: u8,
}

impl Hope {
    const LONGEST: u8 = 15;

    /// The first request is waited for.
    pub(crate) const fn new() -> Self {
        Self { left: 1, next: 0 }
    }

    pub(crate) const fn is_there(&self) -> bool {
        self.left == 0
    }

    /// A request was taken.
    pub(crate) fn fulfilled(&mut self, was_hoped_for: bool) {
        if was_hoped_for {
            self.next = 0;
        }
        self.left = self.left.saturating_sub(1);
    }

    /// There is reason to try.
    pub(crate) fn renew(&mut self) {
        self.left = 0;
    }

    /// There was none.
    pub(crate) fn in_vain(&mut self) {
        self.next = (2 * self.next + 1).min(Self::LONGEST);
        self.left = self.next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests that come one at a time, so that none is there when the one before has been taken.
    fn attempts(hope: &mut Hope, requests: usize) -> usize {
        let mut attempts = 0;
        for _ in 0..requests {
            if hope.is_there() {
                attempts += 1;
                hope.in_vain();
            }
            hope.fulfilled(false);
        }
        attempts
    }

    #[test]
    fn attempts_become_rare_where_they_are_in_vain() {
        let mut hope = Hope::new();
        assert!(!hope.is_there());
        assert!(attempts(&mut hope, 30) >= 4);
        assert_eq!(attempts(&mut hope, 15 * 100), 100);
    }

    #[test]
    fn as_long_as_there_are_requests_none_is_waited_for() {
        let mut hope = Hope::new();
        attempts(&mut hope, 1000);
        while !hope.is_there() {
            hope.fulfilled(false);
        }
        for _ in 0..1000 {
            assert!(hope.is_there());
            hope.fulfilled(true);
        }
        hope.in_vain();
        hope.fulfilled(false);
        assert!(hope.is_there());
    }
}
