//! The contract for who is let in: asked about each request that was accepted, before the service is.

use std::any::Any;
use std::fmt;

use crate::concurrency::Concurrency;
use crate::job::ServiceJob;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::server::Server;
use crate::service::Service;
use crate::sync::Arc;
use crate::transport::Transport;

/// Who is let in: limits by source, lists, quotas. CPython has nothing like it but `verify_request`.
///
/// A server [has](crate::Server::with_admission) none, or several, which are asked in their order, by the serving thread,
/// after the request was accepted and before `verify_request`. The first that says no ends it: the
/// [refusal](crate::Service::handle_refusal) is told to the service, the request is closed and counted in
/// [`Counts::turned_away`](crate::Counts::turned_away). For a packet that means that it is dropped.
///
/// Limits by address, lists of networks and limits by user are in the crate `socketserver-transports`.
///
/// # For implementers
///
/// It runs in the loop, which accepts nobody meanwhile: it must not block. What has to be given back is in the
/// [`Permit`]. A panic closes the request and unwinds out of the verb, as one of `verify_request` does.
///
/// # Examples
///
/// No more than so many at once with the same name:
///
#[cfg_attr(feature = "testing", doc = "```")]
#[cfg_attr(not(feature = "testing"), doc = "```ignore")]
/// use socketserver_core::testing::{Inline, RecordingService, ScriptedRequest, ScriptedTransport};
/// use socketserver_core::{Admission, Handled, Permit, Refusal, Server};
/// use std::sync::Arc;
///
/// /// Lets in as many as the references to it allow.
/// struct Quota {
///     used: Arc<()>,
///     most: usize,
/// }
///
/// impl Admission<ScriptedRequest> for Quota {
///     fn admit(&self, request: &ScriptedRequest, _: &String) -> Result<Permit, Refusal> {
///         if request.name() == "a stranger" {
///             return Err(Refusal::Denied);
///         }
///         // One is the quota's own.
///         if Arc::strong_count(&self.used) > self.most {
///             return Err(Refusal::Source);
///         }
///         Ok(Permit::holding(Arc::clone(&self.used)))
///     }
/// }
///
/// let transport = ScriptedTransport::new();
/// transport.script().request("a friend").request("a stranger");
/// let mut server = Server::new(transport, Inline, RecordingService::new())
///     .with_admission(Quota { used: Arc::new(()), most: 1 });
/// assert!(matches!(server.handle_request()?, Handled::Served));
/// assert!(matches!(server.handle_request()?, Handled::Refused));
/// assert_eq!(server.counts().turned_away.denied, 1);
/// # Ok::<(), socketserver_core::ServeError>(())
/// ```
pub trait Admission<R: Request>: Send + Sync {
    /// Whether the request is let in. The permit is kept until the request has left, and then dropped, by whichever
    /// thread that is.
    ///
    /// # Errors
    ///
    /// Why it is not.
    fn admit(&self, request: &R, client_address: &R::Addr) -> Result<Permit, Refusal>;
}

/// The admission behind the pointer.
impl<R: Request, T: Admission<R> + ?Sized> Admission<R> for Arc<T> {
    fn admit(&self, request: &R, client_address: &R::Addr) -> Result<Permit, Refusal> {
        (**self).admit(request, client_address)
    }
}

impl<T, C, S> Server<T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// The same server, but `admission` is asked, too, who is let in; after those that were given before.
    #[must_use]
    pub fn with_admission(mut self, admission: impl Admission<T::Request> + 'static) -> Self {
        self.admissions.0.push(Box::new(admission));
        self
    }
}

/// What a request holds that was let in. Dropping it gives back what there is to give back.
#[must_use = "dropping it gives back what the request holds"]
pub struct Permit(Option<Box<dyn Any + Send>>);

impl Permit {
    /// A permit that holds nothing. It costs nothing.
    pub const fn none() -> Self {
        Self(None)
    }

    /// A permit that holds `place`: its `Drop` gives back what was taken.
    pub fn holding(place: impl Any + Send) -> Self {
        Self(Some(Box::new(place)))
    }

    const fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("holds", &self.0.is_some()).finish()
    }
}

/// All admissions of a server, in their order.
pub(crate) struct Admissions<R>(Vec<Box<dyn Admission<R>>>);

impl<R: Request> Admissions<R> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks all. When one says no, what the ones before it gave is given back.
    pub(crate) fn ask(
        &self,
        request: &R,
        client_address: &R::Addr,
    ) -> Result<Vec<Permit>, Refusal> {
        let mut permits = Vec::new();
        for admission in &self.0 {
            let permit = admission.admit(request, client_address)?;
            if !permit.is_none() {
                permits.push(permit);
            }
        }
        Ok(permits)
    }
}

impl<R> fmt::Debug for Admissions<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Admissions").field(&self.0.len()).finish()
    }
}
