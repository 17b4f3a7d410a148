//! A word that a parent gives to all its children at once: the end of a pipe that only the parent holds open.

use std::io::{self, PipeReader, PipeWriter, Read};
use std::thread;

/// The pipe. Nothing is ever written: reading from it ends when no process has the other end open, so also if the parent
/// dies.
#[derive(Debug)]
pub(crate) struct Word {
    reader: PipeReader,
    /// The parent's end; `None` in a child, and when the word has been given.
    parents: Option<PipeWriter>,
}

impl Word {
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, parents) = io::pipe()?;
        Ok(Self { reader, parents: Some(parents) })
    }

    /// In the parent: gives it.
    pub(crate) fn give(&mut self) {
        self.parents = None;
    }

    /// In a child: starts a thread that calls `heed` when the parent gives it, or is no more.
    pub(crate) fn heed(&mut self, heed: impl FnOnce() + Send + 'static) -> io::Result<()> {
        // Its own copy of the parent's end would keep the pipe open.
        self.parents = None;
        let mut reader = self.reader.try_clone()?;
        let wait = move || {
            // The end of the pipe, or an error, which is as good as one.
            while !matches!(reader.read(&mut [0]), Ok(0) | Err(_)) {}
            heed();
        };
        thread::Builder::new().name("parent-watch".to_owned()).spawn(wait).map(drop)
    }
}
