//! Whether a thread waits for something, as the system sees it: one that was only kept from the processor is not helped by
//! another that wants it too.

/// How another thread learns what this one does.
#[derive(Debug)]
pub(super) struct StateOfThread(Option<system::Source>);

impl StateOfThread {
    /// Of the calling thread.
    pub(super) fn of_current() -> Self {
        Self(system::of_current())
    }

    /// Whether it waits for something; `None` where the system does not tell.
    pub(super) fn is_waiting(&self) -> Option<bool> {
        self.0.as_ref().and_then(system::is_waiting)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    /// Each read tells the state of the moment.
    pub(super) type Source = File;

    pub(super) fn of_current() -> Option<Source> {
        // There may be no such file system, or no descriptor left.
        File::open("/proc/thread-self/stat").ok()
    }

    pub(super) fn is_waiting(source: &Source) -> Option<bool> {
        let mut buffer = [0; 64];
        let length = source.read_at(&mut buffer, 0).ok()?;
        state_in(&buffer[..length]).map(|state| state != b'R')
    }

    /// The letter after the name, which is in brackets and may have some in it.
    fn state_in(line: &[u8]) -> Option<u8> {
        let end = line.iter().rposition(|byte| *byte == b')')?;
        line.get(end + 2).copied()
    }

    #[cfg(test)]
    mod tests {
        use super::super::StateOfThread;
        use super::state_in;

        #[test]
        fn the_name_may_have_brackets() {
            assert_eq!(state_in(b"12 (a) R (b) S 1 2 3"), Some(b'S'));
            assert_eq!(state_in(b"12 (a"), None);
            assert_eq!(state_in(b"12 (a)"), None);
        }

        #[test]
        fn who_asks_does_not_wait() {
            assert_eq!(StateOfThread::of_current().is_waiting(), Some(false));
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    pub(super) type Source = std::convert::Infallible;

    pub(super) fn of_current() -> Option<Source> {
        None
    }

    pub(super) fn is_waiting(source: &Source) -> Option<bool> {
        match *source {}
    }
}
