//! What several test files need: servers over a script, and a service that is a closure.

use socketserver_core::testing::{
    Calls, Inline, RecordingService, Script, ScriptedRequest, ScriptedTransport,
};
use socketserver_core::{HandlerResult, PollInterval, Server, ServerConfig, ServerHandle, Service};

pub(crate) type Recorded = Server<ScriptedTransport, Inline, RecordingService>;

/// A server that runs each request in place, with what to write and to read afterwards.
pub(crate) fn server(service: RecordingService) -> (Recorded, Script, Calls) {
    let transport = ScriptedTransport::new();
    let (script, calls) = (transport.script(), service.calls());
    (Server::new(transport, Inline, service), script, calls)
}

/// A configuration under which an idle server sleeps until it is woken.
pub(crate) fn sleepy() -> ServerConfig {
    ServerConfig::new().poll_interval(PollInterval::Never)
}

/// A service whose `finish_request` is a closure.
pub(crate) struct Do<F>(pub(crate) F);

impl<F> Service<ScriptedRequest> for Do<F>
where
    F: Fn(&mut ScriptedRequest, &ServerHandle) -> HandlerResult,
{
    fn finish_request(
        &self,
        request: &mut ScriptedRequest,
        _client: &String,
        server: &ServerHandle,
    ) -> HandlerResult {
        (self.0)(request, server)
    }
}

/// A server whose requests are served by a closure, in place.
pub(crate) fn server_of<F>(handle: F) -> (Server<ScriptedTransport, Inline, Do<F>>, Script)
where
    F: Fn(&mut ScriptedRequest, &ServerHandle) -> HandlerResult,
{
    let transport = ScriptedTransport::new();
    let script = transport.script();
    (Server::new(transport, Inline, Do(handle)), script)
}
