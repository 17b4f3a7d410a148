//! The service that makes a datagram handler for each packet, and its options.

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socketserver_core::{DatagramRequest, HandlerResult, ServerHandle, Service};

use crate::datagram::{DatagramExchange, DatagramRequestHandler};
use crate::life;

/// A service that makes a [`DatagramRequestHandler`] for each packet, and sends its reply.
///
/// The reply is what the handler wrote to `wfile`, in one datagram, sent when the handler has finished
/// without a failure; a wish to [exit](socketserver_core::HandlerError::exit) is none. A reply that
/// cannot be sent (it is too large for a datagram, the client has no address) is an error like the
/// handler's own.
///
/// CPython differs in two points: it sends an empty datagram when nothing was written (see
/// [`reply_when_empty`](Self::reply_when_empty)), and it sends what a handler had written before it
/// failed.
#[derive(Clone, Debug)]
#[must_use]
pub struct DatagramService<F> {
    factory: F,
    reply_when_empty: bool,
    spare: Spare,
}

impl<F> DatagramService<F> {
    /// A service of the handlers that `factory` makes.
    ///
    /// ```
    /// use socketserver_core::{DatagramRequest, HandlerResult};
    /// use socketserver_handlers::{DatagramExchange, DatagramRequestHandler, DatagramService};
    /// use std::io::{BufRead, Write};
    ///
    /// /// Answers with the first line only.
    /// struct FirstLine;
    ///
    /// impl<R: DatagramRequest> DatagramRequestHandler<R> for FirstLine {
    ///     fn handle(&mut self, exchange: &mut DatagramExchange<'_, R>) -> HandlerResult {
    ///         let mut line = Vec::new();
    ///         exchange.rfile.read_until(b'\n', &mut line)?;
    ///         exchange.wfile.write_all(&line)?;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let service = DatagramService::new(|| FirstLine).reply_when_empty(true);
    /// ```
    pub const fn new<H>(factory: F) -> Self
    where
        F: Fn() -> H,
    {
        Self { factory, reply_when_empty: false, spare: Spare::new() }
    }

    /// Whether an empty datagram is sent when a handler has written nothing, as CPython does. The
    /// default is not to.
    ///
    /// A client without an address gets none then, without an error.
    pub const fn reply_when_empty(mut self, reply: bool) -> Self {
        self.reply_when_empty = reply;
        self
    }

    /// What CPython's `finish` does.
    fn reply<R: DatagramRequest>(&self, request: &R, reply: &[u8]) -> HandlerResult {
        if !reply.is_empty() {
            request.reply(reply)?;
        } else if self.reply_when_empty {
            match request.reply(reply) {
                // There is nothing to say, and nobody to say it to.
                Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable => {}
                result => result?,
            }
        }
        Ok(())
    }
}

impl<R, F, H> Service<R> for DatagramService<F>
where
    R: DatagramRequest,
    F: Fn() -> H,
    H: DatagramRequestHandler<R>,
{
    fn finish_request(
        &self,
        request: &mut R,
        client_address: &R::Addr,
        server: &ServerHandle,
    ) -> HandlerResult {
        let handler = (self.factory)();
        let exchange = DatagramExchange::new(&*request, client_address, server, self.spare.take());
        let mut state = (handler, exchange, Handled::Failed);
        let result = life::run(
            &mut state,
            |(handler, exchange, _)| handler.setup(exchange),
            |(handler, exchange, handled)| {
                let result = handler.handle(exchange);
                *handled = Handled::of(&result);
                result
            },
            |(handler, exchange, handled)| {
                handler.finish(exchange)?;
                match handled {
                    Handled::Well => self.reply(exchange.request, exchange.wfile.get_ref()),
                    Handled::Failed => Ok(()),
                }
            },
        );
        self.spare.put_back(mem::take(state.1.wfile.get_mut()));
        result
    }
}

/// How `handle` went; after a panic nobody says that it went well.
enum Handled {
    Well,
    Failed,
}

impl Handled {
    fn of(result: &HandlerResult) -> Self {
        match result {
            Err(error) if error.exit_status().is_none() => Self::Failed,
            _ => Self::Well,
        }
    }
}

/// Buffers of earlier replies, so that a reply costs no allocation.
#[derive(Debug)]
struct Spare(Mutex<Vec<Vec<u8>>>);

impl Spare {
    /// How many are kept.
    const KEPT: usize = 16;
    /// No datagram is longer than this over IP; what has grown beyond is not worth keeping.
    const LARGEST: usize = 64 * 1024;

    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn take(&self) -> Vec<u8> {
        self.lock().pop().unwrap_or_default()
    }

    fn put_back(&self, mut reply: Vec<u8>) {
        let mut spare = self.lock();
        if spare.len() < Self::KEPT && (1..=Self::LARGEST).contains(&reply.capacity()) {
            reply.clear();
            spare.push(reply);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        // No code that panics half-way runs under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A copy of a service has buffers of its own.
impl Clone for Spare {
    fn clone(&self) -> Self {
        Self::new()
    }
}

/// A service whose handler is a closure.
///
/// If the compiler asks for types, name the request's:
/// `|exchange: &mut DatagramExchange<'_, Datagram<UdpSocket>>| …`.
///
/// ```
/// use socketserver_core::{DatagramRequest, Service};
/// use socketserver_handlers::{DatagramExchange, datagram_fn};
/// use std::io::Write;
///
/// fn upper<R: DatagramRequest>() -> impl Service<R> {
///     datagram_fn(|exchange: &mut DatagramExchange<'_, R>| {
///         exchange.wfile.write_all(&exchange.packet().to_ascii_uppercase())?;
///         Ok(())
///     })
/// }
/// ```
pub fn datagram_fn<R, F>(handle: F) -> DatagramService<impl Fn() -> DatagramFn<F>>
where
    R: DatagramRequest,
    F: Fn(&mut DatagramExchange<'_, R>) -> HandlerResult,
{
    let handle = Arc::new(handle);
    DatagramService::new(move || DatagramFn(Arc::clone(&handle)))
}

/// The handler of [`datagram_fn`].
pub struct DatagramFn<F>(Arc<F>);

impl<R, F> DatagramRequestHandler<R> for DatagramFn<F>
where
    R: DatagramRequest,
    F: Fn(&mut DatagramExchange<'_, R>) -> HandlerResult,
{
    fn handle(&mut self, exchange: &mut DatagramExchange<'_, R>) -> HandlerResult {
        (self.0)(exchange)
    }
}

impl<F> fmt::Debug for DatagramFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DatagramFn").finish_non_exhaustive()
    }
}
