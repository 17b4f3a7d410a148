//! Whether a thread waits for something, as the system sees it: one that was only kept from the processor is not helped by
//! another that wants it too.

pub(super) use system::StateOfThread;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    /// How another thread learns what this one does.
    #[derive(Debug)]
    pub(in super::super) struct StateOfThread(Option<File>);

    impl StateOfThread {
        /// Of the calling thread.
        pub(in super::super) fn of_current() -> Self {
            // There may be no such file system, or no descriptor left.
            Self(File::open("/proc/thread-self/stat").ok())
        }

        /// Whether it waits for something at the moment; `None` if the system does not tell.
        pub(in super::super) fn is_waiting(&self) -> Option<bool> {
            let mut buffer = [0; 64];
            let length = self.0.as_ref()?.read_at(&mut buffer, 0).ok()?;
            state_in(&buffer[..length]).map(|state| state != b'R')
        }
    }

    /// The letter after the name, which is in brackets and may have some in it.
    fn state_in(line: &[u8]) -> Option<u8> {
        let end = line.iter().rposition(|byte| *byte == b')')?;
        line.get(end + 2).copied()
    }

    #[cfg(test)]
    mod tests {
        use super::{StateOfThread, state_in};

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
    /// Nobody knows.
    #[derive(Debug)]
    pub(in super::super) struct StateOfThread;

    impl StateOfThread {
        pub(in super::super) const fn of_current() -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "elsewhere there is something to ask")]
        pub(in super::super) const fn is_waiting(&self) -> Option<bool> {
            None
        }
    }
}
