//! TCP: a listening socket whose connections are the requests. CPython's `TCPServer`.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::Duration;

use socket2::{SockAddr, SockRef, Socket};
use socketserver_core::{Bind, GetRequestError, Readiness, Transport, Wait, Waker};

use crate::accept;
use crate::bind::ip_address;
use crate::connection::Connection;
use crate::error::{Attempt, BindError, BindStep};
use crate::options::{AcceptedOptions, TcpOptions};
use crate::reserve::Reserve;
use crate::wait::Waiter;

/// A TCP transport: listens on IPv4 or IPv6, whichever the address is.
///
/// ```
/// use socketserver_core::Transport;
/// use socketserver_transports::Tcp;
///
/// let tcp = Tcp::bind("127.0.0.1:0")?;
/// println!("listening on {}", tcp.local_addr()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An existing listener is adopted with `Tcp::from`, unchecked, or with
/// [`TcpOptions::adopt`], checked. It becomes non-blocking with the first wait, also for other processes
/// that share it.
#[derive(Debug)]
pub struct Tcp {
    socket: Socket,
    reserve: Reserve,
    accepted: AcceptedOptions,
    timeout: Option<Duration>,
    waiter: Waiter,
}

impl Tcp {
    /// Binds to `address` with the default options and listens.
    ///
    /// # Errors
    ///
    /// Those of [`TcpOptions::bind`].
    pub fn bind<A: ToSocketAddrs + fmt::Debug>(address: A) -> Result<Self, BindError> {
        Self::options().bind(address)
    }

    /// The default options, to be changed and bound.
    pub const fn options() -> TcpOptions {
        TcpOptions::new()
    }

    pub(crate) fn new(socket: Socket, options: &TcpOptions) -> Self {
        Self {
            reserve: Reserve::of(&socket, options.reserve_descriptor),
            socket,
            accepted: options.accepted.clone(),
            timeout: options.timeout,
            waiter: Waiter::new(),
        }
    }

    /// The listening socket.
    pub fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.socket)
    }

    pub(crate) fn raw(&self) -> &Socket {
        &self.socket
    }
}

impl Transport for Tcp {
    type Request = Connection<TcpStream>;

    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.waiter.wait(&self.socket, wait)
    }

    fn waker(&self) -> Waker {
        self.waiter.waker()
    }

    fn can_be_tried(&self) -> bool {
        true
    }

    fn get_request(&self) -> Result<(Self::Request, SocketAddr), GetRequestError> {
        self.waiter.prepare(&self.socket).map_err(accept::sorted)?;
        let (stream, client_address) = self.reserve.accept(&self.socket, SockAddr::as_socket)?;
        let stream = TcpStream::from(stream);
        self.accepted.apply(&stream);
        Ok((Connection::new(stream), client_address))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        ip_address(&self.socket)
    }

    fn after_fork(&mut self) {
        self.waiter.after_fork();
    }

    fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

impl<A: ToSocketAddrs + fmt::Debug> Bind<A> for Tcp {
    type Error = BindError;

    fn bind(address: A) -> Result<Self, BindError> {
        Self::bind(address)
    }
}

impl AcceptedOptions {
    fn apply(&self, stream: &TcpStream) {
        // A connection whose client has gone may refuse options; the handler will find out.
        if self.nodelay {
            let _ = stream.set_nodelay(true);
        }
        if let Some(keepalive) = &self.keepalive {
            let _ = SockRef::from(stream).set_tcp_keepalive(keepalive);
        }
    }
}

/// Adopts a listener as it is; see [`TcpOptions::adopt`] for one with checks and options.
impl From<TcpListener> for Tcp {
    fn from(listener: TcpListener) -> Self {
        Self::new(listener.into(), &Self::options())
    }
}

/// A bound socket that does not listen yet; see [`TcpOptions::bind_only`].
#[derive(Debug)]
#[must_use = "it refuses clients until it is activated"]
pub struct BoundTcp {
    socket: Socket,
    address: SocketAddr,
    options: TcpOptions,
}

impl BoundTcp {
    pub(crate) const fn new(socket: Socket, address: SocketAddr, options: TcpOptions) -> Self {
        Self { socket, address, options }
    }

    /// Starts to listen. CPython's `server_activate()`.
    ///
    /// # Errors
    ///
    /// [`BindStep::BeforeListen`] or [`BindStep::Listen`]; the socket is closed then.
    pub fn activate(self) -> Result<Tcp, BindError> {
        let address = self.address.to_string();
        self.listen().map_err(|attempt| BindError::new(address, Vec::new(), attempt))
    }

    /// The address the socket is bound to: with port 0 in the request, the real port is here.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        ip_address(&self.socket)
    }

    /// The bound socket.
    pub fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.socket)
    }

    pub(crate) fn raw(&self) -> &Socket {
        &self.socket
    }

    pub(crate) fn listen(self) -> Result<Tcp, Attempt> {
        let at = |step| Attempt::at(&self.address, step);
        if let Some(hook) = &self.options.before_listen {
            hook(&self.socket).map_err(at(BindStep::BeforeListen))?;
        }
        self.socket.listen(self.options.backlog).map_err(at(BindStep::Listen))?;
        Ok(Tcp::new(self.socket, &self.options))
    }
}
