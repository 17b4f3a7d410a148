//! What Unix sockets have on Linux only. `platform_bsd` provides the same names.

use std::io;
use std::os::fd::BorrowedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;

use nix::sys::socket::{getsockopt, sockopt};
use rustix::net::SocketAddrUnix;

use super::credentials::PeerCredentials;

/// The longest path; one byte more ends it.
pub(crate) const LONGEST_PATH: usize = 107;

pub(crate) fn abstract_address(name: &[u8]) -> io::Result<SocketAddrUnix> {
    Ok(SocketAddrUnix::new_abstract_name(name)?)
}

#[expect(clippy::unnecessary_wraps, reason = "the same signature as elsewhere")]
pub(crate) fn autobind_address() -> io::Result<SocketAddrUnix> {
    Ok(SocketAddrUnix::new_unnamed())
}

pub(crate) fn abstract_name_of(address: &SocketAddr) -> Option<&[u8]> {
    address.as_abstract_name()
}

pub(crate) fn abstract_name_in(address: &SocketAddrUnix) -> Option<&[u8]> {
    address.abstract_name()
}

/// Limits the mode of the file that binding this socket will make, so that it is never more open than
/// asked for.
pub(crate) fn set_mode_before_bind(socket: BorrowedFd<'_>, mode: u32) -> io::Result<()> {
    Ok(rustix::fs::fchmod(socket, rustix::fs::Mode::from_raw_mode(mode))?)
}

pub(crate) fn peer_credentials(socket: BorrowedFd<'_>) -> io::Result<PeerCredentials> {
    let peer = getsockopt(&socket, sockopt::PeerCredentials)?;
    // A process that this one's namespace does not have is number 0.
    let pid = u32::try_from(peer.pid()).ok().filter(|pid| *pid != 0);
    Ok(PeerCredentials::new(pid, peer.uid(), peer.gid()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsFd;
    use std::os::unix::fs::PermissionsExt;
    use std::process;

    use socket2::{Domain, SockAddr, Socket, Type};

    use super::*;

    #[test]
    fn a_file_never_has_more_than_the_mode_set_before_the_bind() {
        let path = std::env::temp_dir().join(format!("ss-mode-{}", process::id()));
        let socket = Socket::new(Domain::UNIX, Type::DGRAM, None).unwrap();
        set_mode_before_bind(socket.as_fd(), 0o600).unwrap();
        socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        fs::remove_file(&path).unwrap();
        assert_eq!(mode & 0o177, 0);
    }
}
