//! A server's process, and its clients, as the tests see them.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::support::{PATIENCE, connect, read_to_end};

/// The server process; it does not outlive its test, nor does what it forked.
pub(crate) struct Program {
    child: Child,
    pub(crate) stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    address: Option<SocketAddr>,
}

/// Long enough for everything.
pub(crate) const LONG: u128 = 2 * PATIENCE.as_millis();

impl Program {
    pub(crate) fn start(kind: &str, deadline: u128, grace: u128) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--serve", kind, &deadline.to_string(), &grace.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, stdin, stdout: BufReader::new(stdout), address: None }
    }

    pub(crate) fn serve(kind: &str, deadline: u128, grace: u128) -> Self {
        let mut program = Self::start(kind, deadline, grace);
        program.address = Some(program.line().parse().unwrap());
        program
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub(crate) fn kill(signal: &str, whom: &str) {
        let kill = format!("kill -s {signal} -- {whom}");
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    pub(crate) fn id(&self) -> String {
        self.child.id().to_string()
    }

    pub(crate) fn signal(&self, signal: &str) {
        Self::kill(signal, &self.id());
    }

    /// What Ctrl-C does: all of the terminal's processes get the signal.
    pub(crate) fn ctrl_c(&self) {
        Self::kill("INT", &format!("-{}", self.child.id()));
    }

    /// A client that has been greeted, so its handler runs.
    pub(crate) fn client(&self) -> Client {
        let mut client = Client(BufReader::new(connect(self.address.unwrap())));
        assert_eq!(client.line(), "hello");
        client
    }

    /// A client whose handler is busy.
    pub(crate) fn busy(&self, how: &str) -> Client {
        let mut client = self.client();
        client.say(how);
        assert_eq!(client.line(), "busy");
        client
    }

    /// Waits until the drain has begun, for a server that says so.
    pub(crate) fn await_drain(&mut self) {
        assert_eq!(self.line(), "draining");
    }

    /// The exit code, and what it said at the end.
    pub(crate) fn end(mut self) -> (i32, String) {
        let mut said = String::new();
        self.stdout.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code().unwrap(), said.trim_end().to_owned())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already; what it forked is in its group.
        if matches!(self.child.try_wait(), Ok(None)) {
            Self::kill("KILL", &format!("-{}", self.child.id()));
            let _ = self.child.wait();
        }
    }
}

pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn say(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Finishes what it is busy with; its server ends the connection then.
    pub(crate) fn finish(&mut self) {
        self.say("done");
        let rest = self.rest();
        assert!(rest.ends_with("wait\ndone\n"), "{rest}");
    }

    pub(crate) fn rest(&mut self) -> String {
        read_to_end(self.0.get_ref())
    }

    /// It ends, with or without a reset.
    pub(crate) fn is_cut(&mut self) {
        let end = self.0.read_to_end(&mut Vec::new());
        let end = end.map_err(|error| error.kind());
        assert!(matches!(end, Ok(_) | Err(ErrorKind::ConnectionReset)), "{end:?}");
    }
}
