//! The errors that accept(2) on Linux tells of, and what a server has to do about each.

use std::io;

/// An error by its name and its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Errno(pub(crate) &'static str, i32);

impl Errno {
    pub(crate) fn error(self) -> io::Error {
        io::Error::from_raw_os_error(self.1)
    }
}

/// There was nothing, or the call was interrupted: nobody need know.
pub(crate) const NOTHING: &[Errno] = &[Errno("EAGAIN", 11), Errno("EINTR", 4)];

/// One connection came to nothing. The next is served at once.
pub(crate) const GO_ON: &[Errno] = &[
    Errno("ECONNABORTED", 103),
    Errno("ECONNRESET", 104),
    Errno("EHOSTDOWN", 112),
    Errno("EHOSTUNREACH", 113),
    Errno("ENETDOWN", 100),
    Errno("ENETUNREACH", 101),
    Errno("ENONET", 64),
    Errno("ENOPROTOOPT", 92),
    Errno("EPROTO", 71),
    Errno("ETIMEDOUT", 110),
];

/// Something has run out, or is forbidden for now: the server pauses, and goes on.
pub(crate) const PAUSE: &[Errno] = &[
    Errno("EMFILE", 24),
    Errno("ENFILE", 23),
    Errno("ENOBUFS", 105),
    Errno("ENOMEM", 12),
    Errno("EOPNOTSUPP", 95),
    Errno("EPERM", 1),
];

/// The listener is broken, or none.
pub(crate) const STOP: &[Errno] = &[
    Errno("EBADF", 9),
    Errno("EFAULT", 14),
    Errno("EINVAL", 22),
    Errno("ENOSR", 63),
    Errno("ENOSYS", 38),
    Errno("ENOTSOCK", 88),
    Errno("EPROTONOSUPPORT", 93),
    Errno("ESOCKTNOSUPPORT", 94),
];
