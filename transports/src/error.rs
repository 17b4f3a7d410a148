//! Why a transport could not be made: which address, which step, what the system said.

use std::error::Error;
use std::fmt;
use std::io;

/// Why listening on an address failed.
///
/// A name may stand for several addresses; the error tells of each that was tried.
///
/// ```
/// use socketserver_transports::{BindStep, Tcp};
///
/// let error = Tcp::bind("127.0.0.1:port").unwrap_err();
/// assert_eq!(error.step(), BindStep::Resolve);
/// assert_eq!(
///     error.to_string(),
///     r#"cannot listen on "127.0.0.1:port": resolve the address: invalid port value"#
/// );
/// ```
pub struct BindError {
    address: String,
    /// The attempts before the last one.
    earlier: Vec<Attempt>,
    last: Attempt,
}

/// One attempt that failed.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// The one address of several that was tried.
    pub(crate) address: Option<String>,
    pub(crate) step: BindStep,
    pub(crate) error: io::Error,
}

impl Attempt {
    /// An attempt without an address of its own.
    pub(crate) const fn new(step: BindStep, error: io::Error) -> Self {
        Self { address: None, step, error }
    }

    /// A step that failed.
    #[cfg(unix)]
    pub(crate) fn of_step((step, error): (BindStep, io::Error)) -> Self {
        Self::new(step, error)
    }

    /// The same attempt with the address that it was made with, where the step is about one.
    #[cfg(unix)]
    pub(crate) fn with_address(mut self, address: &dyn fmt::Display) -> Self {
        if !matches!(self.step, BindStep::Resolve) {
            self.address = Some(address.to_string());
        }
        self
    }

    /// Makes an attempt of an error of `step`, to be given to `map_err`.
    pub(crate) fn at(address: &dyn fmt::Display, step: BindStep) -> impl FnOnce(io::Error) -> Self {
        move |error| Self { address: Some(address.to_string()), step, error }
    }
}

impl BindError {
    pub(crate) fn new(address: String, earlier: Vec<Attempt>, last: Attempt) -> Self {
        Self { address, earlier, last }
    }

    /// The address that was asked for, as its `Debug` shows it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The step that failed; with several addresses, for the last of them.
    pub fn step(&self) -> BindStep {
        self.last.step
    }

    /// The kind of what the system said; with several addresses, to the last of them.
    pub fn kind(&self) -> io::ErrorKind {
        self.last.error.kind()
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}: ", self.address)?;
        for attempt in &self.earlier {
            write!(f, "{attempt}; ")?;
        }
        write!(f, "{}", self.last)
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.step)?;
        if let Some(address) = &self.address {
            write!(f, " {address}")?;
        }
        write!(f, ": {}", self.error)
    }
}

/// The same text: `main` prints errors this way, and it tells all there is.
impl fmt::Debug for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.last.error)
    }
}

/// The steps on the way to a listening socket, in their order.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum BindStep {
    /// Making addresses of what was given.
    Resolve,
    /// Creating the socket.
    Create,
    /// Setting the option of this name.
    Option(&'static str),
    /// The user's hook before the bind.
    BeforeBind,
    /// Making room at a path that is taken by what may be a stale Unix socket.
    ReplaceStale,
    /// Binding.
    Bind,
    /// The user's hook before the listen.
    BeforeListen,
    /// Listening.
    Listen,
    /// Checking a socket that was made elsewhere.
    Adopt,
}

impl fmt::Display for BindStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve => f.write_str("resolve the address"),
            Self::Create => f.write_str("create a socket for"),
            Self::Option(name) => write!(f, "set {name} for"),
            Self::BeforeBind => f.write_str("the hook before the bind of"),
            Self::ReplaceStale => f.write_str("replace a stale socket at"),
            Self::Bind => f.write_str("bind"),
            Self::BeforeListen => f.write_str("the hook before the listen on"),
            Self::Listen => f.write_str("listen on"),
            Self::Adopt => f.write_str("adopt the socket"),
        }
    }
}
