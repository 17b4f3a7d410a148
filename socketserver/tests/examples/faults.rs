//! The examples while system calls fail that they make: the kernel says what `strace` has it say. Where there is no
//! `strace`, or it may not trace, this is left out with a notice.

use std::net::{Shutdown, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::errno::{GO_ON, NOTHING, PAUSE, STOP};
use crate::program::{Program, example, is_on_path, runner, say};
use crate::support::{connect, read_to_end};

/// Whether calls can be made to fail here.
fn can_inject() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    let can = *CAN.get_or_init(|| {
        let mut strace = Command::new("strace");
        strace.args(["-o", "/dev/null", "-e", "inject=accept4:error=ENFILE", "true"]);
        strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        runner().is_none()
            && is_on_path("strace")
            && strace.status().is_ok_and(|status| status.success())
    });
    if !can {
        println!("notice: there is no strace that may trace, so no system call was made to fail");
    }
    can
}

/// An example that serves while calls fail.
struct Faulty {
    server: Program,
    address: SocketAddr,
    /// What strace has seen.
    log: PathBuf,
}

impl Faulty {
    /// An example that serves, with calls made to fail as `what` says.
    fn serve(name: &str, what: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = (process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let log = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let log = log.join(format!("strace-{}-{}", number.0, number.1));
        let mut strace = Command::new("strace");
        // As a grandchild, so that the program is the child that the test knows.
        strace.args(["-D", "-f", "-qq", "-e", &format!("inject={what}"), "-o"]).arg(&log);
        strace.arg(example(name).get_program()).arg("127.0.0.1:0");
        // A leak checker cannot look into a program that strace looks into.
        strace.env("ASAN_OPTIONS", "detect_leaks=0");
        let server = Program::start(&mut strace).unwrap();
        let address = server.address().parse().unwrap();
        Self { server, address, log }
    }

    /// What a client that says hello is told.
    fn hello(&self) -> String {
        let client = connect(self.address);
        say(&client, "hello");
        read_to_end(&client)
    }

    /// How many calls were made to fail, up to the last answer.
    fn injected(&self) -> usize {
        std::fs::read_to_string(&self.log).unwrap().matches("(INJECTED)").count()
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        // Left behind it does no harm.
        let _ = std::fs::remove_file(&self.log);
    }
}

#[test]
fn a_server_goes_on_after_every_error_of_accept_that_is_not_its_own_fault() {
    if !can_inject() {
        return;
    }
    for errno in NOTHING.iter().chain(GO_ON).chain(PAUSE) {
        let server = Faulty::serve("upper", &format!("accept4:error={}:when=1", errno.0));
        assert_eq!(server.hello(), "HELLO\n", "{errno:?}");
        assert_eq!(server.hello(), "HELLO\n", "{errno:?}");
        assert_eq!(server.injected(), 1, "{errno:?}");
    }
}

#[test]
fn a_server_whose_listener_is_broken_ends_and_says_so() {
    if !can_inject() {
        return;
    }
    for errno in STOP {
        let mut server = Faulty::serve("upper", &format!("accept4:error={}:when=1", errno.0));
        let client = connect(server.address);
        let (status, stderr) = server.server.end();
        assert!(!status.success(), "{errno:?}");
        let shown = format!("Error: cannot take requests any more: {}", errno.error());
        let says = |line: &String| *line == shown;
        assert!(stderr.iter().any(says), "{errno:?}: {stderr:?}");
        drop(client);
    }
}

#[test]
fn a_server_that_stays_out_of_descriptors_for_a_while_serves_afterwards() {
    if !can_inject() {
        return;
    }
    let server = Faulty::serve("upper", "accept4:error=EMFILE:when=1..5");
    assert_eq!(server.hello(), "HELLO\n");
    assert_eq!(server.injected(), 5);
}

#[test]
fn a_wait_that_is_interrupted_goes_on() {
    if !can_inject() {
        return;
    }
    let server = Faulty::serve("upper", "ppoll:error=EINTR:when=1..20");
    assert_eq!(server.hello(), "HELLO\n");
    assert_eq!(server.injected(), 20);
}

#[test]
fn a_wake_that_finds_no_memory_is_not_given_up() {
    if !can_inject() {
        return;
    }
    let mut server = Faulty::serve("upper", "sendto:error=ENOBUFS:when=1..3");
    // One that has nothing to say, nor is told anything: with it the loop is there, and waits again.
    let client = connect(server.address);
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&client), "");
    server.server.interrupt();
    let (status, stderr) = server.server.end();
    assert!(status.success(), "{stderr:?}");
    assert_eq!(server.injected(), 3, "one wake, which came through at the fourth attempt");
}

#[test]
fn a_thread_that_the_system_refuses_costs_one_request() {
    if !can_inject() {
        return;
    }
    // The first thread is the one that waits for Ctrl-C.
    let server = Faulty::serve("upper", "?clone,?clone3:error=EAGAIN:when=2");
    let refused = connect(server.address);
    assert_eq!(read_to_end(&refused), "");
    assert_eq!(server.hello(), "HELLO\n");
}

#[test]
fn a_fork_that_the_system_refuses_costs_one_request() {
    if !can_inject() {
        return;
    }
    let server =
        Faulty::serve("forking_upper", "?fork,?vfork,?clone,?clone3:error=ENOMEM:when=1..2");
    for _ in 0..2 {
        let refused = connect(server.address);
        assert_eq!(read_to_end(&refused), "");
    }
    assert_eq!(server.hello(), "HELLO\n");
}
