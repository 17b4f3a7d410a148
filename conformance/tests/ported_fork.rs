//! The tests of CPython's own `test_socketserver.py` that need the main thread to themselves: those that
//! fork, which a process with more threads must not, and the one whose writes are interrupted by signals,
//! which go to the main thread. The others are in `ported`.

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    unix::run()
}

#[cfg(unix)]
#[expect(clippy::print_stdout, reason = "a notice")]
#[expect(clippy::unwrap_used, reason = "in a test it is an assertion")]
#[expect(non_snake_case, reason = "the names are CPython's")]
mod unix {
    use std::cell::RefCell;
    use std::ffi::OsStr;
    use std::fs;
    use std::io::{BufRead, Read, Write};
    use std::net::{SocketAddr, TcpStream, UdpSocket};
    use std::os::unix::net::{UnixDatagram, UnixStream};
    use std::process::{Child, Command, ExitCode};
    use std::rc::Rc;
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::{Duration, Instant};

    use libtest_mimic::{Arguments, Failed, Trial};
    use rustix::process::{Signal, getpid, kill_process};
    use signal_hook::consts::SIGUSR1;
    use socketserver::Server;
    use socketserver::prelude::*;
    use socketserver::transports;
    use tempfile::TempDir;

    const PATIENCE: Duration = Duration::from_secs(30);
    const LINE: &[u8] = b"hello world\n";
    /// The first argument that makes this program a client.
    const CLIENT: &str = "be-a-client";

    pub(super) fn run() -> ExitCode {
        let arguments: Vec<_> = std::env::args().collect();
        if let [_, role, kind, address] = &arguments[..]
            && role == CLIENT
        {
            three_times(kind, address);
            return ExitCode::SUCCESS;
        }
        let mut arguments = Arguments::from_args();
        arguments.test_threads = Some(1);
        if !arguments.list && emulated() {
            println!("notice: the emulator has a thread of its own, so forking was left out");
            return ExitCode::SUCCESS;
        }
        let tests: [(&str, fn()); 7] = [
            ("test_ForkingTCPServer", test_ForkingTCPServer),
            ("test_ForkingUDPServer", test_ForkingUDPServer),
            ("test_ForkingUnixStreamServer", test_ForkingUnixStreamServer),
            ("test_ForkingUnixDatagramServer", test_ForkingUnixDatagramServer),
            ("test_forking_handled", test_forking_handled),
            ("test_forking_not_handled", test_forking_not_handled),
            ("test_write", test_write),
        ];
        let trials = tests.map(|(name, test)| {
            Trial::test(name, move || {
                test();
                Ok::<(), Failed>(())
            })
        });
        libtest_mimic::run(&arguments, trials.into()).exit_code()
    }

