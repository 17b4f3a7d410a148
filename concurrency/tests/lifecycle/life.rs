//! One server from its beginning to its end: what is done to it, and what must hold after each step.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socketserver_core::testing::{Script, ScriptedClient, ScriptedTransport};
use socketserver_core::{Backlog, Drain, ServeError, ServerHandle, ShutdownHandle};

use crate::command::{Deed, Kind, Staged};
use crate::subject::{Runs, Subject};
use crate::world::World;

/// Nothing takes this long: what does hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that lives.
pub(crate) struct Life {
    runs: Runs,
    script: Script,
    world: World,
    handle: ServerHandle,
    /// One family of handles for the crowd.
    stop: ShutdownHandle,
    place: Place,
    /// How many had been accepted when it was closed.
    closed: Option<u64>,
    crowd: Vec<JoinHandle<()>>,
    /// The greatest limit that there has been.
    ceiling: usize,
}

/// Where the server is.
enum Place {
    Home(Box<dyn Subject>),
    /// In a thread that serves.
    Away(JoinHandle<Box<dyn Subject>>, ShutdownHandle),
    /// Only in between.
    Nowhere,
}

impl Life {
    pub(crate) fn new(runs: Runs, most: usize) -> Self {
        let transport = ScriptedTransport::new();
        let (script, world) = (transport.script(), World::default());
        let server = runs.server(transport, world.clone(), most);
        Self {
            runs,
            script,
            world,
            handle: server.handle(),
            stop: server.shutdown_handle(),
            place: Place::Home(server),
            closed: None,
            crowd: Vec::new(),
            ceiling: most,
        }
    }

    pub(crate) fn deliver(&self, kind: Kind) {
        if matches!(kind, Kind::Idle | Kind::Busy) {
            // What is known of it must be there before it is accepted.
            let client = ScriptedClient::new();
            let name = self.world.expect(kind, Some(client.clone()));
            self.script.connect_client(name, &client);
        } else {
            self.script.request(self.world.expect(kind, None));
        }
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// The server without a thread that serves: stopped, if there is one.
    fn home(&mut self) -> Box<dyn Subject> {
        match std::mem::replace(&mut self.place, Place::Nowhere) {
            Place::Home(server) => server,
            Place::Away(thread, stop) => {
                stop.request();
                if self.runs.in_loop() {
                    self.world.release_all();
                }
                patiently("the loop ends", move || thread.join().unwrap())
            }
            Place::Nowhere => panic!("the server was lost in an earlier step"),
        }
    }

    /// Does something with the server at home that may take its time.
    fn at_home<R: Send + 'static>(
        &mut self,
        what: &'static str,
        run: impl FnOnce(&mut dyn Subject) -> R + Send + 'static,
    ) -> R {
        let mut server = self.home();
        if self.runs.in_loop() {
            self.world.release_all();
        }
        let (server, result) = patiently(what, move || {
            let result = run(&mut *server);
            (server, result)
        });
        self.place = Place::Home(server);
        result
    }

    pub(crate) fn serve(&mut self) {
        let mut server = self.home();
        // Its own family: no stop of it is a repeat.
        let stop = server.shutdown_handle();
        let closed = self.closed.is_some();
        let serving = move || {
            // A hook that panics unwinds out of the verb, and the server is as good as before.
            let ended = catch_unwind(AssertUnwindSafe(|| server.serve_forever()));
            match ended {
                Ok(Err(ServeError::Closed)) => assert!(closed),
                Ok(Err(error)) => panic!("{error}"),
                Ok(Ok(_)) | Err(_) => {}
            }
            server
        };
        self.place = Place::Away(thread::spawn(serving), stop);
    }

    pub(crate) fn stop(&mut self) {
        let server = self.home();
        self.place = Place::Home(server);
    }

    pub(crate) fn handle_one(&mut self) {
        self.at_home("one request", |server| {
            // As above.
            let _ = catch_unwind(AssertUnwindSafe(|| server.handle_request().map(drop)));
        });
    }

    /// From when nobody is inside to when it is resumed, nothing comes in.
    pub(crate) fn pause(&mut self) {
        self.disperse();
        self.handle.suspend();
        // A handler that is inside could resume it.
        if self.handle.wait_until_at_most(0, Duration::from_millis(2)) && self.handle.is_suspended()
        {
            let accepted = self.handle.counts().accepted;
            self.deliver(Kind::Quick);
            let waits = self.script.waits();
            // Wakes the loop, which looks again.
            self.handle.suspend();
            self.away_until("a turn", || self.script.waits() > waits);
            assert_eq!(self.handle.counts().accepted, accepted, "it is suspended");
        }
        self.handle.resume();
    }

    /// With nobody who blocks and nothing that forbids it, all that is there is served.
    pub(crate) fn settle(&mut self) {
        self.disperse();
        // Not without need: it would make up for a wake that was lost.
        if self.handle.is_suspended() {
            self.handle.resume();
        }
        if self.handle.max_connections() == Some(0) {
            self.handle.set_max_connections(Some(1));
        }
        self.world.release_all();
        self.away_until("the backlog is served", || self.script.backlog() == 0);
    }

    /// Waits until `done`, or until the server serves no more.
    fn away_until(&self, what: &str, done: impl Fn() -> bool) {
        let Place::Away(thread, _) = &self.place else { return };
        let begun = Instant::now();
        while !done() && !thread.is_finished() {
            assert!(begun.elapsed() < PATIENCE, "{what}: hangs");
            thread::yield_now();
        }
    }

