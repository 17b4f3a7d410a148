//! Running a command within a time: what takes longer is killed, so that a hang is a failure.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How a command ended, and what it printed.
#[derive(Debug)]
pub(super) struct Ran {
    /// `None` if it was killed because its time was over.
    pub(super) status: Option<ExitStatus>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// How often it is looked whether the command has ended.
const LOOK: Duration = Duration::from_millis(10);

/// Runs the command for no longer than `limit`. With no time at all it is not even started.
///
/// What it prints goes to files: a pipe would be held open by a grandchild that outlives the command.
pub(super) fn run(command: &mut Command, limit: Duration) -> io::Result<Ran> {
    if limit.is_zero() {
        return Ok(Ran { status: None, stdout: String::new(), stderr: String::new() });
    }
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdin(Stdio::null()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    group::lead(command);
    let started = Instant::now();
    let mut child = command.spawn()?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if started.elapsed() >= limit {
            group::kill(&mut child)?;
            child.wait()?;
            break None;
        }
        thread::sleep(LOOK);
    };
    Ok(Ran { status, stdout: text(&mut stdout)?, stderr: text(&mut stderr)? })
}

fn text(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(unix)]
mod group {
    //! With the command dies all that it started.

    use std::os::unix::process::CommandExt;

    use rustix::process::{Pid, Signal, kill_process_group};

    use super::{Child, Command, io};

    pub(super) fn lead(command: &mut Command) {
        command.process_group(0);
    }

    pub(super) fn kill(child: &mut Child) -> io::Result<()> {
        Ok(kill_process_group(Pid::from_child(child), Signal::KILL)?)
    }
}

#[cfg(not(unix))]
mod group {
    //! Only the command itself can be killed.

    use super::{Child, Command, io};

    pub(super) fn lead(_: &mut Command) {}

    pub(super) fn kill(child: &mut Child) -> io::Result<()> {
        child.kill()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Ran {
        run(Command::new("sh").args(["-c", script]), limit).unwrap()
    }

    #[test]
    fn what_ends_in_time_gives_its_status_and_both_outputs() {
        let ran = shell("echo out; echo err >&2; exit 3", Duration::from_secs(30));
        assert_eq!(ran.status.unwrap().code(), Some(3));
        assert_eq!((&*ran.stdout, &*ran.stderr), ("out\n", "err\n"));
    }

    #[test]
    fn with_no_time_nothing_is_started() {
        let ran = shell("echo begun", Duration::ZERO);
        assert!(ran.status.is_none() && ran.stdout.is_empty());
    }

    #[test]
    fn what_hangs_is_killed_with_all_that_it_started_and_its_output_is_kept() {
        let started = Instant::now();
        let ran = shell("echo begun; sleep 600 & sleep 600", Duration::from_millis(300));
        assert!(ran.status.is_none());
        assert_eq!(ran.stdout, "begun\n");
        assert!(started.elapsed() < Duration::from_secs(60));
    }
}
