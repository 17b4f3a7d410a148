//! The example `prefork_upper`: its workers serve, are replaced when they crash, finish what they have when
//! they are to stop, and do not outlive their parent.

use std::collections::HashSet;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Instant;

use crate::program::{Program, cannot_fork, is_on_path, say};
use crate::support::{PATIENCE, connect, read_to_end};

/// The children of the program, as the system lists them; dead ones that nobody has waited for are not counted.
fn workers(program: &Program) -> HashSet<String> {
    let list = Command::new("ps").args(["-A", "-o", "pid=,ppid=,stat="]).output().unwrap();
    let parent = program.child.id().to_string();
    String::from_utf8(list.stdout)
        .unwrap()
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields[1] == parent && !fields[2].starts_with('Z'))
        .map(|fields| fields[0].to_owned())
        .collect()
}

fn has_ps() -> bool {
    let has = is_on_path("ps");
    if !has {
        println!("notice: ps was not found, the workers were not looked at");
    }
    has
}

/// Looks again and again until it is so.
fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(begin.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

fn serve() -> (Program, SocketAddr) {
    let (program, address) = Program::serve_somewhere("prefork_upper");
    if has_ps() {
        eventually("four workers", || workers(&program).len() == 4);
    }
    (program, address)
}

fn ask(address: SocketAddr, line: &str) -> String {
    let client = connect(address);
    say(&client, line);
    read_to_end(&client)
}

fn kill(pid: &str) {
    assert!(Command::new("kill").args(["-KILL", pid]).status().unwrap().success());
}

#[test]
fn workers_serve() {
    if cannot_fork() {
        return;
    }
    let (_program, address) = serve();
    for _ in 0..50 {
        assert_eq!(ask(address, "hello"), "HELLO\n");
    }
}

#[test]
fn a_worker_that_is_killed_costs_its_request_and_is_replaced() {
    if cannot_fork() {
        return;
    }
    if !has_ps() {
        return;
    }
    let (program, address) = serve();
    let before = workers(&program);
    // Four clients that say nothing yet, so each worker has one.
    let clients = [(); 4].map(|()| connect(address));
    let victim = before.iter().next().unwrap();
    kill(victim);
    assert_eq!(program.stderr_line(), format!("child {victim} was killed by signal 9"));
    eventually("another worker", || {
        let now = workers(&program);
        now.len() == 4 && !now.contains(victim)
    });
    let served = clients.into_iter().filter(|mut client| {
        // The one of the victim's may notice now that it is cut off.
        let _ = client.write_all(b"hello\n");
        std::io::read_to_string(client).is_ok_and(|answer| answer == "HELLO\n")
    });
    // Which of them the victim had accepted is chance, and whether it had any.
    assert!(served.count() >= 3);
    assert_eq!(ask(address, "again"), "AGAIN\n");
}

#[test]
fn ctrl_c_lets_the_workers_finish() {
    if cannot_fork() {
        return;
    }
    let (program, address) = serve();
    let client = connect(address);
    let other = ask(address, "other");
    assert_eq!(other, "OTHER\n");
    program.interrupt();
    // The listener of a worker is closed when it stops, that of the parent when all have.
    say(&client, "last");
    assert_eq!(read_to_end(&client), "LAST\n");
    let (status, _, said) = program.wait();
    assert_eq!(status.code(), Some(0));
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said.iter().all(|line| line.ends_with("ended with exit code 0")), "{said:?}");
}

#[test]
fn ctrl_c_waits_for_a_silent_client_no_longer_than_the_deadline() {
    if cannot_fork() {
        return;
    }
    let (program, address) = serve();
    let _silent = connect(address);
    // When this has been served, that has been accepted.
    assert_eq!(ask(address, "other"), "OTHER\n");
    program.interrupt();
    let (status, _, said) = program.wait();
    assert_eq!(status.code(), Some(0), "{said:?}");
    assert!(said.last().unwrap().ends_with("1 forced"), "{said:?}");
}

#[test]
fn workers_do_not_outlive_a_parent_that_is_killed() {
    if cannot_fork() {
        return;
    }
    let (mut program, address) = serve();
    program.child.kill().unwrap();
    program.child.wait().unwrap();
    eventually("nobody listens", || {
        TcpStream::connect(address).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    });
}
