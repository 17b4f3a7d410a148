//! What Unix sockets have on Linux only. `platform_bsd` provides the same names.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;

use nix::sys::socket::{
    self, ControlMessageOwned, MsgFlags, SockaddrLike, UnixCredentials, getsockopt, sockopt,
};
use rustix::net::SocketAddrUnix;

use super::addr::UnixAddr;
use super::credentials::PeerCredentials;
use super::datagram::LONGEST;

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
    Ok(credentials(&getsockopt(&socket, sockopt::PeerCredentials)?))
}

fn credentials(peer: &UnixCredentials) -> PeerCredentials {
    // A process that this one's namespace does not have is number 0.
    let pid = u32::try_from(peer.pid()).ok().filter(|pid| *pid != 0);
    PeerCredentials::new(pid, peer.uid(), peer.gid())
}

/// Asks the system to tell with each packet who sent it.
pub(crate) fn pass_credentials(socket: BorrowedFd<'_>) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_passcred(socket, true)?)
}

/// Room for the credentials and nothing else: descriptors that a client attaches find none, so that they
/// are not opened here. Aligned as the system's header is.
#[repr(align(8))]
struct Control([u8; CONTROL]);

const CONTROL: usize = rustix::cmsg_aligned_space!(ScmCredentials(1));

/// Receives one packet, without blocking, and who sent it, if the system tells.
pub(crate) fn receive_with_credentials(
    socket: &impl AsFd,
    buffer: &mut [u8],
) -> io::Result<(usize, UnixAddr, Option<PeerCredentials>)> {
    let mut control = Control([0; CONTROL]);
    let mut data = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
    let socket = socket.as_fd().as_raw_fd();
    let received = socket::recvmsg(socket, &mut data, Some(&mut control.0), flags)?;
    // It is an error when something did not find room: then nothing is read.
    let credentials = received.cmsgs().ok().and_then(|mut messages| {
        messages.find_map(|message| match message {
            ControlMessageOwned::ScmCredentials(sender) => Some(credentials(&sender)),
            _ => None,
        })
    });
    Ok((received.bytes, received.address.as_ref().map_or(UnixAddr::unnamed(), sender), credentials))
}

/// The length is looked at first: nix panics at one that is too short, which is that of an unnamed sender,
/// and reads beyond the address at one that is too long.
fn sender(address: &socket::UnixAddr) -> UnixAddr {
    const FAMILY: usize = size_of::<rustix::net::RawAddressFamily>();
    let known = usize::try_from(address.len()).is_ok_and(|len| (FAMILY..=LONGEST).contains(&len));
    if !known {
        return UnixAddr::unnamed();
    }
    match (address.path(), address.as_abstract()) {
        (Some(path), _) => UnixAddr::path(path.as_os_str().as_bytes()),
        (None, Some(name)) => UnixAddr::abstract_name(name),
        (None, None) => UnixAddr::unnamed(),
    }
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
