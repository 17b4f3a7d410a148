//! A subject in a process of its own: starting it, playing scenarios with it, killing it when it hangs.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command as System, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Command, Played, Subject, SubjectError};
use crate::clients::Clients;
use crate::reduce::reduce;
use crate::scenario::{Scenario, Step};
use crate::wire::{Order, Report};

/// How long a scenario may take if it does not say.
const LIMIT: Duration = Duration::from_secs(15);

/// A subject's process.
#[derive(Debug)]
pub struct Process {
    command: Command,
    version: String,
    running: Running,
    /// Where its Unix sockets are.
    folder: TempDir,
    /// Scenarios played, for a path of its own for each.
    played: u64,
}

#[derive(Debug)]
struct Running {
    child: Child,
    orders: ChildStdin,
    reports: Receiver<String>,
}

/// Why the script of a scenario was not played to its end.
enum Cut {
    /// The time was over.
    Hung,
    /// The subject cannot play this.
    Unsupported(String),
    /// The server could not be made or reached.
    Failed(String),
    /// The process is gone.
    Gone,
    /// Something else is broken.
    Broken(SubjectError),
}

impl From<SubjectError> for Cut {
    fn from(error: SubjectError) -> Self {
        Self::Broken(error)
    }
}

impl Process {
    /// Starts the program and waits until it says what it is.
    ///
    /// # Errors
    ///
    /// When it cannot be started or does not say so.
    pub fn start(command: &Command) -> Result<Self, SubjectError> {
        let failed = |source| process_error(command, "start", source);
        let folder = tempfile::Builder::new().prefix("conformance").tempdir().map_err(failed)?;
        let running = Running::start(command).map_err(failed)?;
        let mut process =
            Self { command: command.clone(), version: String::new(), running, folder, played: 0 };
        process.version = process.greeted()?;
        Ok(process)
    }

    fn greeted(&mut self) -> Result<String, SubjectError> {
        match self.next(Instant::now() + LIMIT) {
            Ok(Report::Hello { version }) => Ok(version),
            Ok(other) => Err(self.nonsense(&format!("{other:?}"))),
            Err(Cut::Broken(error)) => Err(error),
            Err(Cut::Gone) => {
                let gone = io::Error::from(io::ErrorKind::UnexpectedEof);
                Err(process_error(&self.command, "say what it is", gone))
            }
            Err(_) => Err(self.nonsense("nothing")),
        }
    }

    fn nonsense(&self, said: &str) -> SubjectError {
        let program = self.command.program.display().to_string();
        SubjectError::Protocol { program, said: said.to_owned() }
    }

