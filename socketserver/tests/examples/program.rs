//! A program that a test starts, talks to, and never leaves behind.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

use crate::support::PATIENCE;

/// A program that runs; it ends with this at the latest.
pub(crate) struct Program {
    pub(crate) child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> std::io::Result<Self> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Ok(Self { child, stdout, stderr })
    }

    /// A server among the examples, and the address it says it listens on.
    pub(crate) fn serve(name: &str, arguments: &[&str]) -> (Self, SocketAddr) {
        let server = Self::start(example(name).args(arguments)).unwrap();
        let address = server.address().parse().unwrap();
        (server, address)
    }

    /// The next address it says it listens on.
    pub(crate) fn address(&self) -> String {
        let line = self.stderr.recv_timeout(PATIENCE).unwrap();
        line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}")).to_owned()
    }

    /// Does what Ctrl-C does.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    /// A server on a port of its own.
    pub(crate) fn serve_somewhere(name: &str) -> (Self, SocketAddr) {
        Self::serve(name, &["127.0.0.1:0"])
    }

    pub(crate) fn next_line(&self) -> String {
        self.stdout.recv_timeout(PATIENCE).unwrap()
    }

    #[cfg(unix)]
    pub(crate) fn stderr_line(&self) -> String {
        self.stderr.recv_timeout(PATIENCE).unwrap()
    }

    /// Waits for the end; gives the status and what else was written to standard output and error.
    pub(crate) fn wait(mut self) -> (ExitStatus, Vec<String>, Vec<String>) {
        let stdout = rest(&self.stdout);
        let (status, stderr) = self.end();
        (status, stdout, stderr)
    }

    /// Waits for the end; gives the status and what else was written to standard error.
    pub(crate) fn end(&mut self) -> (ExitStatus, Vec<String>) {
        let stderr = rest(&self.stderr);
        (self.child.wait().unwrap(), stderr)
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
pub(crate) fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
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
pub(crate) fn rest(lines: &Receiver<String>) -> Vec<String> {
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
pub(crate) fn example(name: &str) -> Command {
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
pub(crate) fn runner() -> Option<OsString> {
    let emulated = cfg!(all(target_os = "linux", target_arch = "aarch64"));
    std::env::var_os("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER").filter(|_| emulated)
}

/// Whether forking has to be left out: an emulator has a thread of its own.
#[cfg(unix)]
pub(crate) fn cannot_fork() -> bool {
    if runner().is_some() {
        println!("notice: the emulator has a thread of its own, so forking was left out");
    }
    runner().is_some()
}

/// Whether there is a program of this name. (To start it and see is not enough: an emulator may say it
/// started one that is not there.)
pub(crate) fn is_on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(format!("{name}{EXE_SUFFIX}")).is_file())
}

/// A line to the server, without waiting for an answer.
pub(crate) fn say(mut client: &TcpStream, line: &str) {
    client.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Starts the example with these arguments; it fails, in one line with all of these words.
pub(crate) fn assert_fails(name: &str, arguments: &[&str], words: &[&str]) {
    let (status, stdout, stderr) = Program::start(example(name).args(arguments)).unwrap().wait();
    assert_eq!(status.code(), Some(1), "{name}");
    assert_eq!(stdout, [""; 0], "{name}");
    let [line] = &stderr[..] else { panic!("{name}: {stderr:?}") };
    for word in words {
        assert!(line.contains(word), "{name}: {line} without {word}");
    }
}
