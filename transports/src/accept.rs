//! Accepting one connection; the errors of that, and of receiving a packet, sorted by what to do about
//! them.
//!
//! | error | sorted as | why |
//! |---|---|---|
//! | `EAGAIN`, `EWOULDBLOCK` | not ready | somebody else took it, or it is gone |
//! | `EINTR` | tried again at once | a signal |
//! | `ECONNABORTED`, `ECONNRESET`, `EPROTO`, `ENETDOWN` and the like, `ETIMEDOUT` | failed | this one connection: it is gone, or its network failed before it was accepted |
//! | for packets also `ECONNREFUSED`, `EMSGSIZE`, `ENETRESET` | failed | a reply from earlier reached nobody, so there is no packet now; or this packet is too long |
//! | `EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM` | exhausted | it gets better when something is closed; until then a retry would spin. With a [reserve](crate::reserve) the first two become dismissed clients |
//! | `EPERM` | exhausted | a security rule forbids it, and the connection may stay in the queue: a retry would spin too |
//! | `EOPNOTSUPP` | exhausted | accept(2) has it among the network errors of one connection, but it may be the listener's, and would not go away |
//! | all others (`EBADF`, `EINVAL`, `ENOTSOCK`, …) | fatal | the listener is broken, or not one |

use std::io;

use rustix::io::Errno;
use socket2::{SockAddr, Socket};
use socketserver_core::GetRequestError;

use crate::sys;

/// Accepts one connection; the new socket is blocking. `address` makes the client's address of what
/// the system says.
pub(crate) fn stream<A>(
    listener: &Socket,
    address: impl FnOnce(&SockAddr) -> Option<A>,
) -> Result<(Socket, A), GetRequestError> {
    let (socket, client) = loop {
        match listener.accept() {
            Ok(accepted) => break accepted,
            Err(error) => {
                if let Some(sorted) = sort_accept_error(error) {
                    return Err(sorted);
                }
            }
        }
    };
    if sys::ACCEPTED_INHERIT_NONBLOCKING {
        socket.set_nonblocking(false).map_err(GetRequestError::Failed)?;
    }
    // Some systems give an accepted connection without an address when its client has gone already.
    let gone = || GetRequestError::Failed(io::ErrorKind::ConnectionAborted.into());
    Ok((socket, address(&client).ok_or_else(gone)?))
}

/// What an error of accepting a connection becomes, as the table says: `None` is tried again at once. For tests that
/// inject errors.
#[doc(hidden)]
pub fn sort_accept_error(error: io::Error) -> Option<GetRequestError> {
    if error.kind() == io::ErrorKind::Interrupted { None } else { Some(sorted(error)) }
}

/// Sorts an error of receiving a packet.
pub(crate) fn sort_received(error: io::Error) -> GetRequestError {
    match Errno::from_io_error(&error) {
        Some(Errno::CONNREFUSED | Errno::MSGSIZE | Errno::NETRESET) => {
            GetRequestError::Failed(error)
        }
        _ => sorted(error),
    }
}

/// Sorts an error of accepting a connection.
pub(crate) fn sorted(error: io::Error) -> GetRequestError {
    if error.kind() == io::ErrorKind::WouldBlock {
        return GetRequestError::NotReady;
    }
    match Errno::from_io_error(&error) {
        Some(errno) if sys::EXHAUSTED.contains(&errno) => GetRequestError::Exhausted(error),
        Some(errno) if sys::ONE_CONNECTION.contains(&errno) => GetRequestError::Failed(error),
        _ => GetRequestError::Fatal(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sort(errno: Errno) -> &'static str {
        name(&sorted(errno.into()))
    }

    fn name(sorted: &GetRequestError) -> &'static str {
        match sorted {
            GetRequestError::NotReady => "not ready",
            GetRequestError::Failed(_) => "failed",
            GetRequestError::Exhausted(_) => "exhausted",
            _ => "fatal",
        }
    }

    #[test]
    fn errors_are_sorted_as_the_table_says() {
        assert_eq!(sort(Errno::WOULDBLOCK), "not ready");
        assert_eq!(sort(Errno::CONNABORTED), "failed");
        assert_eq!(sort(Errno::NETDOWN), "failed");
        assert_eq!(sort(Errno::MFILE), "exhausted");
        assert_eq!(sort(Errno::NOBUFS), "exhausted");
        assert_eq!(sort(Errno::INVAL), "fatal");
        assert_eq!(sort(Errno::NOTSOCK), "fatal");
    }

    #[test]
    fn errors_of_packets_are_sorted_as_the_table_says() {
        for errno in [Errno::CONNREFUSED, Errno::CONNRESET, Errno::MSGSIZE, Errno::NETRESET] {
            assert_eq!(name(&sort_received(errno.into())), "failed", "{errno:?}");
        }
        assert_eq!(name(&sort_received(Errno::WOULDBLOCK.into())), "not ready");
        assert_eq!(name(&sort_received(Errno::NOBUFS.into())), "exhausted");
        assert_eq!(name(&sort_received(Errno::BADF.into())), "fatal");
    }
}
