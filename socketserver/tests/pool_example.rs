//! The example `pool_overload` as a program: who is served, who waits, who is told that it is busy, how it
//! ends.

#![cfg(test)]

use std::env::consts::EXE_SUFFIX;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Nothing takes this long: what waits longer is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// The example, built next to this test; it ends with this at the latest.
struct Program {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
        let path = profile.join("examples").join(format!("pool_overload{EXE_SUFFIX}"));
        assert!(path.is_file(), "build the examples first: cargo build --examples ({path:?})");
        let mut command = Command::new(path);
        command.args(arguments).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    /// Where it says it listens.
    fn address(&mut self) -> SocketAddr {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ");
        address.unwrap_or_else(|| panic!("{line:?}")).parse().unwrap()
    }

    /// Its exit code, when it has ended, and what it said meanwhile.
    fn wait(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client
}

fn read_to_end(mut client: &TcpStream) -> String {
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

fn ask(mut client: &TcpStream, line: &str) -> String {
    writeln!(client, "{line}").unwrap();
    read_to_end(client)
}

/// Clients of a new server that connect and say nothing: two are with the workers, two in the queue, the rest are refused.
fn fill(address: SocketAddr) -> [TcpStream; 4] {
    let silent = [(); 4].map(|()| connect(address));
    // Connections are taken in their order.
    assert_eq!(read_to_end(&connect(address)), "busy\n");
    silent
}

#[test]
fn it_answers_in_upper_case_and_says_when_it_is_busy() {
    let mut program = Program::start(&["127.0.0.1:0"]);
    let address = program.address();
    let [first, second, third, fourth] = fill(address);
    for _ in 0..20 {
        assert_eq!(read_to_end(&connect(address)), "busy\n");
    }
    for (client, line, answer) in [
        (&first, "first", "FIRST\n"),
        (&second, "second", "SECOND\n"),
        (&third, "third", "THIRD\n"),
        (&fourth, "fourth", "FOURTH\n"),
    ] {
        assert_eq!(ask(client, line), answer);
    }

    // A worker is free a moment after its client has seen the end, so some may still be refused.
    let answers = (0..10_000).map(|_| ask_blindly(&connect(address)));
    let served = answers.into_iter().find(|answer| !["busy\n", ""].contains(&&**answer));
    assert_eq!(served.as_deref(), Some("AGAIN\n"));
}

/// What a client gets that sends a line without looking first; it may be cut off by a refusal.
fn ask_blindly(mut client: &TcpStream) -> String {
    let _ = writeln!(client, "again");
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_bad_address_is_told_in_one_line() {
    let (code, said) = Program::start(&["127.0.0.1:99999"]).wait();
    assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("cannot listen on") && said.contains("127.0.0.1:99999"), "{said}");
}

// Elsewhere one program cannot send another the signal of Ctrl-C.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_well_while_clients_are_connected() {
    let mut program = Program::start(&["127.0.0.1:0"]);
    let address = program.address();
    let silent = fill(address);
    let pid = program.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(program.wait(), (Some(0), String::new()));
    drop(silent);
}
