//! The examples as programs: what they print, what they answer to clients of all sorts, how they end.

#![cfg(test)]

mod support;

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

use support::{PATIENCE, connect, read_to_end};

/// A program that runs; it ends with this at the latest.
struct Program {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Program {
    fn start(command: &mut Command) -> std::io::Result<Self> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Ok(Self { child, stdout, stderr })
    }

    /// A server among the examples, and the address it says it listens on.
    fn serve(name: &str, arguments: &[&str]) -> (Self, SocketAddr) {
        let server = Self::start(example(name).args(arguments)).unwrap();
        let line = server.stderr.recv_timeout(PATIENCE).unwrap();
        let address = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}"));
        let address = address.parse().unwrap();
        (server, address)
    }

    /// A server on a port of its own.
    fn serve_somewhere(name: &str) -> (Self, SocketAddr) {
        Self::serve(name, &["127.0.0.1:0"])
    }

    fn next_line(&self) -> String {
        self.stdout.recv_timeout(PATIENCE).unwrap()
    }

    /// Waits for the end; gives the status and what else was written to standard output and error.
    fn wait(mut self) -> (ExitStatus, Vec<String>, Vec<String>) {
        let stdout = rest(&self.stdout);
        let stderr = rest(&self.stderr);
        (self.child.wait().unwrap(), stdout, stderr)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a pipe as they come; whoever waits for one can give up.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// All lines up to the end of the pipe.
fn rest(lines: &Receiver<String>) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => all.push(line),
            Err(RecvTimeoutError::Disconnected) => return all,
            Err(RecvTimeoutError::Timeout) => panic!("no end after {all:?}"),
        }
    }
}

/// The example of this name, built next to this test.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let path: PathBuf = profile.join("examples").join(format!("{name}{EXE_SUFFIX}"));
    assert!(path.is_file(), "build the examples first: cargo build --examples ({path:?})");
    match runner() {
        Some(runner) => {
            let mut command = Command::new(runner);
            command.arg(path);
            command
        }
        None => Command::new(path),
    }
}

/// What runs programs of this target, if it is not this machine: the emulator that Cargo was told to run
/// these tests with.
fn runner() -> Option<OsString> {
    let emulated = cfg!(all(target_os = "linux", target_arch = "aarch64"));
    std::env::var_os("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER").filter(|_| emulated)
}

/// Whether there is a program of this name. (To start it and see is not enough: an emulator may say it
/// started one that is not there.)
fn is_on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(format!("{name}{EXE_SUFFIX}")).is_file())
}

/// A line to the server, without waiting for an answer.
fn say(mut client: &TcpStream, line: &str) {
    client.write_all(format!("{line}\n").as_bytes()).unwrap();
}

#[test]
fn upper_answers_in_upper_case() {
    let (_server, address) = Program::serve_somewhere("upper");
    for (line, answer) in [("hello", "HELLO\n"), ("Straße 7", "STRAßE 7\n"), ("", "\n")] {
        let client = connect(address);
        say(&client, line);
        assert_eq!(read_to_end(&client), answer);
    }
}

#[test]
fn upper_serves_clients_at_the_same_time() {
    let (_server, address) = Program::serve_somewhere("upper");
    let silent = connect(address);
    let client = connect(address);
    say(&client, "second");
    assert_eq!(read_to_end(&client), "SECOND\n");
    say(&silent, "first");
    assert_eq!(read_to_end(&silent), "FIRST\n");
}

#[test]
fn upper_client_prints_the_answer() {
    let (_server, address) = Program::serve_somewhere("upper");
    let client = example("upper_client").arg(address.to_string()).args(["hello", "world"]).output();
    let client = client.unwrap();
    assert!(client.status.success(), "{client:?}");
    assert_eq!(String::from_utf8_lossy(&client.stdout), "HELLO WORLD\n");
    assert_eq!(String::from_utf8_lossy(&client.stderr), "");
}

#[test]
fn upper_client_says_which_server_it_did_not_reach() {
    // Bound and not listening: nobody else can take the port, and nobody answers.
    let bound = socketserver::transports::Tcp::options().bind_only("127.0.0.1:0").unwrap();
    let address = bound.local_addr().unwrap().to_string();
    let client = Program::start(example("upper_client").args([&address, "hello"])).unwrap();
    let (status, _, stderr) = client.wait();
    assert_eq!(status.code(), Some(1));
    assert!(stderr.len() == 1 && stderr[0].contains(&address), "{stderr:?}");
}