    fn order(&mut self, order: &Order) -> Result<(), Cut> {
        let text =
            serde_json::to_string(order).map_err(|error| self.nonsense(&error.to_string()))?;
        match writeln!(self.running.orders, "{text}") {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Cut::Gone),
            sent => sent.map_err(|error| process_error(&self.command, &text, error).into()),
        }
    }

    /// The next report, up to the deadline.
    fn next(&self, deadline: Instant) -> Result<Report, Cut> {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.running.reports.recv_timeout(left) {
            Ok(line) => serde_json::from_str(&line).map_err(|_| self.nonsense(&line).into()),
            Err(RecvTimeoutError::Timeout) => Err(Cut::Hung),
            Err(RecvTimeoutError::Disconnected) => Err(Cut::Gone),
        }
    }

    /// Plays the script. What the subject reports goes to `heard`, also if this fails.
    fn run(
        &mut self,
        scenario: &Scenario,
        clients: &mut Clients,
        heard: &mut Heard,
    ) -> Result<(), Cut> {
        self.played += 1;
        let path = self.folder.path().join(self.played.to_string());
        let run = Order::Run {
            scenario: Box::new(scenario.clone()),
            path: path.to_string_lossy().into_owned(),
        };
        self.order(&run)?;
        match self.next(heard.deadline)? {
            Report::Ready { port } => clients.server_is_at(port, &path),
            Report::Unsupported { why } => return Err(Cut::Unsupported(why)),
            Report::Failed { why } => return Err(Cut::Failed(why)),
            other => {
                let why = format!("what was played before still goes on: {other:?}");
                return Err(Cut::Failed(why));
            }
        }
        if !scenario.script.contains(&Step::Drive) {
            self.order(&Order::Drive)?;
        }
        for step in &scenario.script {
            match step {
                Step::Drive => self.order(&Order::Drive)?,
                Step::Stop => self.order(&Order::Stop)?,
                Step::Await(turns) => {
                    self.listen(heard, |heard| heard.driven() || heard.settled(*turns))?;
                }
                other => {
                    let failed = |source| client_failed(format!("{other:?}"), source);
                    clients.step(other, heard.deadline).map_err(failed)?;
                }
            }
        }
        self.listen(heard, Heard::driven)?;
        self.order(&Order::Close)?;
        self.listen(heard, Heard::closed)?;
        clients.read_the_rest(&heard.reports);
        self.order(&Order::End)
    }

    fn listen(&self, heard: &mut Heard, enough: impl Fn(&Heard) -> bool) -> Result<(), Cut> {
        while !enough(heard) {
            let report = self.next(heard.deadline)?;
            heard.reports.push(report);
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<(), SubjectError> {
        let failed = |source| process_error(&self.command, "start again", source);
        self.running = Running::start(&self.command).map_err(failed)?;
        self.greeted().map(drop)
    }
}

impl Subject for Process {
    fn version(&self) -> &str {
        &self.version
    }

    fn play(&mut self, scenario: &Scenario) -> Result<Played, SubjectError> {
        let limit = scenario.options.limit.map_or(LIMIT, Duration::from_millis);
        let mut heard = Heard { deadline: Instant::now() + limit, reports: Vec::new() };
        let mut clients = Clients::new(scenario.transport);
        let result = self.run(scenario, &mut clients, &mut heard);
        match result {
            Ok(()) => Ok(Played::Trace(reduce(&heard.reports, clients.seen()))),
            Err(Cut::Hung) => {
                self.restart()?;
                Ok(Played::Hung(reduce(&heard.reports, clients.seen())))
            }
            Err(Cut::Unsupported(why)) => Ok(Played::Unsupported(why)),
            Err(Cut::Failed(why)) => {
                self.restart()?;
                Ok(Played::Failed { why, trace: reduce(&heard.reports, clients.seen()) })
            }
            Err(Cut::Gone) => {
                let why = format!("its process has ended: {}", self.running.end());
                self.restart()?;
                Ok(Played::Failed { why, trace: reduce(&heard.reports, clients.seen()) })
            }
            Err(Cut::Broken(error)) => {
                // What it still does would be taken for a part of the next scenario.
                self.restart()?;
                Err(error)
            }
        }
    }
}

/// What a subject has reported of a scenario.
struct Heard {
    deadline: Instant,
    reports: Vec<Report>,
}

impl Heard {
    fn driven(&self) -> bool {
        self.reports.iter().any(|report| matches!(report, Report::Driven))
    }

    fn closed(&self) -> bool {
        self.reports.iter().any(|report| matches!(report, Report::Closed { .. }))
    }

    /// Whether so many calls of `get_request` have been made and the turn of the last is over.
    fn settled(&self, turns: usize) -> bool {
        crate::reduce::settled(&self.reports, turns)
    }
}

impl Running {
    fn start(command: &Command) -> io::Result<Self> {
        let mut child = System::new(&command.program)
            .args(&command.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // Both have just been asked for.
        let (Some(orders), Some(reports)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok(Self { child, orders, reports: read_lines(reports)? })
    }

    /// Ends it if need be, and tells how it has ended.
    fn end(&mut self) -> String {
        // It may be gone already; its children end when they find that nobody reads their reports, or with their clients.
        let _ = self.child.kill();
        self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reads lines in a thread, so that waiting for one can end.
fn read_lines(reports: ChildStdout) -> io::Result<Receiver<String>> {
    let (sender, receiver) = channel();
    thread::Builder::new().name("reports".to_owned()).spawn(move || {
        for line in BufReader::new(reports).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    })?;
    Ok(receiver)
}

/// What it means that a client cannot do its part: nobody serves it, or something else is broken.
fn client_failed(step: String, source: io::Error) -> Cut {
    match source.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::NotFound
        | io::ErrorKind::TimedOut
        | io::ErrorKind::WouldBlock => Cut::Failed(format!("a client could not {step}: {source}")),
        _ => Cut::Broken(SubjectError::Client { step, source }),
    }
}

fn process_error(command: &Command, doing: &str, source: io::Error) -> SubjectError {
    let program = command.program.display().to_string();
    SubjectError::Process { program, doing: doing.to_owned(), source }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
