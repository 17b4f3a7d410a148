//! What statements about CPython's forking servers, and about signals, say that no other test shows. All in the
//! main thread: a process with others must not fork, and a signal finds the thread it is meant for.

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    unix::run()
}

#[cfg(unix)]
#[expect(clippy::print_stdout, reason = "a test and its server talk to each other")]
#[expect(clippy::unwrap_used, reason = "in a test it is an assertion")]
mod unix {
    use std::fs::{self, OpenOptions};
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::os::unix::process::ExitStatusExt;
    use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
    use std::path::PathBuf;
    use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::sync::{Arc, Mutex, OnceLock};
    use std::time::{Duration, Instant};

    use libtest_mimic::{Arguments, Failed, Trial};
    use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
    use socketserver::prelude::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    pub(super) fn run() -> ExitCode {
        match std::env::args().nth(1).as_deref() {
            Some("--serve") => return be_server(),
            Some("--fork") => return be_parent(),
            _ => {}
        }
        let mut arguments = Arguments::from_args();
        arguments.test_threads = Some(1);
        // A process that has started no thread has one all the same: that of an emulator.
        let threads = fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
        if !arguments.list && threads > 1 {
            println!("notice: the emulator has a thread of its own, so forking was left out");
            return ExitCode::SUCCESS;
        }
        let tests: [(&str, fn()); 16] = [
            ("signals_neither_shorten_nor_stretch_the_wait", signals_during_wait),
            ("a_signal_that_nobody_handles_ends_the_process", unhandled_signal),
            ("a_stop_asked_for_in_a_child_stays_there_and_hangs_nobody", stop_in_child),
            ("a_failure_is_reported_in_the_child_only", failure_in_child),
            ("a_panic_in_closing_in_a_child_shows_in_its_exit_code", closing_panics_in_child),
            ("a_panic_of_the_parents_close_leaves_the_child_its_client", closing_panics_in_parent),
            ("the_parent_closes_and_the_child_says_goodbye", who_closes),
            ("children_that_somebody_else_reaps_are_forgotten", reaped_by_others),
            ("a_new_strategy_has_the_defaults", defaults),
            ("with_one_child_at_most_clients_are_served_one_after_another", one_child_at_most),
            ("a_loop_has_no_more_children_than_it_may", limit_of_a_loop),
            ("service_actions_of_ones_own_do_not_stop_the_reaping", own_service_actions),
            ("a_child_runs_no_destructor", no_destructors),
            ("what_a_child_has_not_flushed_is_lost", lost_output),
            ("what_a_child_changes_the_parent_does_not_see", state_not_shared),
            ("the_loop_goes_on_after_a_child_that_failed", loop_goes_on),
        ];
        let trials = tests.map(|(name, test)| {
            Trial::test(name, move || {
                test();
                Ok::<(), Failed>(())
            })
        });
        libtest_mimic::run(&arguments, trials.into()).exit_code()
    }

    fn connect(address: SocketAddr) -> TcpStream {
        let client = TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client
    }

    fn rest(mut client: &TcpStream) -> String {
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        text
    }

    type Forking<S> = Server<Tcp, Fork, S>;