/// The client of CPython's documentation, in a few words.
const PYTHON_CLIENT: &str = "
import socket, sys
host, port, *words = sys.argv[1:]
with socket.create_connection((host, int(port)), timeout=30) as server:
    server.sendall((' '.join(words) + '\\n').encode())
    with server.makefile('rb') as answer:
        print('received:', answer.readline().decode().rstrip())
        print('then:', answer.read())
";

#[test]
fn upper_answers_a_client_in_python() {
    let version = Command::new("python3").arg("--version").output();
    if !version.is_ok_and(|version| version.status.success()) {
        println!("notice: python3 was not found, its client was left out");
        return;
    }
    let (_server, address) = Program::serve_somewhere("upper");
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let client = Program::start(Command::new("python3").args([
        "-c",
        PYTHON_CLIENT,
        &host,
        &port,
        "hello",
        "python",
    ]));
    let (status, stdout, stderr) = client.unwrap().wait();
    assert!(status.success(), "{stderr:?}");
    assert_eq!(stdout, ["received: HELLO PYTHON", "then: b''"]);
}

#[test]
fn upper_answers_netcat() {
    let (_server, address) = Program::serve_somewhere("upper");
    let mut netcat = Command::new("nc");
    netcat.args([address.ip().to_string(), address.port().to_string()]);
    if !is_on_path("nc") {
        println!("notice: nc was not found, it was left out");
        return;
    }
    let mut client = Program::start(&mut netcat).unwrap();
    // Its input stays open: some netcats give up when that ends.
    client.child.stdin.as_mut().unwrap().write_all(b"hello netcat\n").unwrap();
    assert_eq!(client.next_line(), "HELLO NETCAT");
}

#[test]
fn exit_chat_prints_what_two_clients_say_and_exit_ends_only_one() {
    let (server, address) = Program::serve("exit_chat", &["127.0.0.1", "0"]);
    let (one, two) = (connect(address), connect(address));
    for (client, message, printed) in [
        (&one, "Hello World", "11 hello world"),
        (&two, "ME TOO", "6 me too"),
        (&one, "", "0 "),
        (&two, "EXIT", "4 exit"),
        (&one, "exit now", "8 exit now"),
    ] {
        say(client, message);
        assert_eq!(server.next_line(), printed);
    }
    say(&two, "exit");
    assert_eq!(read_to_end(&two), "");
    say(&one, "Still here");
    assert_eq!(server.next_line(), "10 still here");
    let three = connect(address);
    say(&three, "New");
    assert_eq!(server.next_line(), "3 new");
    say(&one, "exit");
    assert_eq!(read_to_end(&one), "");
}

// Elsewhere one program cannot send another the signal of Ctrl-C.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_server_well_while_clients_are_connected() {
    for name in ["upper", "exit_chat"] {
        let (server, address) = Program::serve_somewhere(name);
        let silent = connect(address);
        // It came later and has been served: so there is a thread for the silent one.
        let later = connect(address);
        say(&later, if name == "upper" { "last" } else { "exit" });
        read_to_end(&later);
        let pid = server.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let (status, _, stderr) = server.wait();
        assert_eq!(status.code(), Some(0), "{name}");
        assert_eq!(stderr, [""; 0], "{name}");
        drop(silent);
    }
}

/// Starts the example with these arguments; it fails, in one line with all of these words.
fn assert_fails(name: &str, arguments: &[&str], words: &[&str]) {
    let (status, stdout, stderr) = Program::start(example(name).args(arguments)).unwrap().wait();
    assert_eq!(status.code(), Some(1), "{name}");
    assert_eq!(stdout, [""; 0], "{name}");
    let [line] = &stderr[..] else { panic!("{name}: {stderr:?}") };
    for word in words {
        assert!(line.contains(word), "{name}: {line} without {word}");
    }
}

#[test]
fn a_bad_address_is_told_in_one_line() {
    assert_fails("upper", &["127.0.0.1:99999"], &["cannot listen on", "127.0.0.1:99999"]);
    assert_fails("exit_chat", &["127.0.0.1", "99999"], &["cannot listen on", "127.0.0.1:99999"]);
    assert_fails("exit_chat", &["a", "b", "c"], &["usage: exit_chat"]);
    assert_fails("upper_client", &[], &["usage: upper_client"]);
}

#[test]
fn a_port_in_use_is_told_in_one_line() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let port = listener.local_addr().unwrap().port().to_string();
    assert_fails("upper", &[&address], &["cannot listen on", "bind", &address]);
    assert_fails("exit_chat", &["127.0.0.1", &port], &["cannot listen on", "bind", &address]);
}
