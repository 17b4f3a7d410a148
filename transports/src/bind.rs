//! From an address to a bound socket: resolve, create, set options, bind. Each failure says where.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use socket2::{Domain, Protocol, Socket, Type};

use crate::error::{Attempt, BindError, BindStep};
use crate::ip_options::{IpOptions, Ipv6};
use crate::sys;

/// Resolves `address` and makes an attempt with each result until one works.
pub(crate) fn each_address<A, T>(
    address: &A,
    attempt: impl Fn(SocketAddr) -> Result<T, Attempt>,
) -> Result<T, BindError>
where
    A: ToSocketAddrs + fmt::Debug,
{
    let fail = |earlier, last| BindError::new(format!("{address:?}"), earlier, last);
    let unresolved = |error| Attempt::new(BindStep::Resolve, error);
    let candidates = match address.to_socket_addrs() {
        Ok(candidates) => candidates,
        Err(error) => return Err(fail(Vec::new(), unresolved(error))),
    };
    let mut failed = Vec::new();
    for candidate in candidates {
        match attempt(candidate) {
            Ok(made) => return Ok(made),
            Err(error) => failed.push(error),
        }
    }
    let last = failed.pop().unwrap_or_else(|| {
        unresolved(io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
    });
    Err(fail(failed, last))
}

/// Makes a bound socket for one address.
pub(crate) fn ip_socket(
    options: &IpOptions,
    kind: Type,
    protocol: Protocol,
    address: SocketAddr,
) -> Result<Socket, Attempt> {
    let at = |step| Attempt::at(&address, step);
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, kind, Some(protocol)).map_err(at(BindStep::Create))?;
    if options.reuse_address {
        socket.set_reuse_address(true).map_err(at(BindStep::Option("reuse_address")))?;
    }
    if options.reuse_port {
        sys::set_reuse_port(&socket).map_err(at(BindStep::Option("reuse_port")))?;
    }
    if domain == Domain::IPV6 && options.ipv6 != Ipv6::SystemDefault {
        let only = options.ipv6 == Ipv6::Only;
        socket.set_only_v6(only).map_err(at(BindStep::Option("ipv6")))?;
    }
    if let Some(hook) = &options.before_bind {
        hook(&socket).map_err(at(BindStep::BeforeBind))?;
    }
    socket.bind(&address.into()).map_err(at(BindStep::Bind))?;
    Ok(socket)
}

/// The IP address that a socket is bound to.
pub(crate) fn ip_address(socket: &Socket) -> io::Result<SocketAddr> {
    let no_ip = || io::Error::new(io::ErrorKind::InvalidData, "the socket has no IP address");
    socket.local_addr()?.as_socket().ok_or_else(no_ip)
}

/// Checks that an IP socket made elsewhere can be what a transport wants: of this type, and listening
/// if it is a stream.
pub(crate) fn check_adopted(socket: &Socket, kind: Type) -> Result<(), BindError> {
    let address = socket.local_addr().ok().and_then(|address| address.as_socket());
    let name =
        address.map_or_else(|| "an adopted socket".to_owned(), |address| address.to_string());
    let checked = check_kind(socket, kind, address.is_some(), "it has no IP address");
    checked.map_err(|error| adoption_failed(name, error))
}

/// The type and the family of an adopted socket, and whether it listens.
pub(crate) fn check_kind(
    socket: &Socket,
    kind: Type,
    family_fits: bool,
    otherwise: &str,
) -> io::Result<()> {
    if socket.r#type()? != kind {
        return Err(mistake(&format!("it is not a {} socket", name_of(kind))));
    }
    if !family_fits {
        return Err(mistake(otherwise));
    }
    if kind != Type::DGRAM && !sys::is_listening(socket)? {
        return Err(mistake("it does not listen"));
    }
    Ok(())
}

pub(crate) fn adoption_failed(name: String, error: io::Error) -> BindError {
    BindError::new(name, Vec::new(), Attempt::new(BindStep::Adopt, error))
}

fn name_of(kind: Type) -> &'static str {
    match kind {
        Type::STREAM => "stream",
        Type::DGRAM => "datagram",
        _ => "seqpacket",
    }
}

fn mistake(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
