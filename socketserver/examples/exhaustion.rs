//! What a server does when its descriptors run out: it does not spin, it goes on answering who is connected, and it
//! accepts again as soon as it can.
//!
//! ```text
//! cargo run --release --example exhaustion -- [CLIENTS [SECONDS]]
//! ```
//!
//! The server is a process of its own (this program again) that may open 64 files (`ulimit -n`). The exit code is 1 if it
//! took 2 % of a core or more while it was out of descriptors, if somebody who was connected got no answer, or if who waited
//! was not served within 100 milliseconds when descriptors were free again. It reads `/proc`, so it needs Linux.

#![expect(clippy::print_stdout, reason = "it tells what it measured")]

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::prelude::*;

/// How many files the server may open.
const FILES: u32 = 64;
const MOST_CPU_PERCENT: f64 = 2.0;
const LONGEST_RECOVERY: Duration = Duration::from_millis(100);
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve"] => serve().map(|()| ExitCode::SUCCESS),
        [] => measure(500, Duration::from_secs(5)),
        [clients] => measure(clients.parse()?, Duration::from_secs(5)),
        [clients, seconds] => measure(clients.parse()?, Duration::from_secs(seconds.parse()?)),
        _ => Err("usage: exhaustion [CLIENTS [SECONDS]]".into()),
    }
}

/// An echo server that tells its counts for every line of its standard input, up to the end of that.
fn serve() -> Result<()> {
    let echo = stream_fn(|client: &mut Stream<TcpConnection>| {
        let mut line = Vec::new();
        while client.while_idle(|rfile| rfile.read_until(b'\n', &mut line))? > 0 {
            client.wfile.write_all(&line)?;
            line.clear();
        }
        Ok(())
    })
    // Clients that are gone are nothing to tell of.
    .on_error(|_, _, _| {});
    let server = ThreadingTcpServer::bind("127.0.0.1:0", echo)?.spawn()?;
    println!("listening on {}", server.local_addr());
    for line in io::stdin().lines() {
        line?;
        let counts = server.counts();
        println!("exhausted {} live {}", counts.exhausted, server.handle().live_requests());
    }
    let (_, counts) = server.drain(Drain::new())?;
    println!("accepted {} served {}", counts.accepted, counts.served);
    Ok(())
}

/// The server's process.
struct Served {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Served {
    fn start() -> Result<(Self, SocketAddr)> {
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -n {FILES} && exec \"$0\" serve")])
            .arg(std::env::current_exe()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take().ok_or("no input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut server = Self { child, orders, answers };
        let line = server.line()?;
        let address = line.strip_prefix("listening on ").ok_or(line.clone())?.trim().parse()?;
        Ok((server, address))
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line)
    }

    /// How often it was out of descriptors, and how many connections it has.
    fn counts(&mut self) -> Result<(u64, u64)> {
        self.orders.write_all(b"counts\n")?;
        let line = self.line()?;
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            ["exhausted", times, "live", inside] => Ok((times.parse()?, inside.parse()?)),
            _ => Err(line.into()),
        }
    }

    /// How long it was on a processor, to a hundredth of a second.
    fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in parentheses, may hold anything.
        let (_, numbers) = stat.rsplit_once(") ").ok_or("no name")?;
        let numbers: Vec<_> = numbers.split(' ').collect();
        let ticks =
            |index| -> Result<u64> { Ok(numbers.get::<usize>(index).ok_or("short")?.parse()?) };
        Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Connects, within the time that is left of our patience.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let client = TcpStream::connect_timeout(&address, PATIENCE)?;
    client.set_read_timeout(Some(PATIENCE))?;
    Ok(client)
}

/// Says a line, and gives how long it took until it came back.
fn echo(mut client: &TcpStream) -> io::Result<Duration> {
    let begun = Instant::now();
    client.write_all(b"hello\n")?;
    let mut answer = String::new();
    BufReader::new(client).read_line(&mut answer)?;
    if answer == "hello\n" { Ok(begun.elapsed()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn measure(clients: usize, time: Duration) -> Result<ExitCode> {
    if !Path::new("/proc/self/stat").exists() {
        println!("this needs /proc, which Linux has");
        return Ok(ExitCode::SUCCESS);
    }
    let (mut server, address) = Served::start()?;
    let friends = (0..4).map(|_| connect(address)).collect::<io::Result<Vec<_>>>()?;
    friends.iter().try_for_each(|friend| echo(friend).map(drop))?;

    let mut flood = (0..clients).map(|_| connect(address)).collect::<io::Result<Vec<_>>>()?;
    let begun = Instant::now();
    let (mut exhausted, mut live) = server.counts()?;
    while exhausted == 0 && begun.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(10));
        (exhausted, live) = server.counts()?;
    }
    println!(
        "{clients} clients came, and {live} connections were accepted with {FILES} descriptors"
    );
    if exhausted == 0 {
        return Err("the server was not out of descriptors: are there enough clients?".into());
    }

    let (begun, cpu) = (Instant::now(), server.cpu()?);
    let (mut answers, mut failures, mut slowest) = (0, 0, Duration::ZERO);
    while begun.elapsed() < time {
        for friend in &friends {
            match echo(friend) {
                Ok(took) => (answers, slowest) = (answers + 1, slowest.max(took)),
                Err(_) => failures += 1,
            }
        }
        thread::sleep(Duration::from_millis(50));
    }
    let percent =
        (server.cpu()?.saturating_sub(cpu)).as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
    let attempts = server.counts()?.0;
    println!("out of descriptors for {time:?}: {attempts} attempts, {percent:.2} % of a core");
    println!("who was connected: {answers} answers, {failures} failures, the slowest {slowest:?}");

    // Those that were accepted go, all at once: who has waited longest is next.
    let waiting = flood.split_off(usize::try_from(live)? - friends.len());
    drop(flood);
    let begun = Instant::now();
    let next = waiting.first().ok_or("nobody waits")?;
    echo(next)?;
    let recovery = begun.elapsed();
    println!("descriptors were free: who was next was served after {recovery:?}");

    drop(waiting);
    let begun = Instant::now();
    echo(&connect(address)?)?;
    println!("all of them had gone: a new client was served after {:?}", begun.elapsed());

    let good = percent < MOST_CPU_PERCENT && failures == 0 && recovery <= LONGEST_RECOVERY;
    println!("{}", if good { "as it should be" } else { "NOT as it should be" });
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
