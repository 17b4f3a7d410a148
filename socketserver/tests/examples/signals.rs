//! The example `signals`: one signal drains it, and the exit code says that all went well.

use std::io::Read;

use crate::program::{Program, say};
use crate::support::{connect, read_to_end};

fn kill(program: &Program) {
    let pid = program.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
}

#[test]
fn a_signal_drains_it() {
    let (program, address) = Program::serve_somewhere("signals");
    let (mut idle, other) = (connect(address), connect(address));
    say(&idle, "hello");
    let mut answer = [0; 6];
    idle.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HELLO\n");
    // It may be received before the drain begins or after, but it is answered.
    say(&other, "good bye");
    kill(&program);
    assert_eq!(read_to_end(&idle), "");
    if cfg!(target_os = "linux") {
        assert_eq!(read_to_end(&other), "GOOD BYE\n");
    }
    let (status, _, said) = program.wait();
    assert_eq!(status.code(), Some(0), "{said:?}");
    assert!(said[0].starts_with("SIGTERM: drained in "), "{said:?}");
}
