//! What the suite has to know of a transport: how to make it, and how to be a client of it.

use std::fmt::Debug;
use std::time::Duration;

use socketserver_core::{GetRequestError, Readiness, Request, Transport, Wait};
use socketserver_transports::BindError;

use crate::folder::Folder;

/// How long anything may take before a test fails.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The address of a server or of a client.
pub(crate) type Addr<S> = <<<S as Subject>::Transport as Transport>::Request as Request>::Addr;

/// A request of the transport.
pub(crate) type RequestOf<S> = <<S as Subject>::Transport as Transport>::Request;

/// A transport to be tested.
pub(crate) trait Subject {
    type Transport: Transport<Request: Send> + Debug + Send;
    type Client: Client<Self>;

    /// Binds to a fresh address.
    fn bind(folder: &Folder) -> Self::Transport;

    /// The same with a timeout of its own.
    fn bind_with_timeout(folder: &Folder, timeout: Duration) -> Self::Transport;

    /// Binds to an address that another one had.
    fn bind_again(address: &Addr<Self>) -> Result<Self::Transport, BindError>;

    /// Adopts a socket that was bound without this library.
    fn adopt(folder: &Folder) -> Self::Transport;

    /// Tries to adopt a socket of another type.
    fn adopt_wrong_type() -> Result<Self::Transport, BindError>;

    /// A client with an address, if clients of this kind can have one.
    fn connect(server: &Addr<Self>, folder: &Folder) -> Self::Client;

    /// Reads so many bytes of the request.
    fn read(request: &RequestOf<Self>, length: usize) -> Vec<u8>;

    fn reply(request: &RequestOf<Self>, data: &[u8]);
}

/// A client, for as many bytes as fit into one message.
pub(crate) trait Client<S: Subject + ?Sized> {
    fn address(&self) -> Addr<S>;
    fn send(&mut self, data: &[u8]);
    fn receive(&mut self, length: usize) -> Vec<u8>;
}

/// Waits for a request and takes it.
pub(crate) fn take<T: Transport>(transport: &T) -> (T::Request, <T::Request as Request>::Addr) {
    let readiness = transport.wait(Wait::for_request().timeout(Some(LIMIT))).unwrap();
    assert_eq!(readiness, Readiness::Request);
    transport.get_request().unwrap()
}

/// Asserts that there is nothing to take, although somebody said so.
pub(crate) fn assert_not_ready<T: Transport>(transport: &T) {
    match transport.get_request() {
        Err(GetRequestError::NotReady) => {}
        Err(error) => panic!("{error:?}"),
        Ok((_, address)) => panic!("a request of {address:?}"),
    }
}
