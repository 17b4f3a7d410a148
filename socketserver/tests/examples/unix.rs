//! The examples on Unix sockets: who is there, and a collector of messages.

use std::io::Read;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::process::{self, Command};

use crate::packets::PYTHON_LOGGER;
use crate::program::{Program, assert_fails, example, is_on_path};
use crate::support::PATIENCE;

/// A path that nobody else uses.
fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("{name}-{}", process::id()))
}

#[test]
fn unix_whoami_tells_the_ids_of_its_client() {
    let path = path("whoami");
    let server = Program::start(example("unix_whoami").arg(&path)).unwrap();
    assert_eq!(server.address(), path.to_str().unwrap());
    let mut client = UnixStream::connect(&path).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    let expected = format!("pid {} uid ", process::id());
    // Not every system tells the process.
    assert!(answer.starts_with(&expected) || answer.starts_with("pid unknown uid "), "{answer}");

    // A second server does not take the name of one that lives.
    assert_fails("unix_whoami", &[path.to_str().unwrap()], &["cannot listen on", "whoami"]);

    server.interrupt();
    let (status, _, _) = server.wait();
    assert_eq!(status.code(), Some(0));
    assert!(!path.exists(), "the socket file goes with its server");
}

#[test]
fn unix_whoami_replaces_the_file_of_one_that_was_killed() {
    let path = path("whoami-stale");
    for _ in 0..2 {
        let server = Program::start(example("unix_whoami").arg(&path)).unwrap();
        assert_eq!(server.address(), path.to_str().unwrap());
        drop(server);
        assert!(path.exists(), "killed, it leaves its file");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn syslog_collector_listens_on_a_path_too() {
    let path = path("syslog");
    let arguments = ["127.0.0.1:0", path.to_str().unwrap()];
    let server = Program::start(example("syslog_collector").args(arguments)).unwrap();
    assert_eq!(server.address(), path.to_str().unwrap());
    let udp = crate::packets::client(server.address().parse().unwrap());

    UnixDatagram::unbound().unwrap().send_to(b"<14>nameless", &path).unwrap();
    assert_eq!(server.next_line(), "<14>nameless");
    udp.send(b"<14>by udp").unwrap();
    assert_eq!(server.next_line(), "<14>by udp");
    if is_on_path("python3") {
        let python = Command::new("python3").args(["-c", PYTHON_LOGGER]).arg(&path).status();
        assert!(python.unwrap().success());
        assert_eq!(server.next_line(), "<12>from Python: it works");
    } else {
        println!("notice: python3 was not found, its client was left out");
    }

    server.interrupt();
    let (status, _, _) = server.wait();
    assert_eq!(status.code(), Some(0));
    assert!(!path.exists(), "the socket file goes with its server");
}
