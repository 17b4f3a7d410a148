//! From an address to a bound socket: resolve, create, set options, bind. Each failure says where.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use socket2::{Domain, Protocol, Socket, Type};

use crate::error::{Attempt, BindError, BindStep};
use crate::options::{Ipv6, TcpOptions};
use crate::sys;
use crate::tcp::BoundTcp;

/// Resolves `address` and makes an attempt with each result until one works.
pub(crate) fn each_address<A, T>(
    address: &A,
    attempt: impl Fn(SocketAddr) -> Result<T, Attempt>,
) -> Result<T, BindError>
where
    A: ToSocketAddrs + fmt::Debug,
{
    let fail = |earlier, last| BindError::new(format!("{address:?}"), earlier, last);
    let unresolved = |error| Attempt { address: None, step: BindStep::Resolve, error };
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
pub(crate) fn bind(options: &TcpOptions, address: SocketAddr) -> Result<BoundTcp, Attempt> {
    let at = |step| move |error| Attempt { address: Some(address), step, error };
    let domain = Domain::for_address(address);
    let socket =
        Socket::new(domain, Type::STREAM, Some(Protocol::TCP)).map_err(at(BindStep::Create))?;
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
    Ok(BoundTcp::new(socket, address, options.clone()))
}

/// Checks that a socket made elsewhere can be a TCP listener.
pub(crate) fn check_adopted(socket: &Socket) -> Result<(), BindError> {
    let address = socket.local_addr().ok().and_then(|address| address.as_socket());
    let error = match socket.r#type() {
        Err(error) => error,
        Ok(Type::STREAM) if address.is_none() => mistake("it is not a TCP socket"),
        Ok(Type::STREAM) => match sys::is_listening(socket) {
            Ok(true) => return Ok(()),
            Ok(false) => mistake("it does not listen"),
            Err(error) => error,
        },
        Ok(_) => mistake("it is not a stream socket"),
    };
    let name =
        address.map_or_else(|| "an adopted socket".to_owned(), |address| address.to_string());
    Err(BindError::new(name, Vec::new(), Attempt { address: None, step: BindStep::Adopt, error }))
}

fn mistake(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
