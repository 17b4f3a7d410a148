//! The examples over TCP: what they print, what they answer to clients of all sorts, how they end.

use std::io::Write;
use std::net::TcpListener;
use std::process::Command;

#[cfg(unix)]
use crate::program::cannot_fork;
use crate::program::{Program, assert_fails, example, is_on_path, say};
use crate::support::{connect, read_to_end};

#[test]
fn upper_answers_in_upper_case() {
    answers_in_upper_case("upper");
}

#[cfg(unix)]
#[test]
fn forking_upper_answers_in_upper_case() {
    if cannot_fork() {
        return;
    }
    answers_in_upper_case("forking_upper");
}

fn answers_in_upper_case(name: &str) {
    let (_server, address) = Program::serve_somewhere(name);
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
        say(&later, if name == "exit_chat" { "exit" } else { "last" });
        read_to_end(&later);
        server.interrupt();
        let (status, _, stderr) = server.wait();
        assert_eq!(status.code(), Some(0), "{name}");
        assert_eq!(stderr, [""; 0], "{name}");
        drop(silent);
    }
}

// A child that has a client goes on, and so would whoever reads what it writes.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_forking_server_well() {
    if cannot_fork() {
        return;
    }
    let (server, address) = Program::serve_somewhere("forking_upper");
    let client = connect(address);
    say(&client, "last");
    assert_eq!(read_to_end(&client), "LAST\n");
    server.interrupt();
    let (status, _, stderr) = server.wait();
    assert_eq!((status.code(), stderr), (Some(0), vec![]));
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
