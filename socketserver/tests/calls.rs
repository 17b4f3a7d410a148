//! What a request costs in system calls, as `strace` sees it: one to receive it, one to answer. Where there is no `strace`,
//! or it may not trace, this is left out with a notice.

#![cfg(test)]
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use socketserver::prelude::*;

/// Nothing takes this long: what waits longer is broken.
const PATIENCE: Duration = Duration::from_secs(30);

const REQUESTS: usize = 50;

/// In the process that serves, the strategy.
const STRATEGY: &str = "SOCKETSERVER_TEST_STRATEGY";

/// Answers each line with itself, and stops the server when it is told to.
struct Echo(String);

impl KeepAliveHandler<TcpConnection> for Echo {
    fn handle_one_request(
        &mut self,
        client: &mut Stream<TcpConnection>,
    ) -> Result<Next, HandlerError> {
        self.0.clear();
        client.rfile.read_line(&mut self.0)?;
        client.wfile.write_all(self.0.as_bytes())?;
        if self.0 == "stop\n" {
            client.server.request_shutdown();
            return Ok(Next::Close);
        }
        Ok(Next::Keep)
    }
}

/// Not a test: what the others run as a process of its own.
#[test]
fn server_for_the_others() {
    let Ok(strategy) = std::env::var(STRATEGY) else { return };
    let tcp = Tcp::bind("127.0.0.1:0").unwrap();
    let service = StreamService::new(|| KeepAlive(Echo(String::with_capacity(100))));
    eprintln!("listening on {}", tcp.socket().local_addr().unwrap().as_socket().unwrap());
    let ended = match &*strategy {
        "synchronous" => Server::new(tcp, Synchronous, service).serve_forever(),
        "threads" => Server::new(tcp, ThreadPerRequest::new(), service).serve_forever(),
        _ => Server::new(tcp, ThreadPool::new(2), service).serve_forever(),
    };
    ended.unwrap();
}

/// Whether calls can be seen here.
fn can_trace() -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o", "/dev/null", "true"]);
    strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let can = strace.status().is_ok_and(|status| status.success());
    if !can {
        println!("notice: there is no strace that may trace, so no system call was counted");
    }
    can
}

/// Asks all questions on one connection, each when the one before has been answered.
fn ask(address: &str, questions: impl Iterator<Item = String>) {
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answers = BufReader::new(&client);
    for question in questions {
        (&client).write_all(question.as_bytes()).unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, question);
    }
}

/// What strace saw of a server with this strategy that was asked so often: a line for each call, with the thread first.
fn traced(strategy: &str) -> Vec<String> {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("calls-{strategy}"));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-s", "64", "-o"]).arg(&log).arg(std::env::current_exe().unwrap());
    strace.args(["--exact", "server_for_the_others", "--nocapture"]).env(STRATEGY, strategy);
    // A leak checker cannot look into a program that strace looks into.
    strace.env("ASAN_OPTIONS", "detect_leaks=0");
    let mut server = strace.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(server.stderr.take().unwrap());
    let address = loop {
        let mut line = String::new();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it says where it listens");
        if let Some((_, address)) = line.trim().split_once("listening on ") {
            break address.to_owned();
        }
    };
    ask(&address, (0..=REQUESTS).map(|number| format!("request {number}\n")));
    ask(&address, std::iter::once("stop\n".to_owned()));
    assert!(server.wait().unwrap().success());
    let seen = fs::read_to_string(&log).unwrap();
    // Left behind it does no harm.
    let _ = fs::remove_file(&log);
    seen.lines().map(str::to_owned).collect()
}

/// The thread and the call of a line; `None` for the second half of a call, and for what is none.
fn call(line: &str) -> Option<(&str, &str)> {
    let (thread, rest) = line.split_once(char::is_whitespace)?;
    let (name, _) = rest.trim_start().split_once('(')?;
    name.chars().all(|c| c.is_alphanumeric() || c == '_').then_some((thread, name))
}

/// How often the thread that answers made which calls, from the answer to the first request to that to the last.
fn calls_of_requests(seen: &[String]) -> BTreeMap<&str, usize> {
    let answer = |number: usize| {
        let text = format!("\"request {number}\\n\"");
        let is_answer = |line: &String| line.contains("sendto(") && line.contains(&text);
        seen.iter().position(is_answer).unwrap()
    };
    let (first, last) = (answer(0), answer(REQUESTS));
    let thread = call(&seen[first]).unwrap().0;
    let mut calls = BTreeMap::new();
    for (_, name) in seen[first + 1..=last].iter().filter_map(|l| call(l)).filter(|c| c.0 == thread)
    {
        *calls.entry(name).or_default() += 1;
    }
    calls
}

/// That no call was made on the way of a connection that none needs.
fn assert_nothing_needless(seen: &[String]) {
    let accepted = seen.iter().position(|line| line.contains("accept4(")).unwrap();
    let needless = ["fcntl", "ioctl", "setsockopt", "getsockopt", "getsockname", "getpeername"];
    // With debug assertions the standard library looks whether what it closes is open.
    let own = seen[accepted..].iter().filter(|line| !line.contains("F_GETFD"));
    let calls = own.filter_map(|line| call(line));
    let made: Vec<_> = calls.filter(|(_, name)| needless.contains(name)).collect();
    assert!(made.is_empty(), "{made:?}");
}

#[test]
fn a_request_is_one_receive_and_one_send() {
    if !can_trace() {
        return;
    }
    for strategy in ["synchronous", "threads", "pool"] {
        let seen = traced(strategy);
        let calls = calls_of_requests(&seen);
        let expected = BTreeMap::from([("recvfrom", REQUESTS), ("sendto", REQUESTS)]);
        assert_eq!(calls, expected, "{strategy}");
        assert_nothing_needless(&seen);
    }
}
