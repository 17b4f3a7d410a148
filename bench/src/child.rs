//! A subject as a process of its own: started, found, stopped, killed with all that it has forked.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::Outcome;
use crate::subject::{Program, Subject};
use crate::workload::Workload;

/// How long it may take to begin, or to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a server is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Udp(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// Reads what a server has printed.
    fn parse(line: &str) -> Outcome<Self> {
        let (kind, address) = line.trim_end().split_once(' ').unwrap_or((line, ""));
        match kind {
            "tcp" => Ok(Self::Tcp(address.parse()?)),
            "udp" => Ok(Self::Udp(address.parse()?)),
            "unix" => Ok(Self::Unix(address.into())),
            _ => Err(format!("not an address: {line:?}").into()),
        }
    }
}

/// A server that runs. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    output: BufReader<ChildStdout>,
    pub(crate) address: Address,
    /// What it says on standard error: shown if something goes wrong.
    log: PathBuf,
}

impl Child {
    /// Starts it, and waits for its address.
    pub(crate) fn start(subject: &Subject, workload: Workload) -> Outcome<Self> {
        let log = env::temp_dir().join(format!("socketserver-bench-{}.log", std::process::id()));
        let mut process = command(subject)?
            .arg(subject.name)
            .arg(workload.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log)?)
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{}: cannot start: {error}", subject.name))?;
        let output = process.stdout.take().ok_or("no standard output")?;
        let address = Address::Unix(PathBuf::new());
        let mut child = Self { process, output: BufReader::new(output), address, log };
        child.address = child
            .line()
            .and_then(|line| Address::parse(&line))
            .map_err(|error| format!("{}: {error}{}", subject.name, child.last_words()))?;
        Ok(child)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Orders it to stop; it says how long that took.
    pub(crate) fn stop(&mut self) -> Outcome<Duration> {
        let stdin = self.process.stdin.as_mut().ok_or("no standard input")?;
        stdin.write_all(b"stop\n")?;
        let line = self.line().map_err(|error| format!("{error}{}", self.last_words()))?;
        let nanos = line.trim_end().strip_prefix("stopped ").ok_or("it has not stopped")?;
        Ok(Duration::from_nanos(nanos.parse()?))
    }

    /// The next line it prints.
    fn line(&mut self) -> Outcome<String> {
        let patience = Timespec::try_from(PATIENCE)?;
        let ready =
            poll(&mut [PollFd::new(self.output.get_ref(), PollFlags::IN)], Some(&patience))?;
        if ready == 0 {
            return Err("it has said nothing for 30 seconds".into());
        }
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("it has ended".into());
        }
        Ok(line)
    }

    /// The end of what it said on standard error, for an error message.
    pub(crate) fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let mut lines = text.lines().rev();
        match lines.find(|line| line.chars().any(char::is_alphanumeric)) {
            Some(line) => format!(" ({line})"),
            None => String::new(),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.log);
        if let Address::Unix(path) = &self.address {
            let _ = fs::remove_file(path);
        }
    }
}

/// What starts a subject, but for the names of subject and workload.
fn command(subject: &Subject) -> Outcome<Command> {
    Ok(match subject.program {
        Program::Ours | Program::Rust => {
            let mut command = Command::new(env::current_exe()?);
            command.arg("serve");
            command
        }
        Program::Python => {
            let mut command = Command::new(python().ok_or("python3 was not found")?);
            command.arg(folder().join("python/server.py"));
            command
        }
        Program::Go => Command::new(go_program()),
    })
}

/// Whether it can be started here; if not, why.
pub(crate) fn missing(subject: &Subject) -> Option<String> {
    let answers = |program: &str, argument: &str| {
        let mut command = Command::new(program);
        command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    match subject.program {
        Program::Ours | Program::Rust => None,
        Program::Python => python().is_none().then(|| "python3 was not found".to_owned()),
        Program::Go if !answers("go", "version") => Some("go was not found".to_owned()),
        Program::Go => build_go().err().map(|error| format!("it does not build: {error}")),
    }
}

/// CPython itself: what is called so on the path may be a script that looks for it, each time.
fn python() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let mut command = Command::new("python3");
        let output = command.args(["-c", "import sys; print(sys.executable)"]).output().ok()?;
        let path = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| PathBuf::from(path.trim_end()))
    };
    FOUND.get_or_init(find).as_deref()
}

/// Beside this program, which is in a folder for such things.
fn go_program() -> PathBuf {
    let here = env::current_exe().unwrap_or_default();
    here.parent().unwrap_or(Path::new(".")).join("socketserver-bench-go")
}

fn build_go() -> Outcome<()> {
    let source = folder().join("go/main.go");
    let status =
        Command::new("go").arg("build").arg("-o").arg(go_program()).arg(source).status()?;
    if status.success() { Ok(()) } else { Err(format!("go build: {status}").into()) }
}

/// This package's folder in the source tree.
pub(crate) fn folder() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_understood() {
        let port = "127.0.0.1:80".parse().unwrap();
        assert_eq!(Address::parse("tcp 127.0.0.1:80\n").unwrap(), Address::Tcp(port));
        assert_eq!(Address::parse("udp 127.0.0.1:80").unwrap(), Address::Udp(port));
        assert_eq!(Address::parse("unix /a b\n").unwrap(), Address::Unix("/a b".into()));
        for nonsense in ["", "tcp", "tcp nowhere", "http 127.0.0.1:80"] {
            assert!(Address::parse(nonsense).is_err(), "{nonsense}");
        }
    }
}
