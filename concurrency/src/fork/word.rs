//! A word that a parent gives to all its children at once, by the end of a stream; so also if the parent dies.

use std::io::{self, ErrorKind, Read};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;

/// The stream. Nothing is ever written: reading from it ends when the parent gives the word, or no process has the
/// parent's end open.
///
/// It is no pipe, because whoever the parent has forked has a copy of its end, for a moment or as long as it lives (the child
/// of another strategy). A pipe would not end before all of those are closed; a socket that is shut down ends for all at once.
#[derive(Debug)]
pub(crate) struct Word {
    reader: UnixStream,
    /// The parent's end; `None` in a child, and when the word has been given.
    parents: Option<UnixStream>,
}

impl Word {
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, parents) = UnixStream::pair()?;
        Ok(Self { reader, parents: Some(parents) })
    }

    /// In the parent: gives it.
    pub(crate) fn give(&mut self) {
        if let Some(parents) = self.parents.take() {
            // It fails if no other end is left, and then nobody is to be told.
            let _ = parents.shutdown(Shutdown::Both);
        }
    }

    /// In a child: starts a thread that calls `heed` when the parent gives it, or is no more.
    pub(crate) fn heed(&mut self, heed: impl FnOnce() + Send + 'static) -> io::Result<()> {
        // Its own copy of the parent's end would keep the stream open.
        self.parents = None;
        let reader = self.reader.try_clone()?;
        let wait = move || {
            await_end(reader);
            heed();
        };
        thread::Builder::new().name("parent-watch".to_owned()).spawn(wait).map(drop)
    }
}

impl Drop for Word {
    fn drop(&mut self) {
        self.give();
    }
}

/// Returns when there is nothing more to read, or that cannot be known any more.
fn await_end(mut reader: impl Read) {
    loop {
        match reader.read(&mut [0]) {
            Ok(0) => return,
            Ok(_) => {}
            // A handler of some signal ran in this thread; that is no word of the parent's.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// What the parent's end is like in a process that was forked, and has not closed it.
    fn copy(word: &Word) -> UnixStream {
        word.parents.as_ref().unwrap().try_clone().unwrap()
    }

    fn is_told(word: &Word) -> bool {
        word.reader.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        matches!((&word.reader).read(&mut [0]), Ok(0))
    }

    #[test]
    fn who_else_has_the_parents_end_does_not_hold_the_word_up() {
        let mut word = Word::new().unwrap();
        let _copy = copy(&word);
        word.give();
        assert!(is_told(&word));
    }

    #[test]
    fn what_is_dropped_has_been_given() {
        let word = Word::new().unwrap();
        let _copy = copy(&word);
        let child = Word { reader: word.reader.try_clone().unwrap(), parents: None };
        drop(word);
        assert!(is_told(&child));
    }

    #[test]
    fn an_interrupted_read_is_not_the_word() {
        struct Scripted(Vec<io::Result<usize>>);

        impl Read for Scripted {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                self.0.pop().unwrap()
            }
        }

        let mut script = Scripted(vec![Ok(0), Ok(1), Err(ErrorKind::Interrupted.into())]);
        await_end(&mut script);
        assert_eq!(script.0.len(), 0);
    }
}
