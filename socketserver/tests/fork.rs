//! A child process per request: who serves, who closes, how children end, how many there are, and that
//! nothing of them stays behind. All in the main thread: a process with others must not fork.

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    unix::run()
}

#[cfg(unix)]
#[path = "support/forking.rs"]
mod forking;

#[cfg(unix)]
#[expect(clippy::unwrap_used, reason = "in a test it is an assertion")]
mod unix {
    use std::io::{BufRead, ErrorKind, Read, Write};
    use std::net::{SocketAddr, TcpStream, UdpSocket};
    use std::os::unix::net::{UnixDatagram, UnixStream};
    use std::path::PathBuf;
    use std::process::{Command, ExitCode};
    use std::sync::{Arc, Mutex, OnceLock, mpsc};
    use std::thread;
    use std::time::Duration;

    use libtest_mimic::Arguments;
    use socketserver::concurrency::ChildExit;
    use socketserver::prelude::*;

    use crate::forking;

    pub(super) fn run() -> ExitCode {
        let mut arguments = Arguments::from_args();
        arguments.test_threads = Some(1);
        let tests: [(&str, fn()); 18] = [
            ("a_panic_of_the_hook_loses_no_child", hook_panics),
            ("udp_forks", udp_forks),
            ("udp_forks_for_packets_received_ahead", udp_forks_for_packets_received_ahead),
            ("unix_stream_forks", unix_stream_forks),
            ("unix_datagram_forks", unix_datagram_forks),
            ("children_serve_and_the_parent_hands_over", children_serve),
            ("exit_codes_and_signals_reach_the_parent", exit_codes),
            ("max_children_holds_for_handle_request", limit_holds),
            ("a_full_server_stops_at_once", full_server_stops),
            ("an_idle_loop_learns_of_a_child_that_ends", prompt_reaping),
            ("a_child_of_somebody_else_is_left_alone", foreign_child),
            ("a_child_closes_the_listener", child_closes_listener),
            ("closing_waits_for_children", closing_waits),
            ("a_panic_of_the_hook_does_not_end_a_drain", drain_survives_hook),
            ("a_drain_ends_children_that_outstay_it", drain_ends_children),
            ("a_child_keeps_deadlines", child_keeps_deadlines),
            ("ten_thousand_requests_leave_nothing_behind", nothing_left_behind),
            // The last: a thread sanitizer has a thread of its own from the first on that is started.
            ("a_process_with_threads_is_refused", refused_with_threads),
        ];
        forking::run(&arguments, tests)
    }

    fn connect(address: SocketAddr) -> TcpStream {
        let client = TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        client
    }

    fn say(mut client: &TcpStream, line: &str) {
        client.write_all(line.as_bytes()).unwrap();
        client.write_all(b"\n").unwrap();
    }

    fn rest(mut client: &TcpStream) -> String {
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        text
    }

    /// Does what its client's line says.
    fn obedient() -> impl Service<TcpConnection> {
        stream_fn(|client: &mut Stream<TcpConnection>| {
            let mut line = String::new();
            client.rfile.read_line(&mut line)?;
            match line.trim_end() {
                "fail" => Err("asked to fail".into()),
                "panic" => std::panic::panic_any("asked to panic"),
                "exit" => Err(HandlerError::exit(7)),
                "sleep" => loop {
                    thread::park();
                },
                "ignore" => {
                    let flag = Arc::new(std::sync::atomic::AtomicBool::new(false));
                    signal_hook::flag::register(15, flag)?;
                    client.wfile.write_all(b"ignored\n")?;
                    loop {
                        thread::park();
                    }
                }
                text => Ok(writeln!(client.wfile, "{} says {text}", std::process::id())?),
            }
        })
        .on_error(|_, _, error| assert!(!error.to_string().contains("panic"), "a bad hook"))
    }

