//! What clients and servers say to each other: lines of 64 bytes, which come back as they are.

use std::thread;
use std::time::Duration;

/// The length of a line, with its end.
pub(crate) const LINE: usize = 64;

/// How long a handler blocks that was asked to.
pub(crate) const BLOCK: Duration = Duration::from_millis(5);

/// One line.
pub(crate) type Line = [u8; LINE];

/// What the first byte of a line asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wish {
    /// The line back.
    Echo,
    /// The handler blocks, then the line back.
    Block,
    /// The line back, then the end of the connection.
    Quit,
}

/// Whether the connection goes on after the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum After {
    Keep,
    Close,
}

impl Wish {
    const fn byte(self) -> u8 {
        match self {
            Self::Echo => b'E',
            Self::Block => b'B',
            Self::Quit => b'Q',
        }
    }

    /// The line that asks for this; `number` tells it from others, so that an answer to another line is seen.
    pub(crate) fn line(self, number: u64) -> Line {
        let mut line = [b'.'; LINE];
        line[0] = self.byte();
        for (place, nibble) in
            number.to_le_bytes().into_iter().flat_map(|byte| [byte & 15, byte >> 4]).enumerate()
        {
            line[1 + place] = b"0123456789abcdef"[usize::from(nibble)];
        }
        line[LINE - 1] = b'\n';
        line
    }
}

/// What every server here does with a line before it sends it back: it blocks its thread if the line says so.
pub(crate) fn obey(line: &[u8]) -> After {
    let after = peek(line);
    if asks_to_block(line) {
        thread::sleep(BLOCK);
    }
    after
}

/// Whether the line asks to block.
pub(crate) fn asks_to_block(line: &[u8]) -> bool {
    line.first() == Some(&Wish::Block.byte())
}

/// What is to become of the connection after the answer.
pub(crate) fn peek(line: &[u8]) -> After {
    if line.first() == Some(&Wish::Quit.byte()) { After::Close } else { After::Keep }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_once_and_differ() {
        let lines =
            [Wish::Echo.line(1), Wish::Echo.line(2), Wish::Block.line(1), Wish::Quit.line(1)];
        for (at, line) in lines.iter().enumerate() {
            assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(LINE - 1));
            assert!(!lines[..at].contains(line));
        }
    }

    #[test]
    fn wishes_are_understood() {
        assert_eq!(peek(&Wish::Echo.line(0)), After::Keep);
        assert_eq!(peek(&Wish::Quit.line(0)), After::Close);
        assert!(asks_to_block(&Wish::Block.line(0)));
        assert!(!asks_to_block(&Wish::Echo.line(0)));
        assert_eq!(obey(&Wish::Block.line(0)), After::Keep);
    }
}
