//! Taking one request, with a limit on the time.

use std::time::Duration;

use socketserver_core::{GetRequestError, Readiness, Request, Transport, Wait};

/// How long anything may take before a test fails.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A request with the address of its client.
type Accepted<R> = (R, <R as Request>::Addr);

/// Waits for a request and takes it.
pub(crate) fn take<T: Transport>(transport: &T) -> Accepted<T::Request> {
    try_take(transport).unwrap()
}

/// Waits until the transport is ready and tries to take a request.
pub(crate) fn try_take<T: Transport>(
    transport: &T,
) -> Result<Accepted<T::Request>, GetRequestError> {
    let readiness = transport.wait(Wait::for_request().timeout(Some(LIMIT))).unwrap();
    assert_eq!(readiness, Readiness::Request);
    transport.get_request()
}

/// Asserts that no request is there.
pub(crate) fn assert_idle<T: Transport>(transport: &T) {
    let wait = Wait::for_request().timeout(Some(Duration::ZERO));
    assert_eq!(transport.wait(wait).unwrap(), Readiness::TimedOut);
}
