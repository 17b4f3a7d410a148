//! What Unix sockets have on systems other than Linux. `platform_linux` provides the same names.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::SocketAddr;

use rustix::net::SocketAddrUnix;

use super::addr::UnixAddr;
use super::credentials::PeerCredentials;

/// The longest path; one byte more ends it.
pub(crate) const LONGEST_PATH: usize = 103;

fn linux_only(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, what)
}

pub(crate) fn abstract_address(_name: &[u8]) -> io::Result<SocketAddrUnix> {
    Err(linux_only("only Linux has abstract names"))
}

pub(crate) fn autobind_address() -> io::Result<SocketAddrUnix> {
    Err(linux_only("only Linux picks names for sockets"))
}

pub(crate) fn abstract_name_of(_address: &SocketAddr) -> Option<&[u8]> {
    None
}

pub(crate) fn abstract_name_in(_address: &SocketAddrUnix) -> Option<&[u8]> {
    None
}

/// There is no such thing; the mode is set after binding.
#[expect(clippy::unnecessary_wraps, reason = "the same signature as elsewhere")]
pub(crate) fn set_mode_before_bind(_socket: BorrowedFd<'_>, _mode: u32) -> io::Result<()> {
    Ok(())
}

pub(crate) fn pass_credentials(_socket: BorrowedFd<'_>) -> io::Result<()> {
    Err(linux_only("only Linux tells who sent a packet"))
}

/// No socket is made that would need it.
pub(crate) fn receive_with_credentials(
    _socket: &impl AsFd,
    _buffer: &mut [u8],
) -> io::Result<(usize, UnixAddr, Option<PeerCredentials>)> {
    Err(linux_only("only Linux tells who sent a packet"))
}

#[cfg(target_vendor = "apple")]
pub(crate) fn peer_credentials(socket: BorrowedFd<'_>) -> io::Result<PeerCredentials> {
    use nix::sys::socket::{getsockopt, sockopt};

    let (uid, gid) = nix::unistd::getpeereid(socket)?;
    let pid = getsockopt(&socket, sockopt::LocalPeerPid).ok();
    let pid = pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid != 0);
    Ok(PeerCredentials::new(pid, uid.as_raw(), gid.as_raw()))
}

#[cfg(any(
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
))]
pub(crate) fn peer_credentials(socket: BorrowedFd<'_>) -> io::Result<PeerCredentials> {
    let (uid, gid) = nix::unistd::getpeereid(socket)?;
    Ok(PeerCredentials::new(None, uid.as_raw(), gid.as_raw()))
}

#[cfg(not(any(
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
)))]
pub(crate) fn peer_credentials(_socket: BorrowedFd<'_>) -> io::Result<PeerCredentials> {
    Err(linux_only("this system does not tell who a client is"))
}