    fn server(fork: Fork) -> (Server<Tcp, Fork, impl Service<TcpConnection>>, SocketAddr) {
        let server = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), fork, obedient());
        let address = server.local_addr().unwrap();
        (server.with_config(ServerConfig::new().timeout(Duration::from_secs(30))), address)
    }

    /// A strategy that writes the ends of its children down.
    fn recording(fork: Fork) -> (Fork, Arc<Mutex<Vec<ChildExit>>>) {
        let ends = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&ends);
        (fork.on_child_exit(move |child| list.lock().unwrap().push(child)), ends)
    }

    fn children_serve() {
        let (mut server, address) = server(Fork::new());
        for word in ["one", "two", "three"] {
            let client = connect(address);
            say(&client, word);
            assert!(matches!(server.handle_request().unwrap(), Handled::Started));
            let answer = rest(&client);
            let (pid, text) = answer.split_once(' ').unwrap();
            assert_ne!(pid, std::process::id().to_string());
            assert_eq!(text, format!("says {word}\n"));
        }
        server.close();
        assert_eq!(server.concurrency().active_children(), 0);
        assert_eq!((server.counts().handed_over, server.counts().in_progress()), (3, 0));
    }

    fn exit_codes() {
        let (fork, ends) = recording(Fork::new());
        let (mut server, address) = server(fork);
        for (line, expected) in [
            ("hello", (Some(0), None)),
            ("fail", (Some(1), None)),
            ("exit", (Some(7), None)),
            ("panic", (Some(101), None)),
            ("sleep", (None, Some(9))),
        ] {
            let client = connect(address);
            say(&client, line);
            assert!(matches!(server.handle_request().unwrap(), Handled::Started));
            if line == "sleep" {
                let children = format!("/proc/self/task/{}/children", std::process::id());
                let kill = match std::fs::read_to_string(children) {
                    Ok(pids) => {
                        Command::new("kill").arg("-KILL").args(pids.split_whitespace()).status()
                    }
                    Err(_) => Command::new("pkill")
                        .args(["-KILL", "-P", &std::process::id().to_string()])
                        .status(),
                };
                assert!(kill.unwrap().success());
            }
            let _ = (&client).read_to_end(&mut Vec::new());
            server_wait(&mut server, &ends);
            let end = ends.lock().unwrap().pop().unwrap();
            assert_eq!((end.code(), end.signal()), expected, "{line}: {end}");
        }
    }

    /// Lets the loop turn until a child's end has been told.
    fn server_wait<S: Service<TcpConnection>>(
        server: &mut Server<Tcp, Fork, S>,
        ends: &Mutex<Vec<ChildExit>>,
    ) {
        while ends.lock().unwrap().is_empty() {
            let short = ServerConfig::new().timeout(Duration::from_millis(5));
            let before = server.config();
            server.set_config(short);
            assert!(matches!(server.handle_request().unwrap(), Handled::TimedOut));
            server.set_config(before);
        }
    }

    fn limit_holds() {
        let (mut server, address) = server(Fork::new().max_children(2));
        let clients = [connect(address), connect(address), connect(address)];
        for _ in 0..2 {
            assert!(matches!(server.handle_request().unwrap(), Handled::Started));
        }
        server.set_config(ServerConfig::new().timeout(Duration::ZERO));
        assert!(matches!(server.handle_request().unwrap(), Handled::TimedOut), "the third waits");
        assert_eq!(server.concurrency().active_children(), 2);
        say(&clients[0], "let go");
        rest(&clients[0]);
        server.set_config(ServerConfig::new().timeout(Duration::from_secs(30)));
        assert!(matches!(server.handle_request().unwrap(), Handled::Started));
        for client in &clients[1..] {
            say(client, "bye");
            assert!(rest(client).ends_with("says bye\n"));
        }
        server.close();
    }

    fn full_server_stops() {
        let (mut server, address) = server(Fork::new().max_children(1));
        let busy = connect(address);
        let _waiting = connect(address);
        assert!(matches!(server.handle_request().unwrap(), Handled::Started));
        server.shutdown_handle().request();
        assert!(matches!(server.handle_request().unwrap(), Handled::ShutdownRequested));
        server.shutdown_handle().request();
        assert!(matches!(server.serve_forever().unwrap(), Ended::Shutdown));
        say(&busy, "bye");
        server.close();
    }

    fn prompt_reaping() {
        let stop: Arc<OnceLock<ShutdownHandle>> = Arc::default();
        let stopper = Arc::clone(&stop);
        let fork = Fork::new().on_child_exit(move |_child| {
            stopper.get().unwrap().request();
        });
        let (server, address) = server(fork);
        let mut server = server.with_config(ServerConfig::new().poll_interval(PollInterval::Never));
        stop.set(server.shutdown_handle()).unwrap();
        let client = connect(address);
        say(&client, "hello");
        // Nothing but the end of the child can end this.
        assert!(matches!(server.serve_forever().unwrap(), Ended::Shutdown));
        assert_eq!(server.concurrency().active_children(), 0);
        assert!(rest(&client).ends_with("says hello\n"));
    }

    fn foreign_child() {
        let mut foreign = Command::new("sh").args(["-c", "exit 9"]).spawn().unwrap();
        let (fork, ends) = recording(Fork::new().max_children(1));
        let (mut server, address) = server(fork);
        for _ in 0..3 {
            let client = connect(address);
            say(&client, "hello");
            assert!(matches!(server.handle_request().unwrap(), Handled::Started));
            rest(&client);
            server_wait(&mut server, &ends);
            ends.lock().unwrap().clear();
        }
        server.close();
        assert_eq!(foreign.wait().unwrap().code(), Some(9));
    }

    fn child_closes_listener() {
        let (mut server, address) = server(Fork::new().block_on_close(false));
        let client = connect(address);
        assert!(matches!(server.handle_request().unwrap(), Handled::Started));
        // The child is in the middle of its request: its answer shows that it has begun.
        server.close();
        say(&client, "still here");
        assert!(rest(&client).ends_with("says still here\n"));
        assert_eq!(
            TcpStream::connect(address).unwrap_err().kind(),
            ErrorKind::ConnectionRefused,
            "nobody listens, though a child has lived on"
        );
    }

    fn refused_with_threads() {
        let (fork, told) = (Fork::new(), Arc::new(Mutex::new(Vec::new())));
        let list = Arc::clone(&told);
        let service = stream_fn(|_client: &mut Stream<TcpConnection>| Ok(()))
            .on_error(move |_, _, error| list.lock().unwrap().push(error.to_string()));
        let mut server = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), fork, service);
        let client = connect(server.local_addr().unwrap());
        let (end, ended) = mpsc::channel::<()>();
        let thread = thread::spawn(move || ended.recv());
        assert!(matches!(server.handle_request().unwrap(), Handled::Rejected));
        drop(end);
        let _ = thread.join().unwrap();
        assert_eq!(rest(&client), "");
        let told = told.lock().unwrap();
        assert!(told[0].contains("with_other_threads"), "{told:?}");
        assert_eq!(server.counts().unserved, 1);
    }

    fn hook_panics() {
        let told = Arc::new(Mutex::new(0));
        let count = Arc::clone(&told);
        let fork = Fork::new().on_child_exit(move |_child| {
            *count.lock().unwrap() += 1;
            std::panic::panic_any("asked to panic");
        });
        let (mut server, address) = server(fork);
        let clients = [connect(address), connect(address), connect(address)];
        for _ in &clients {
            assert!(matches!(server.handle_request().unwrap(), Handled::Started));
        }
        for client in &clients {
            say(client, "hello");
            rest(client);
        }
        // Only the close reaps them.
        let closed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| server.close()));
        assert!(closed.is_err());
        assert_eq!((*told.lock().unwrap(), server.concurrency().active_children()), (3, 0));
    }

    fn closing_waits() {
        let (fork, ends) = recording(Fork::new());
        let (mut server, address) = server(fork);
        let client = connect(address);
        say(&client, "hello");
        assert!(matches!(server.handle_request().unwrap(), Handled::Started));
        drop(server);
        assert_eq!(ends.lock().unwrap()[0].code(), Some(0));
        assert!(rest(&client).ends_with("says hello\n"));
    }

    /// Three clients in turn, then close; the path of the socket, if it has one, goes then.
    fn three_in_turn<T, S>(
        mut server: Server<T, Fork, S>,
        client: impl Fn() -> Box<dyn FnOnce() -> Vec<u8>>,
    ) where
        T: Transport,
        S: Service<T::Request>,
    {
        server.set_config(ServerConfig::new().timeout(Duration::from_secs(30)));
        for _ in 0..3 {
            let answer = client();
            assert!(matches!(server.handle_request().unwrap(), Handled::Started));
            assert_eq!(answer(), b"HELLO\n");
        }
        server.close();
        assert_eq!(server.concurrency().active_children(), 0);
        assert_eq!((server.counts().handed_over, server.counts().in_progress()), (3, 0));
    }

    fn datagram_upper<R: DatagramRequest>() -> impl Service<R> {
        datagram_fn(|packet: &mut DatagramExchange<'_, R>| {
            packet.wfile.write_all(&packet.packet().to_ascii_uppercase())?;
            Ok(())
        })
    }

    fn udp_forks() {
        let server = ForkingUdpServer::bind("127.0.0.1:0", datagram_upper()).unwrap();
        let address = server.local_addr().unwrap();
        three_in_turn(server, || {
            let client = UdpSocket::bind("127.0.0.1:0").unwrap();
            client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            client.send_to(b"hello\n", address).unwrap();
            Box::new(move || {
                let mut answer = vec![0; 100];
                let length = client.recv(&mut answer).unwrap();
                answer[..length].to_vec()
            })
        });
    }

    fn udp_forks_for_packets_received_ahead() {
        let udp = Udp::options().receive_ahead(8).bind("127.0.0.1:0").unwrap();
        let mut server = ForkingUdpServer::with_transport(udp, datagram_upper());
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.connect(server.local_addr().unwrap()).unwrap();
        let packets = b"abcdefghijkl";
        packets.chunks(1).for_each(|packet| assert_eq!(client.send(packet).unwrap(), 1));
        for _ in packets {
            assert!(matches!(server.handle_request().unwrap(), Handled::Started));
        }
        // All children have ended then.
        server.close();
        client.set_nonblocking(true).unwrap();
        let mut answer = [0; 2];
        let mut answers = Vec::new();
        while client.recv(&mut answer).is_ok() {
            answers.push(answer[0]);
        }
        answers.sort_unstable();
        assert_eq!(answers, b"ABCDEFGHIJKL");
    }

    /// A path that nobody else uses.
    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("fork-{name}-{}", std::process::id()))
    }

    fn unix_stream_forks() {
        let path = path("stream");
        let upper = stream_fn(|client: &mut Stream<UnixConnection>| {
            let mut line = Vec::new();
            client.rfile.read_until(b'\n', &mut line)?;
            client.wfile.write_all(&line.to_ascii_uppercase())?;
            Ok(())
        });
        let server = ForkingUnixStreamServer::bind(&path, upper).unwrap();
        three_in_turn(server, || {
            let mut client = UnixStream::connect(&path).unwrap();
            client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            client.write_all(b"hello\n").unwrap();
            Box::new(move || {
                let mut answer = Vec::new();
                client.read_to_end(&mut answer).unwrap();
                answer
            })
        });
        assert!(!path.exists(), "children left the file alone, the server took it along");
    }

    fn unix_datagram_forks() {
        let (path, own) = (path("datagram"), path("client"));
        let server = ForkingUnixDatagramServer::bind(&path, datagram_upper()).unwrap();
        three_in_turn(server, || {
            let client = UnixDatagram::bind(&own).unwrap();
            client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            client.send_to(b"hello\n", &path).unwrap();
            let own = own.clone();
            Box::new(move || {
                let mut answer = vec![0; 100];
                let length = client.recv(&mut answer).unwrap();
                std::fs::remove_file(own).unwrap();
                answer[..length].to_vec()
            })
        });
        assert!(!path.exists(), "children left the file alone, the server took it along");
    }

    fn drain_survives_hook() {
        let fork = Fork::new().on_child_exit(|_child| std::panic::panic_any("asked to panic"));
        let (mut server, address) = server(fork);
        let clients = [connect(address), connect(address)];
        for client in &clients {
            assert!(matches!(server.handle_request().unwrap(), Handled::Started));
            say(client, "sleep");
        }
        let moment = Duration::from_millis(50);
        let report = server.drain(Drain::new().deadline(moment).grace(moment * 100));
        assert_eq!((report.terminated, report.killed, report.workers_left), (2, 0, 0), "{report}");
    }

    fn drain_ends_children() {
        let (fork, ends) = recording(Fork::new());
        let (mut server, address) = server(fork);
        // One is done, one can be terminated, one cannot.
        let clients = ["hello", "sleep", "ignore"].map(|line| {
            let client = connect(address);
            say(&client, line);
            assert!(matches!(server.handle_request().unwrap(), Handled::Started));
            client
        });
        assert!(rest(&clients[0]).ends_with("says hello\n"));
        // That it ignores the signal is told before it sleeps.
        (&clients[2]).read_exact(&mut [0; 8]).unwrap();
        let moment = Duration::from_millis(50);
        let report = server.drain(Drain::new().deadline(moment).grace(moment));
        assert_eq!((report.terminated, report.killed, report.workers_left), (2, 1, 0), "{report}");
        let mut ends: Vec<_> =
            ends.lock().unwrap().iter().map(|end| (end.code(), end.signal())).collect();
        ends.sort_unstable();
        assert_eq!(ends, [(None, Some(9)), (None, Some(15)), (Some(0), None)]);
    }

    fn child_keeps_deadlines() {
        let (fork, ends) = recording(Fork::new());
        let (mut server, address) = server(fork);
        let deadlines = Deadlines::new().first_byte(Duration::from_millis(50));
        server.set_config(server.config().deadlines(deadlines));
        let silent = connect(address);
        assert!(matches!(server.handle_request().unwrap(), Handled::Started));
        assert_eq!(rest(&silent), "");
        server.close();
        assert_eq!(ends.lock().unwrap()[0].code(), Some(1), "its handler failed");
        assert_eq!(server.cuts().first_byte, 0, "another process has counted it");
    }

    fn nothing_left_behind() {
        let open = || std::fs::read_dir("/proc/self/fd").map(Iterator::count).ok();
        let children = || {
            std::fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id())).ok()
        };
        let before = (open(), children());
        let (mut server, address) = server(Fork::new());
        for _ in 0..10_000 {
            let client = connect(address);
            say(&client, "hello");
            assert!(matches!(server.handle_request().unwrap(), Handled::Started));
            assert!(rest(&client).ends_with("says hello\n"));
        }
        server.close();
        assert_eq!(server.concurrency().active_children(), 0);
        assert_eq!(server.counts().handed_over, 10_000);
        drop(server);
        // Nor is there a child to wait for, not even a zombie.
        assert_eq!((open(), children()), before);
    }
}
