//! How many system calls a packet costs, as `strace` counts them. Where there is no `strace`, or it may not trace, this is
//! left out with a notice.
//!
//! The server is this program once more, so that nothing but the server is traced.

#![cfg(test)]
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::{self, Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use socketserver::prelude::*;

/// Says that this process is the server, and how many packets it receives ahead.
const AHEAD: &str = "PACKET_CALLS_AHEAD";

const PACKETS: usize = 64;

/// Not a test, but what the tests start.
#[test]
fn serve() {
    let Ok(ahead) = std::env::var(AHEAD) else { return };
    let udp = Udp::options().receive_ahead(ahead.parse().unwrap()).bind("127.0.0.1:0").unwrap();
    let count = std::cell::Cell::new(0);
    let echo = datagram_fn(|exchange: &mut DatagramExchange<'_, UdpPacket>| {
        exchange.request.reply(exchange.packet())?;
        count.set(count.get() + 1);
        if count.get() == PACKETS {
            exchange.server.request_shutdown();
        }
        Ok(())
    });
    let config = ServerConfig::new().poll_interval(PollInterval::Never);
    let mut server = UdpServer::with_transport(udp, echo).with_config(config);
    println!("\nserving {}", server.local_addr().unwrap());
    std::io::stdin().read_line(&mut String::new()).unwrap();
    server.serve_forever().unwrap();
}

struct Traced {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Traced {
    fn start(log: &str, ahead: usize) -> Self {
        let mut strace = Command::new("strace");
        let calls = "trace=poll,ppoll,recvfrom,recvmsg,recvmmsg,sendto,sendmsg,sendmmsg";
        strace.args(["-f", "-qq", "-e", calls, "-e", "signal=none", "-o", log]);
        strace.arg(std::env::current_exe().unwrap()).args(["--exact", "serve", "--nocapture"]);
        // A leak checker cannot look into a program that strace looks into.
        strace.env(AHEAD, ahead.to_string()).env("ASAN_OPTIONS", "detect_leaks=0");
        let mut child = strace.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout }
    }

    fn address(&mut self) -> SocketAddr {
        loop {
            let mut line = String::new();
            assert!(self.stdout.read_line(&mut line).unwrap() > 0, "it ended before it served");
            if let Some(address) = line.trim().strip_prefix("serving ") {
                return address.parse().unwrap();
            }
        }
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many calls of each kind: those that wait, receive and send.
#[derive(Debug, Eq, PartialEq)]
struct Calls {
    waits: usize,
    receives: usize,
    sends: usize,
}

/// What the calls are when all packets wait before the server begins, if that can be seen here.
fn calls_for_waiting_packets(ahead: usize) -> Option<Calls> {
    let mut strace = Command::new("strace");
    strace.args(["-o", "/dev/null", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    if !strace.status().is_ok_and(|status| status.success()) {
        println!("notice: there is no strace that may trace, so no system call was counted");
        return None;
    }
    let log = format!("{}/packet-calls-{}-{ahead}", env!("CARGO_TARGET_TMPDIR"), process::id());
    let mut server = Traced::start(&log, ahead);
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    client.connect(server.address()).unwrap();
    for number in 0..PACKETS {
        client.send(&[u8::try_from(number).unwrap()]).unwrap();
    }
    server.stdin.write_all(b"go\n").unwrap();
    for number in 0..PACKETS {
        let mut answer = [0; 2];
        assert_eq!(client.recv(&mut answer).unwrap(), 1);
        assert_eq!(usize::from(answer[0]), number);
    }
    assert!(server.child.wait().unwrap().success());
    let log = {
        let text = std::fs::read_to_string(&log).unwrap();
        std::fs::remove_file(&log).unwrap();
        text
    };
    let count = |is_one: &dyn Fn(&str) -> bool| {
        // A call that another thread's interrupts has a second line.
        log.lines().filter(|line| !line.contains(" resumed>") && is_one(line)).count()
    };
    let is =
        |line: &str, names: &[&str]| names.iter().any(|name| line.contains(&format!(" {name}(")));
    Some(Calls {
        // Rust's own `poll` of the standard streams, at the start, is not the server's.
        waits: count(&|line| is(line, &["poll", "ppoll"]) && !line.contains("{fd=0,")),
        receives: count(&|line| is(line, &["recvfrom", "recvmsg", "recvmmsg"])),
        // What wakes the server has no address.
        sends: count(&|line| {
            is(line, &["sendto", "sendmsg", "sendmmsg"]) && line.contains("AF_INET")
        }),
    })
}

#[test]
fn a_packet_that_waits_costs_one_receive_and_one_send() {
    let Some(calls) = calls_for_waiting_packets(1) else { return };
    // Only the first is waited for.
    assert_eq!(calls, Calls { waits: 1, receives: PACKETS, sends: PACKETS });
}

#[test]
fn packets_that_wait_are_received_together() {
    let Some(calls) = calls_for_waiting_packets(16) else { return };
    assert_eq!(calls, Calls { waits: 1, receives: PACKETS / 16, sends: PACKETS });
}
