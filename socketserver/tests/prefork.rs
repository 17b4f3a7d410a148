//! Worker processes on every transport: three clients in turn, stop, close, and nothing left behind.
//!
//! A process that forks must have no other threads, so the server is another process: this program once more,
//! told by its arguments which server to be.

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
#[expect(clippy::print_stdout, reason = "a test and its server talk to each other")]
#[expect(clippy::unwrap_used, reason = "in a test it is an assertion")]
mod unix {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpStream, UdpSocket};
    use std::os::unix::net::{UnixDatagram, UnixStream};
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, ExitCode, Stdio};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use libtest_mimic::Arguments;
    use socketserver::concurrency::PreFork;
    use socketserver::core::{Concurrency, ServiceJob};
    use socketserver::prelude::*;

    use crate::forking;

    const PATIENCE: Option<Duration> = Some(Duration::from_secs(30));

    pub(super) fn run() -> ExitCode {
        let arguments: Vec<String> = std::env::args().collect();
        if let [_, serve, kind, path] = &arguments[..]
            && serve == "--serve"
        {
            return be_server(kind, Path::new(path));
        }
        let arguments = Arguments::from_args();
        let tests: [(&str, fn()); 5] = [
            ("tcp_workers", || drive("tcp", tcp_client)),
            ("udp_workers", || drive("udp", udp_client)),
            ("udp_workers_of_packets_at_once", || drive("udp-ahead", many_udp_packets)),
            ("unix_stream_workers", || drive("unix-stream", unix_stream_client)),
            ("unix_datagram_workers", || drive("unix-datagram", unix_datagram_client)),
        ];
        forking::run(&arguments, tests)
    }

    fn be_server(kind: &str, path: &Path) -> ExitCode {
        let ended = match kind {
            "tcp" => serve(TcpServer::bind("127.0.0.1:0", stream_upper()).unwrap()),
            "udp" => serve(UdpServer::bind("127.0.0.1:0", datagram_upper()).unwrap()),
            "udp-ahead" => {
                let udp = Udp::options().receive_ahead(8).bind("127.0.0.1:0").unwrap();
                serve(UdpServer::with_transport(udp, datagram_upper()))
            }
            "unix-stream" => serve(UnixStreamServer::bind(path, stream_upper()).unwrap()),
            _ => serve(UnixDatagramServer::bind(path, datagram_upper()).unwrap()),
        };
        ended.map_or_else(
            |error| {
                println!("{error}");
                ExitCode::FAILURE
            },
            |_| ExitCode::SUCCESS,
        )
    }

    /// Serves with three workers until the process gets SIGTERM.
    fn serve<T, C, S>(server: Server<T, C, S>) -> Result<Ended, ServeError>
    where
        T: Transport,
        S: Service<T::Request>,
        C: Concurrency<ServiceJob<T::Request, S>>,
    {
        let every = PollInterval::Every(Duration::from_millis(20));
        let mut server = server.with_config(ServerConfig::new().poll_interval(every));
        println!("{:?}", server.local_addr().unwrap());
        PreFork::new(3).serve(&mut server)
    }

    /// A service that stops its server at SIGTERM.
    fn stopped<R: Request>(service: impl Service<R>) -> impl Service<R> {
        let stop = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&stop)).unwrap();
        service.on_service_actions(move |server| {
            if stop.load(Ordering::Relaxed) {
                server.request_shutdown();
            }
        })
    }

    fn stream_upper<C: StreamRequest>() -> impl Service<C> {
        stopped(stream_fn(|client: &mut Stream<C>| {
            let mut line = Vec::new();
            client.rfile.read_until(b'\n', &mut line)?;
            client.wfile.write_all(&line.to_ascii_uppercase())?;
            Ok(())
        }))
    }

    fn datagram_upper<R: DatagramRequest>() -> impl Service<R> {
        stopped(datagram_fn(|packet: &mut DatagramExchange<'_, R>| {
            packet.wfile.write_all(&packet.packet().to_ascii_uppercase())?;
            Ok(())
        }))
    }

    /// The server process; it does not outlive its test, nor do its workers.
    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            // It may have ended already.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn drive(kind: &str, client: fn(&str) -> Vec<u8>) {
        let path = path(kind);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--serve", kind]).arg(&path).stdout(Stdio::piped());
        let mut server = Running(command.spawn().unwrap());
        let mut said = BufReader::new(server.0.stdout.take().unwrap());
        let mut address = String::new();
        said.read_line(&mut address).unwrap();
        for _ in 0..3 {
            assert_eq!(client(address.trim().trim_matches('"')), b"HELLO\n");
        }
        let pid = server.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        // The end of the pipe comes when the last of the processes has ended.
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        assert_eq!((server.0.wait().unwrap().code(), rest.as_str()), (Some(0), ""));
        assert!(!path.exists(), "workers left the file alone, the parent took it along");
    }

    /// A path that nobody else uses.
    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("prefork-{name}-{}", std::process::id()))
    }

    fn talk(mut client: impl Read + Write) -> Vec<u8> {
        client.write_all(b"hello\n").unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        answer
    }

    fn tcp_client(address: &str) -> Vec<u8> {
        let client = TcpStream::connect(address).unwrap();
        client.set_read_timeout(PATIENCE).unwrap();
        talk(client)
    }

    fn unix_stream_client(address: &str) -> Vec<u8> {
        let client = UnixStream::connect(address).unwrap();
        client.set_read_timeout(PATIENCE).unwrap();
        talk(client)
    }

    fn udp_client(address: &str) -> Vec<u8> {
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(PATIENCE).unwrap();
        client.send_to(b"hello\n", address).unwrap();
        let mut answer = vec![0; 100];
        let length = client.recv(&mut answer).unwrap();
        answer[..length].to_vec()
    }

    /// Many at once, each of which is answered once. The workers receive none ahead.
    fn many_udp_packets(address: &str) -> Vec<u8> {
        const COUNT: usize = 50;
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(PATIENCE).unwrap();
        for number in 0..COUNT {
            client.send_to(format!("a{number}").as_bytes(), address).unwrap();
        }
        let answer = |_| {
            let mut answer = vec![0; 100];
            let length = client.recv(&mut answer).unwrap();
            answer.truncate(length);
            String::from_utf8(answer).unwrap()
        };
        let answers: std::collections::BTreeSet<_> = (0..COUNT).map(answer).collect();
        assert_eq!(answers.len(), COUNT);
        assert!(answers.iter().all(|answer| answer.starts_with('A')));
        udp_client(address)
    }

    fn unix_datagram_client(address: &str) -> Vec<u8> {
        let own = path("client");
        let client = UnixDatagram::bind(&own).unwrap();
        client.set_read_timeout(PATIENCE).unwrap();
        client.send_to(b"hello\n", address).unwrap();
        let mut answer = vec![0; 100];
        let length = client.recv(&mut answer).unwrap();
        std::fs::remove_file(own).unwrap();
        answer[..length].to_vec()
    }
}