    /// Whether a process that has started no thread has one: that of an emulator.
    fn emulated() -> bool {
        fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1)
    }

    // The clients, in a process of their own.

    /// Three clients in turn send a line and want it back.
    fn three_times(kind: &str, address: &str) {
        for _ in 0..3 {
            let answer = match kind {
                "tcp" => stream_client(TcpStream::connect(address).unwrap()),
                "unix-stream" => stream_client(UnixStream::connect(address).unwrap()),
                "udp" => udp_client(address),
                "unix-datagram" => unix_datagram_client(address),
                _ => panic!("no such client: {kind}"),
            };
            assert_eq!(answer, LINE);
        }
    }

    fn stream_client(mut socket: impl Read + Write) -> Vec<u8> {
        socket.write_all(LINE).unwrap();
        let mut answer = vec![0; LINE.len()];
        socket.read_exact(&mut answer).unwrap();
        answer
    }

    fn udp_client(address: &str) -> Vec<u8> {
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.send_to(LINE, address).unwrap();
        let mut answer = vec![0; 100];
        let length = client.recv(&mut answer).unwrap();
        answer[..length].to_vec()
    }

    fn unix_datagram_client(address: &str) -> Vec<u8> {
        let folder = TempDir::new().unwrap();
        let client = UnixDatagram::bind(folder.path().join("client")).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.send_to(LINE, address).unwrap();
        let mut answer = vec![0; 100];
        let length = client.recv(&mut answer).unwrap();
        answer[..length].to_vec()
    }

    // CPython's driver.

    /// The process of clients. The server's loop looks after it, having no thread beside it.
    #[derive(Clone, Default)]
    struct Clients(Rc<RefCell<Option<Child>>>);

    impl Clients {
        fn start(&self, kind: &str, address: impl AsRef<OsStr>) {
            let program = std::env::current_exe().unwrap();
            let clients = Command::new(program).args([CLIENT, kind]).arg(address).spawn();
            *self.0.borrow_mut() = Some(clients.unwrap());
        }

        /// Stops the server when they have all been there.
        fn look(&self, server: &ServerHandle) {
            if let Some(clients) = &mut *self.0.borrow_mut()
                && let Some(status) = clients.try_wait().unwrap()
            {
                assert!(status.success(), "clients: {status}");
                server.request_shutdown();
            }
        }
    }

    /// Children, and how they ended.
    fn fork() -> (Fork, Arc<Mutex<Vec<Option<i32>>>>) {
        let ends = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&ends);
        (Fork::new().on_child_exit(move |child| list.lock().unwrap().push(child.code())), ends)
    }

    fn stream_echo<C: StreamRequest>(clients: &Clients) -> impl Service<C> {
        let clients = clients.clone();
        stream_fn(|client: &mut Stream<C>| {
            let mut line = Vec::new();
            client.rfile.read_until(b'\n', &mut line)?;
            client.wfile.write_all(&line)?;
            Ok(())
        })
        .on_service_actions(move |server| clients.look(server))
    }

    fn datagram_echo<R: DatagramRequest>(clients: &Clients) -> impl Service<R> {
        let clients = clients.clone();
        datagram_fn(|packet: &mut DatagramExchange<'_, R>| {
            let mut line = Vec::new();
            packet.rfile.read_until(b'\n', &mut line)?;
            packet.wfile.write_all(&line)?;
            Ok(())
        })
        .on_service_actions(move |server| clients.look(server))
    }

    /// Serves in this thread, which is the only one, until the clients have been there; then closes.
    fn run_server<T, S>(transport: T, service: S)
    where
        T: Transport,
        S: Service<T::Request>,
    {
        let every = PollInterval::Every(Duration::from_millis(10));
        let (fork, ends) = fork();
        let server = Server::new(transport, fork, service);
        let mut server = server.with_config(ServerConfig::new().poll_interval(every));
        assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
        server.close();
        assert!(server.transport().is_none());
        assert_eq!(server.concurrency().active_children(), 0);
        let counts = server.counts();
        assert_eq!((counts.accepted, counts.handed_over, counts.errors), (3, 3, 0));
        // An error of a handler ends its child with another code.
        assert_eq!(*ends.lock().unwrap(), [Some(0); 3]);
    }

    /// A child that is none of the server's: it must be there to be waited for afterwards, with its code.
    fn beside_an_unrelated_child(run: impl FnOnce()) {
        let mut unrelated = Command::new("sh").args(["-c", "exit 72"]).spawn().unwrap();
        run();
        assert_eq!(unrelated.wait().unwrap().code(), Some(72));
    }

    fn test_ForkingTCPServer() {
        beside_an_unrelated_child(|| {
            let (transport, clients) = (Tcp::bind("127.0.0.1:0").unwrap(), Clients::default());
            clients.start("tcp", transport.local_addr().unwrap().to_string());
            run_server(transport, stream_echo(&clients));
        });
    }

    fn test_ForkingUDPServer() {
        beside_an_unrelated_child(|| {
            let (transport, clients) = (Udp::bind("127.0.0.1:0").unwrap(), Clients::default());
            clients.start("udp", transport.local_addr().unwrap().to_string());
            run_server(transport, datagram_echo(&clients));
        });
    }

    fn test_ForkingUnixStreamServer() {
        beside_an_unrelated_child(|| {
            let folder = TempDir::new().unwrap();
            let path = folder.path().join("server");
            let (transport, clients) =
                (transports::UnixStream::bind(&path).unwrap(), Clients::default());
            clients.start("unix-stream", &path);
            run_server(transport, stream_echo(&clients));
        });
    }

    /// As in CPython, with no child beside it.
    fn test_ForkingUnixDatagramServer() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("server");
        let (transport, clients) =
            (transports::UnixDatagram::bind(&path).unwrap(), Clients::default());
        clients.start("unix-datagram", &path);
        run_server(transport, datagram_echo(&clients));
    }

    // Which failures reach `handle_error`, in the child.

    /// Lets one client come to a server whose handler fails with what `fail` makes. Gives what was written down,
    /// and the exit code of the child.
    fn one_failure(fail: fn() -> HandlerError) -> (String, Option<i32>) {
        let folder = TempDir::new().unwrap();
        let book = folder.path().join("book");
        // What a child writes into memory, the parent does not see.
        let write = |line: &str| {
            let mut file = fs::OpenOptions::new().create(true).append(true).open(&book).unwrap();
            file.write_all(line.as_bytes()).unwrap();
        };
        let service = base_fn(|_: &mut Context<'_, TcpConnection>| {
            write("Handler called\n");
            Err(fail())
        })
        .on_error(|_, _, _| write("Error handled\n"));
        let (fork, ends) = fork();
        let mut server = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), fork, service);
        let _client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
        assert!(matches!(server.handle_request().unwrap(), Handled::Started));
        // Waits for the child.
        server.close();
        drop(server);
        let end = ends.lock().unwrap().pop().unwrap();
        (fs::read_to_string(&book).unwrap(), end)
    }

    fn test_forking_handled() {
        let (written, code) = one_failure(|| "a value error".into());
        assert_eq!(written, "Handler called\nError handled\n");
        assert_eq!(code, Some(1));
    }

    /// In CPython the code that was asked for is lost.
    fn test_forking_not_handled() {
        let (written, code) = one_failure(|| HandlerError::exit(7));
        assert_eq!(written, "Handler called\n");
        assert_eq!(code, Some(7));
    }

    // Writing, in spite of signals.

    /// More than the buffers of two sockets hold: it blocks until the client reads.
    const MUCH: usize = 16 << 20;

    /// The last of the tests: a thread that was joined may be seen for a moment more, and the others would not
    /// fork then.
    fn test_write() {
        let (sender, mut receiver) = UnixStream::pair().unwrap();
        receiver.set_read_timeout(Some(PATIENCE)).unwrap();
        // Each signal that is handled sends a byte.
        let registered = signal_hook::low_level::pipe::register(SIGUSR1, sender).unwrap();
        // Without a timeout the system begins an interrupted send again, or it ends early; with one it fails.
        write_all_of_it(stream_fn(say_much), &mut receiver);
        write_all_of_it(stream_fn(say_much).timeout(PATIENCE), &mut receiver);
        // `wfile` is not alone in coping with that: CPython's sockets do.
        write_all_of_it(stream_fn(say_much_by_hand).timeout(PATIENCE), &mut receiver);
        signal_hook::low_level::unregister(registered);
    }

    fn say_much(client: &mut Stream<TcpConnection>) -> HandlerResult {
        // It is sent without a flush: only then does the client answer.
        assert_eq!(client.wfile.write(b"write data\n")?, 11);
        let mut answer = String::new();
        client.rfile.read_line(&mut answer)?;
        assert_eq!(answer, "client response\n");
        assert_eq!(client.wfile.write(&vec![b'x'; MUCH])?, MUCH);
        Ok(())
    }

    fn say_much_by_hand(client: &mut Stream<TcpConnection>) -> HandlerResult {
        client.wfile.write_all(b"write data\n")?;
        client.rfile.read_line(&mut String::new())?;
        let much = vec![b'x'; MUCH];
        let mut sent = 0;
        while sent < MUCH {
            sent += client.connection.send(&much[sent..])?;
        }
        Ok(())
    }

    fn write_all_of_it<S: Service<TcpConnection>>(service: S, handled: &mut UnixStream) {
        let config = ServerConfig::new().timeout(PATIENCE);
        let mut server = TcpServer::bind("127.0.0.1:0", service).unwrap().with_config(config);
        let address = server.local_addr().unwrap();
        thread::scope(|scope| {
            let client = scope.spawn(move || interrupt_and_read(address, handled));
            assert!(matches!(server.handle_request().unwrap(), Handled::Served));
            server.close();
            assert_eq!(client.join().unwrap(), MUCH);
        });
        assert_eq!(server.counts().errors, 0);
    }

    /// Waits until the main thread sleeps in its send, as far as the system tells: an awake one is not interrupted.
    fn await_sleep() {
        let state = format!("/proc/self/task/{}/stat", std::process::id());
        let deadline = Instant::now() + PATIENCE;
        while fs::read_to_string(&state).is_ok_and(|state| !state.contains(") S ")) {
            assert!(Instant::now() < deadline, "it does not sleep");
            thread::yield_now();
        }
    }

    /// Sends signals while the server is in the middle of its write. They go to the main thread, which serves.
    fn interrupt_and_read(address: SocketAddr, handled: &mut UnixStream) -> usize {
        let mut client = TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut line = [0; 11];
        client.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"write data\n");
        client.write_all(b"client response\n").unwrap();
        client.peek(&mut [0]).unwrap();
        for _ in 0..100 {
            await_sleep();
            kill_process(getpid(), Signal::USR1).unwrap();
            handled.read_exact(&mut [0]).unwrap();
        }
        let mut much = Vec::new();
        client.read_to_end(&mut much).unwrap();
        assert!(much.iter().all(|byte| *byte == b'x'));
        much.len()
    }
}