    pub(crate) fn crowd(&mut self, deeds: Vec<Deed>) {
        for deed in deeds {
            if let Deed::Limit(most) = deed {
                self.ceiling = self.ceiling.max(most);
            }
            let (handle, stop, world) =
                (self.handle.clone(), self.stop.clone(), self.world.clone());
            self.crowd.push(thread::spawn(move || act(deed, &handle, &stop, &world)));
        }
    }

    /// Waits for the crowd. What it may wait for itself is let happen.
    fn disperse(&mut self) {
        if self.crowd.is_empty() {
            return;
        }
        // Who has stopped a loop and waits needs its handler to end, if that is in the loop.
        if self.runs.in_loop() {
            self.world.release_all();
        }
        let crowd = std::mem::take(&mut self.crowd);
        patiently("the crowd", move || crowd.into_iter().for_each(|one| one.join().unwrap()));
    }

    pub(crate) fn drain(&mut self, staged: Staged) {
        let drain = Drain::new()
            .deadline(Duration::from_millis(staged.deadline))
            .grace(Duration::from_millis(staged.grace))
            .backlog(if staged.backlog { Backlog::Serve } else { Backlog::Leave });
        let report = self.at_home("a drain", move |server| server.drain(drain));
        let counts = self.handle.counts();
        let clean = report.is_clean() && report.requests_left == 0;
        assert!(!clean || counts.in_progress() == 0, "{report:?} {counts:?}");
        assert!(report.stuck.len() <= report.requests_left, "{report:?}");
        self.is_closed();
    }

    pub(crate) fn close(&mut self) {
        // Closing waits for handlers: somebody lets them go meanwhile.
        let world = self.world.clone();
        let letting_go = thread::spawn(move || world.release_all());
        self.at_home("closing", |server| server.close());
        letting_go.join().unwrap();
        self.is_closed();
    }

    /// Nothing is accepted from here on.
    fn is_closed(&mut self) {
        let accepted = self.handle.counts().accepted;
        assert_eq!(*self.closed.get_or_insert(accepted), accepted);
    }

    /// What holds at any time.
    pub(crate) fn check(&self) {
        let counts = self.handle.counts();
        let (backlog, delivered) = (self.script.backlog(), self.world.delivered());
        assert!(self.world.most_inside() <= self.ceiling, "{}", self.world.most_inside());
        assert!(self.handle.live_requests() <= self.ceiling);
        if let Some(accepted) = self.closed {
            assert_eq!(counts.accepted, accepted, "closed is closed");
        }
        if let Place::Home(_) = self.place {
            let accepted = usize::try_from(counts.accepted).unwrap();
            assert_eq!(accepted + backlog, delivered, "one was lost, or came twice: {counts:?}");
        }
    }

    /// It is dropped, and all that was begun comes to its end.
    pub(crate) fn end(mut self) {
        let letting_go = self.world.clone();
        let letting_go = thread::spawn(move || letting_go.release_all());
        let server = self.home();
        patiently("dropping", move || drop(server));
        letting_go.join().unwrap();
        self.world.release_all();
        self.disperse();
        assert!(self.handle.wait_until_at_most(0, PATIENCE), "some did not end");
        let counts = self.handle.counts();
        let (backlog, delivered) = (self.script.backlog(), self.world.delivered());
        assert_eq!(counts.in_progress(), 0, "{counts:?}");
        assert_eq!(counts.accepted + backlog as u64, delivered as u64, "{counts:?}");
        assert_eq!(self.script.closed().closed(), counts.accepted, "{counts:?}");
        assert!(self.handle.connections().is_empty());
        let refuses = matches!(self.runs, Runs::PoolThatRefuses);
        assert!(refuses || counts.overloaded == 0, "{counts:?}");
        self.closed.into_iter().for_each(|accepted| assert_eq!(counts.accepted, accepted));
        self.world.check_fates();
    }
}

fn act(deed: Deed, handle: &ServerHandle, stop: &ShutdownHandle, world: &World) {
    match deed {
        Deed::Stop => drop(stop.request()),
        Deed::StopAndWait => drop(stop.shutdown()),
        Deed::Suspend => handle.suspend(),
        Deed::Resume => handle.resume(),
        Deed::Limit(most) => handle.set_max_connections(Some(most)),
        Deed::WaitUntilAtMost(most) => {
            let _ = handle.wait_until_at_most(most, Duration::from_millis(2));
        }
        Deed::EndConnections => {
            for connection in handle.connections() {
                handle.end_connection(connection.id);
            }
        }
        Deed::Look => {
            let (counts, connections) = (handle.counts(), handle.connections());
            assert!(counts.accepted >= counts.served + counts.unserved + counts.refused);
            assert!(connections.is_sorted_by_key(|connection| connection.id));
        }
        Deed::Release => world.release_all(),
    }
}

/// Runs something that must come to its end.
fn patiently<R: Send + 'static>(what: &str, run: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, result) = mpsc::channel();
    let running = thread::spawn(move || {
        // Whoever waits may have given up.
        let _ = sender.send(run());
    });
    match result.recv_timeout(PATIENCE) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what}: hangs"),
        // It panicked, and has said why.
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            running.join().unwrap();
            panic!("{what}: ended without a result");
        }
    }
}
