//! The examples over UDP: an echo in capitals, and a collector that Python's logging talks to.

use std::net::{SocketAddr, UdpSocket};
use std::process::Command;

use crate::program::{Program, assert_fails, is_on_path};
use crate::support::PATIENCE;

/// A client that never hangs.
pub(crate) fn client(address: SocketAddr) -> UdpSocket {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.connect(address).unwrap();
    client
}

#[test]
fn udp_upper_answers_in_upper_case() {
    let (_server, address) = Program::serve_somewhere("udp_upper");
    let client = client(address);
    for (packet, answer) in [("hello", "HELLO"), ("two\nlines", "TWO\nLINES")] {
        client.send(packet.as_bytes()).unwrap();
        let mut buffer = [0; 100];
        let length = client.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], answer.as_bytes());
    }
}

#[test]
fn syslog_collector_prints_one_line_per_message() {
    let (server, address) = Program::serve_somewhere("syslog_collector");
    let client = client(address);
    for (packet, line) in [("<14>one\0", "<14>one"), ("<14>two\nlines\n", "<14>two lines")] {
        client.send(packet.as_bytes()).unwrap();
        assert_eq!(server.next_line(), line);
    }
}

/// Logs one warning to the address that its arguments say.
pub(crate) const PYTHON_LOGGER: &str = "
import logging, logging.handlers, sys
address = sys.argv[1] if len(sys.argv) == 2 else (sys.argv[1], int(sys.argv[2]))
log = logging.getLogger()
log.addHandler(logging.handlers.SysLogHandler(address=address))
log.warning('from Python: %s', 'it works')
";

#[test]
fn syslog_collector_takes_what_python_logs() {
    if !is_on_path("python3") {
        println!("notice: python3 was not found, its client was left out");
        return;
    }
    let (server, address) = Program::serve_somewhere("syslog_collector");
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let python = Command::new("python3").args(["-c", PYTHON_LOGGER, &host, &port]).status();
    assert!(python.unwrap().success());
    // User level, warning.
    assert_eq!(server.next_line(), "<12>from Python: it works");
}

#[test]
fn a_bad_address_is_told_in_one_line() {
    for name in ["udp_upper", "syslog_collector"] {
        assert_fails(name, &["127.0.0.1:99999"], &["cannot listen on", "127.0.0.1:99999"]);
    }
}

// Elsewhere one program cannot send another the signal of Ctrl-C.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_them_well() {
    for name in ["udp_upper", "syslog_collector"] {
        let (server, _address) = Program::serve_somewhere(name);
        server.interrupt();
        let (status, _, said) = server.wait();
        assert_eq!((status.code(), said), (Some(0), vec![]), "{name}");
    }
}
