//! The transport whose requests come out of a script.

use std::io;
use std::time::Duration;

use super::request::ScriptedRequest;
use super::script::Script;
use crate::transport::{Bind, GetRequestError, Readiness, Transport, Wait, Waker};

/// A transport in memory. What happens is written into its [`Script`].
///
/// A wait with a limit and nothing in the script is over at once, in virtual time; one without a
/// limit blocks until something is scripted or the transport is woken. Sources are not watched.
#[derive(Debug, Default)]
pub struct ScriptedTransport {
    script: Script,
    timeout: Option<Duration>,
}

impl ScriptedTransport {
    /// A transport with an empty script.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a timeout of its own, as a socket can have.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The script, to be kept and written while the server has the transport.
    pub fn script(&self) -> Script {
        self.script.clone()
    }
}

impl Transport for ScriptedTransport {
    type Request = ScriptedRequest;

    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.script.wait(&wait)
    }

    fn waker(&self) -> Waker {
        let script = self.script();
        Waker::new(move || script.wake())
    }

    fn get_request(&self) -> Result<(ScriptedRequest, String), GetRequestError> {
        self.script.take()
    }

    fn local_addr(&self) -> io::Result<String> {
        Ok("script".to_owned())
    }

    fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

/// The address is the name of the first request.
impl Bind<&str> for ScriptedTransport {
    type Error = std::convert::Infallible;

    fn bind(first: &str) -> Result<Self, Self::Error> {
        let transport = Self::new();
        transport.script.request(first);
        Ok(transport)
    }
}
