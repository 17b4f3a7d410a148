//! What may disturb a drain of forked children: hooks that panic, somebody who hurries, children of others. All in the main
//! thread: a process with others must not fork.

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
    use std::io::{BufRead, Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::process::ExitCode;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Arc, mpsc};
    use std::thread;
    use std::time::Duration;

    use libtest_mimic::Arguments;
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    use socketserver::core::{Interrupt, Source};
    use socketserver::prelude::*;

    use crate::forking;

    pub(super) fn run() -> ExitCode {
        let mut arguments = Arguments::from_args();
        arguments.test_threads = Some(1);
        let tests: [(&str, fn()); 3] = [
            ("a_panic_of_the_hook_does_not_end_the_backlog", backlog_survives_hook),
            ("who_hurries_too_little_wakes_a_drain_once", hurry_wakes_once),
            ("children_of_others_do_not_hold_the_word_up", word_passes_others),
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

    /// Says which process it is, or ignores all that would end it.
    fn obedient() -> impl Service<TcpConnection> {
        stream_fn(|client: &mut Stream<TcpConnection>| {
            let mut line = String::new();
            client.rfile.read_line(&mut line)?;
            if line.trim_end() != "ignore" {
                return Ok(write!(client.wfile, "{}", std::process::id())?);
            }
            signal_hook::flag::register(15, Arc::new(AtomicBool::new(false)))?;
            client.wfile.write_all(b"ignored\n")?;
            loop {
                thread::park();
            }
        })
    }

    fn server(fork: Fork) -> (Server<Tcp, Fork, impl Service<TcpConnection>>, SocketAddr) {
        let server = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), fork, obedient());
        let address = server.local_addr().unwrap();
        (server, address)
    }

    fn backlog_survives_hook() {
        let fork = Fork::new().on_child_exit(|_child| std::panic::panic_any("asked to panic"));
        let (mut server, address) = server(fork);
        let first = connect(address);
        say(&first, "hello");
        assert!(matches!(server.handle_request().unwrap(), Handled::Started));
        let answer = rest(&first);
        let child = Pid::from_raw(answer.parse().unwrap()).unwrap();
        // It has ended, and its parent does not know yet.
        waitid(WaitId::Pid(child), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
        let waiting = connect(address);
        say(&waiting, "hello");
        let report = server.drain(Drain::new().backlog(Backlog::Serve));
        assert!(report.is_clean(), "{report}");
        assert_ne!(rest(&waiting), "");
    }

    /// Hurries once the deadline is over, which is not enough to end the grace, and counts how often it is asked.
    struct HurriesOnce {
        never: UnixStream,
        asked: AtomicUsize,
    }

    impl Interrupt for HurriesOnce {
        fn source(&self) -> Source<'_> {
            self.never.as_fd()
        }

        fn attend(&self, server: &ServerHandle) {
            if self.asked.fetch_add(1, Ordering::Relaxed) == 1 {
                server.force_drain();
            }
        }
    }

    fn hurry_wakes_once() {
        let (mut server, address) = server(Fork::new());
        let client = connect(address);
        say(&client, "ignore");
        assert!(matches!(server.handle_request().unwrap(), Handled::Started));
        (&client).read_exact(&mut [0; 8]).unwrap();
        let (never, _open) = UnixStream::pair().unwrap();
        let hurries = Arc::new(HurriesOnce { never, asked: AtomicUsize::new(0) });
        server.set_interrupt(Some(hurries.clone()));
        let grace = Duration::from_millis(300);
        let report = server.drain(Drain::new().deadline(Duration::ZERO).grace(grace));
        assert_eq!((report.terminated, report.killed, report.workers_left), (1, 1, 0), "{report}");
        let asked = hurries.asked.load(Ordering::Relaxed);
        assert!((2..20).contains(&asked), "it spun: {asked}");
    }

    fn word_passes_others() {
        // Nobody tells the handler of anything but a drain.
        let waits = |client: &mut Stream<TcpConnection>| {
            let (told, word) = mpsc::channel();
            let _told = client.server.on_drain(move || _ = told.send(()));
            client.wfile.write_all(b"waits\n")?;
            word.recv().unwrap();
            Ok(())
        };
        let fork = Fork::new().tell_children(true);
        let mut told = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), fork, stream_fn(waits));
        let (mut others, address) = server(Fork::new());
        let client = connect(told.local_addr().unwrap());
        assert!(matches!(told.handle_request().unwrap(), Handled::Started));
        (&client).read_exact(&mut [0; 6]).unwrap();
        // A child of another server, which has inherited all that the first server has.
        let other = connect(address);
        assert!(matches!(others.handle_request().unwrap(), Handled::Started));
        let report = told.drain(Drain::new().deadline(Duration::from_secs(30)));
        assert!(report.is_clean(), "{report}");
        // It has its client's end too, so that closing that here would not end it.
        say(&other, "hello");
    }
}