    fn server<S: Service<TcpConnection>>(fork: Fork, service: S) -> (Forking<S>, SocketAddr) {
        let server = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), fork, service);
        let address = server.local_addr().unwrap();
        (server.with_config(ServerConfig::new().timeout(PATIENCE)), address)
    }

    fn start<S: Service<TcpConnection>>(server: &mut Forking<S>) {
        assert!(matches!(server.handle_request().unwrap(), Handled::Started));
    }

    /// A strategy that writes the exit codes of its children down.
    fn recording(fork: Fork) -> (Fork, Arc<Mutex<Vec<Option<i32>>>>) {
        let codes = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&codes);
        (fork.on_child_exit(move |child| list.lock().unwrap().push(child.code())), codes)
    }

    fn greet(client: &mut Stream<TcpConnection>) -> HandlerResult {
        Ok(client.wfile.write_all(b"hello")?)
    }

    /// Another process, which does not outlive its test.
    struct Other(Child);

    impl Drop for Other {
        fn drop(&mut self) {
            // It may have ended already.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn signals_during_wait() {
        const TIMEOUT: Duration = Duration::from_millis(100);
        let came = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal_hook::consts::SIGUSR1, Arc::clone(&came)).unwrap();
        let server = TcpServer::bind("127.0.0.1:0", stream_fn(greet)).unwrap();
        let mut server = server.with_config(ServerConfig::new().timeout(TIMEOUT));
        let mut signaller = Command::new("sh");
        signaller.args(["-c", "while kill -USR1 $0; do :; done", &std::process::id().to_string()]);
        let signaller = Other(signaller.spawn().unwrap());
        while !came.swap(false, Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let begun = Instant::now();
        assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
        let took = begun.elapsed();
        assert!(came.load(Ordering::SeqCst), "a signal came during the wait");
        drop(signaller);
        assert!(took >= TIMEOUT && took < PATIENCE, "{took:?}");
    }

    fn be_server() -> ExitCode {
        let mut server = TcpServer::bind("127.0.0.1:0", stream_fn(greet)).unwrap();
        println!("{}", server.local_addr().unwrap());
        let _ = server.serve_forever();
        println!("ended");
        ExitCode::SUCCESS
    }

    /// This program once more, as what the argument says; with what it prints after its address.
    fn other(role: &str) -> (Other, BufReader<ChildStdout>, SocketAddr) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut other = Other(command.arg(role).stdout(Stdio::piped()).spawn().unwrap());
        let mut said = BufReader::new(other.0.stdout.take().unwrap());
        let mut address = String::new();
        said.read_line(&mut address).unwrap();
        (other, said, address.trim().parse().unwrap())
    }

    fn unhandled_signal() {
        let (mut other, mut said, address) = other("--serve");
        assert_eq!(rest(&connect(address)), "hello");
        kill_process(Pid::from_child(&other.0), Signal::TERM).unwrap();
        assert_eq!(other.0.wait().unwrap().signal(), Some(Signal::TERM.as_raw()));
        let mut more = String::new();
        said.read_to_string(&mut more).unwrap();
        assert_eq!(more, "", "nothing of the program ran any more");
    }

    fn stop_in_child() {
        let service = stream_fn(|client: &mut Stream<TcpConnection>| {
            let stop = client.server.shutdown_handle().shutdown();
            Ok(write!(client.wfile, "{stop:?} {}", client.server.is_stopping())?)
        });
        let (mut server, address) = server(Fork::new(), service);
        for _ in 0..2 {
            let client = connect(address);
            start(&mut server);
            assert_eq!(rest(&client), "Err(FromServingThread) true");
            assert!(!server.shutdown_handle().is_requested());
            assert!(!server.handle().is_stopping());
        }
        server.close();
    }

    fn failing() -> impl Service<TcpConnection> {
        let service = stream_fn(|client: &mut Stream<TcpConnection>| {
            let mut line = String::new();
            client.rfile.read_line(&mut line)?;
            Err("asked to fail".into())
        });
        service.on_error(|client: &mut TcpConnection, _, error| {
            write!(&*client, "{error} in {}", std::process::id()).unwrap();
        })
    }

    fn failure_in_child() {
        let (fork, codes) = recording(Fork::new());
        let (mut server, address) = server(fork, failing());
        let mut client = connect(address);
        client.write_all(b"\n").unwrap();
        start(&mut server);
        let told = rest(&client);
        let pid = told.strip_prefix("asked to fail in ").unwrap();
        assert_ne!(pid, std::process::id().to_string());
        server.close();
        assert_eq!((server.counts().errors, server.counts().handed_over), (0, 1));
        assert_eq!(*codes.lock().unwrap(), [Some(1)]);
    }

    fn loop_goes_on() {
        let stop: Arc<OnceLock<ShutdownHandle>> = Arc::default();
        let (stopper, left) = (Arc::clone(&stop), AtomicU64::new(3));
        let fork = Fork::new().on_child_exit(move |child| {
            assert_eq!(child.code(), Some(1));
            if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                stopper.get().unwrap().request();
            }
        });
        let (mut server, address) = server(fork, failing());
        stop.set(server.shutdown_handle()).unwrap();
        let mut clients = [connect(address), connect(address), connect(address)];
        for client in &mut clients {
            client.write_all(b"\n").unwrap();
        }
        assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
        for client in &clients {
            assert!(rest(client).starts_with("asked to fail in "));
        }
    }

    /// A service that says hello, whose closing does something more.
    struct Closing<F>(F);

    impl<F: Fn(&str, &TcpConnection)> Service<TcpConnection> for Closing<F> {
        fn finish_request(
            &self,
            request: &mut TcpConnection,
            _: &SocketAddr,
            _: &ServerHandle,
        ) -> HandlerResult {
            Ok(request.write_all(b"hello")?)
        }

        fn handle_error(&self, request: &mut TcpConnection, _: &SocketAddr, _: HandlerError) {
            (self.0)("HE", request);
        }

        fn shutdown_request(&self, request: TcpConnection) {
            (self.0)("SR", &request);
            self.close_request(request);
        }

        fn close_request(&self, request: TcpConnection) {
            (self.0)("CR", &request);
        }
    }

    fn closing_panics_in_child() {
        let parent = std::process::id();
        let (fork, codes) = recording(Fork::new());
        let service = Closing(move |hook: &str, _: &TcpConnection| {
            if hook == "SR" && std::process::id() != parent {
                panic_any("asked to panic");
            }
        });
        let (mut server, address) = server(fork, service);
        let client = connect(address);
        start(&mut server);
        assert_eq!(rest(&client), "hello");
        server.close();
        assert_eq!(*codes.lock().unwrap(), [Some(101)]);
    }

    fn closing_panics_in_parent() {
        let parent = std::process::id();
        let (fork, codes) = recording(Fork::new());
        let hooks = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&hooks);
        let service = Closing(move |hook: &str, _: &TcpConnection| {
            if std::process::id() == parent {
                list.lock().unwrap().push(hook.to_owned());
                panic_any("asked to panic");
            }
        });
        let (mut server, address) = server(fork, service);
        let client = connect(address);
        let unwound = catch_unwind(AssertUnwindSafe(|| start(&mut server))).unwrap_err();
        assert_eq!(unwound.downcast_ref(), Some(&"asked to panic"));
        assert_eq!(*hooks.lock().unwrap(), ["CR"], "nothing was done to the child's connection");
        assert_eq!(rest(&client), "hello");
        server.close();
        assert_eq!(*codes.lock().unwrap(), [Some(0)]);
    }

    fn who_closes() {
        let parent = std::process::id();
        let hooks = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&hooks);
        let service = Closing(move |hook: &str, mut connection: &TcpConnection| {
            if std::process::id() == parent {
                list.lock().unwrap().push(hook.to_owned());
            } else {
                write!(connection, " {hook}").unwrap();
            }
        });
        let (mut server, address) = server(Fork::new(), service);
        let client = connect(address);
        start(&mut server);
        assert_eq!(*hooks.lock().unwrap(), ["CR"], "at once, whatever the child does");
        assert_eq!(rest(&client), "hello SR CR");
        server.close();
        assert_eq!(hooks.lock().unwrap().len(), 1);
    }

    fn reaped_by_others() {
        let (fork, codes) = recording(Fork::new());
        let (mut server, address) = server(fork, stream_fn(greet));
        let client = connect(address);
        start(&mut server);
        assert_eq!(rest(&client), "hello");
        let (_, status) = waitpid(None, WaitOptions::empty()).unwrap().unwrap();
        assert_eq!(status.exit_status(), Some(0));
        assert_eq!(server.concurrency().active_children(), 1);
        server.close();
        assert_eq!(server.concurrency().active_children(), 0);
        assert!(codes.lock().unwrap().is_empty(), "nobody knows how it ended");
    }

    fn defaults() {
        let server = ForkingTcpServer::bind("127.0.0.1:0", stream_fn(greet)).unwrap();
        assert_eq!(server.config().get_timeout(), None);
        assert_eq!(server.concurrency().active_children(), 0);
        let strategy = format!("{:?}", server.concurrency());
        for setting in ["max_children: 40", "block_on_close: true"] {
            assert!(strategy.contains(setting), "{strategy}");
        }
    }

    fn one_child_at_most() {
        let say_back = || {
            stream_fn(|client: &mut Stream<TcpConnection>| {
                let mut line = Vec::new();
                client.rfile.read_until(b'\n', &mut line)?;
                Ok(client.wfile.write_all(&line)?)
            })
        };
        for most in [0, 1] {
            let (mut server, address) = server(Fork::new().max_children(most), say_back());
            let mut clients = [connect(address), connect(address), connect(address)];
            for client in &mut clients {
                start(&mut server);
                assert_eq!(server.concurrency().active_children(), 1);
                server.set_config(ServerConfig::new().timeout(Duration::ZERO));
                assert!(matches!(server.handle_request().unwrap(), Handled::TimedOut));
                server.set_config(ServerConfig::new().timeout(PATIENCE));
                client.write_all(b"bye\n").unwrap();
                assert_eq!(rest(client), "bye\n");
            }
            server.close();
        }
    }

    /// Each child tells how many had ended when it was made.
    fn limit_of_a_loop() {
        for most in [1, 2] {
            let stop: Arc<OnceLock<ShutdownHandle>> = Arc::default();
            let stopper = Arc::clone(&stop);
            let ended = Arc::new(AtomicU64::new(0));
            let count = Arc::clone(&ended);
            let fork = Fork::new().max_children(most).on_child_exit(move |_| {
                if count.fetch_add(1, Ordering::SeqCst) == 3 {
                    stopper.get().unwrap().request();
                }
            });
            let service = stream_fn(move |client: &mut Stream<TcpConnection>| {
                Ok(write!(client.wfile, "{}", ended.load(Ordering::SeqCst))?)
            });
            let (mut server, address) = server(fork, service);
            stop.set(server.shutdown_handle()).unwrap();
            let clients = [connect(address), connect(address), connect(address), connect(address)];
            assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
            for (before, client) in clients.iter().enumerate() {
                let ended: usize = rest(client).parse().unwrap();
                assert!(ended + most > before, "{before} before it, {ended} of them ended");
            }
        }
    }

    fn own_service_actions() {
        let stop: Arc<OnceLock<ShutdownHandle>> = Arc::default();
        let stopper = Arc::clone(&stop);
        let fork = Fork::new().on_child_exit(move |_| {
            stopper.get().unwrap().request();
        });
        let turns = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&turns);
        let service = stream_fn(greet).on_service_actions(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let (mut server, address) = server(fork, service);
        stop.set(server.shutdown_handle()).unwrap();
        let client = connect(address);
        assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
        assert_eq!(server.concurrency().active_children(), 0);
        assert!(turns.load(Ordering::SeqCst) > 0);
        assert_eq!(rest(&client), "hello");
    }

    /// Leaves a line in a file when it is dropped.
    struct Trace(PathBuf);

    impl Drop for Trace {
        fn drop(&mut self) {
            let mut file = OpenOptions::new().append(true).create(true).open(&self.0).unwrap();
            writeln!(file, "{}", std::process::id()).unwrap();
        }
    }

    fn no_destructors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace");
        let trace = Trace(path.clone());
        let service = stream_fn(move |client: &mut Stream<TcpConnection>| {
            let _ = &trace;
            greet(client)
        });
        let (mut server, address) = server(Fork::new(), service);
        let client = connect(address);
        start(&mut server);
        assert_eq!(rest(&client), "hello");
        server.close();
        drop(server);
        assert_eq!(fs::read_to_string(path).unwrap(), format!("{}\n", std::process::id()));
    }

    fn be_parent() -> ExitCode {
        let service = stream_fn(|client: &mut Stream<TcpConnection>| {
            print!("said by the child");
            greet(client)
        });
        let (mut server, address) = server(Fork::new(), service);
        println!("{address}");
        start(&mut server);
        server.close();
        print!("said by the parent");
        ExitCode::SUCCESS
    }

    fn lost_output() {
        let (mut other, mut said, address) = other("--fork");
        assert_eq!(rest(&connect(address)), "hello");
        assert!(other.0.wait().unwrap().success());
        let mut more = String::new();
        said.read_to_string(&mut more).unwrap();
        assert_eq!(more, "said by the parent");
    }

    fn state_not_shared() {
        let total = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&total);
        let service = stream_fn(move |client: &mut Stream<TcpConnection>| {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            Ok(write!(client.wfile, "{number}")?)
        });
        let (mut server, address) = server(Fork::new(), service);
        for _ in 0..3 {
            let client = connect(address);
            start(&mut server);
            assert_eq!(rest(&client), "1");
        }
        server.close();
        assert_eq!((total.load(Ordering::SeqCst), server.counts().served), (0, 0));
    }
}
