//! The handler for packets and what it works with: CPython's `DatagramRequestHandler`.

use std::fmt;
use std::io::Cursor;

use socketserver_core::{DatagramRequest, HandlerResult, ServerHandle};

/// A handler for packets, with `rfile` and `wfile`.
///
/// The order of the steps is told [at the crate's root](crate#the-life-of-a-handler). After `finish`,
/// what is in `wfile` is sent as one datagram, unless the handler failed; see
/// [`DatagramService`](crate::DatagramService).
pub trait DatagramRequestHandler<R: DatagramRequest> {
    /// Prepares. The default does nothing.
    ///
    /// # Errors
    ///
    /// Goes to `handle_error`; neither `handle` nor `finish` is called.
    fn setup(&mut self, exchange: &mut DatagramExchange<'_, R>) -> HandlerResult {
        let _ = exchange;
        Ok(())
    }

    /// Serves the client.
    ///
    /// # Errors
    ///
    /// Goes to `handle_error`, after `finish`. No reply is sent; CPython sends what there is of it.
    fn handle(&mut self, exchange: &mut DatagramExchange<'_, R>) -> HandlerResult;

    /// Cleans up, also after `handle` failed. The default does nothing.
    ///
    /// # Errors
    ///
    /// Goes to `handle_error`. No reply is sent.
    fn finish(&mut self, exchange: &mut DatagramExchange<'_, R>) -> HandlerResult {
        let _ = exchange;
        Ok(())
    }
}

/// One packet of a datagram handler and the reply to it, as two files, and all there is to know about
/// them.
#[non_exhaustive]
pub struct DatagramExchange<'a, R: DatagramRequest> {
    /// What the client sent. It is all there, so reading never blocks.
    pub rfile: Cursor<&'a [u8]>,
    /// Collects the reply. All of it is sent when the handler finishes, wherever its position is then.
    pub wfile: Cursor<Vec<u8>>,
    /// The request itself: to send more than one reply, or at once. CPython's `self.socket` is behind
    /// it.
    pub request: &'a R,
    /// The client's address.
    pub client_address: &'a R::Addr,
    /// The server, to stop it or read its counts.
    pub server: &'a ServerHandle,
}

impl<'a, R: DatagramRequest> DatagramExchange<'a, R> {
    /// The reply is collected in `reply`, which is empty.
    pub(crate) fn new(
        request: &'a R,
        client_address: &'a R::Addr,
        server: &'a ServerHandle,
        reply: Vec<u8>,
    ) -> Self {
        Self {
            rfile: Cursor::new(request.packet()),
            wfile: Cursor::new(reply),
            request,
            client_address,
            server,
        }
    }

    /// The whole packet; CPython's `self.packet`.
    pub fn packet(&self) -> &'a [u8] {
        self.request.packet()
    }

    /// Whether the packet was longer than what the server kept of it. CPython cannot tell.
    pub fn is_truncated(&self) -> bool {
        self.request.is_truncated()
    }
}

impl<R: DatagramRequest> fmt::Debug for DatagramExchange<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatagramExchange")
            .field("client_address", self.client_address)
            .field("packet", &self.packet().len())
            .field("reply", &self.wfile.get_ref().len())
            .finish_non_exhaustive()
    }
}
