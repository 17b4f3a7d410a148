//! A service that does what its clients say, and stops its server in the hook it is told to.

use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use socketserver::prelude::*;

/// What the service and the test say to one another.
#[derive(Default)]
pub(crate) struct Orders {
    /// In which hook the server is to be stopped, once.
    pub(crate) stop_in: Mutex<Option<Place>>,
    /// What came of that.
    pub(crate) stopped: OnceLock<Result<StopOrder, ShutdownError>>,
    pub(crate) stop: OnceLock<ShutdownHandle>,
    /// An endless computation is over after all.
    pub(crate) enough: AtomicBool,
}

/// A hook.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    Verify,
    ServiceActions,
    OnError,
}

impl Orders {
    fn reached(&self, place: Place) {
        let is_meant = self.stop_in.lock().unwrap().take_if(|meant| *meant == place).is_some();
        if is_meant {
            let _ = self.stopped.set(self.stop.get().unwrap().shutdown());
        }
    }
}

/// The service for any transport.
pub(crate) fn service<C: StreamRequest + 'static>(
    orders: &Arc<Orders>,
) -> impl Service<C> + Send + Sync + use<C> {
    let [own, verify, actions, error] = [(); 4].map(|()| Arc::clone(orders));
    StreamService::new(move || Obey(Arc::clone(&own)))
        .verify(move |_: &C, _| {
            verify.reached(Place::Verify);
            true
        })
        .on_service_actions(move |_| actions.reached(Place::ServiceActions))
        .on_error(move |_, _, _| error.reached(Place::OnError))
}

struct Obey(Arc<Orders>);

impl<C: StreamRequest> StreamRequestHandler<C> for Obey {
    fn handle(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        let mut line = String::new();
        while stream.while_idle(|rfile| rfile.read_line(&mut line))? > 0 {
            stream.wfile.write_all(line.as_bytes())?;
            match line.trim_end() {
                "stop" => drop(stream.server.request_shutdown()),
                "fail" => return Err("as I was told".into()),
                "read" => drop(stream.rfile.read_line(&mut line)?),
                "write" => loop {
                    stream.wfile.write_all(&[0; 10_000])?;
                },
                "compute" => {
                    while !self.0.enough.load(Ordering::Relaxed) {
                        thread::yield_now();
                    }
                }
                _ => {}
            }
            line.clear();
        }
        Ok(())
    }
}
