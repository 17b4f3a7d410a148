//! What slow clients do to others: 2,000 that send nothing, or a byte now and then, against a pool of 8 workers.
//!
//! ```text
//! cargo run --release --example slow_drip -- [DRIPS] [SECONDS] [WORKERS] [DEADLINE, MS] [SLOW ONES AT A TIME]
//! ```
//!
//! Honest clients ask meanwhile, some on connections that they keep, some on a new one for each request; it tells how long
//! they waited, without the others and with them. Who is slow is cut by a deadline, rests, and comes again; the program
//! fails if one is not cut in time.
//!
//! The slow clients are in a process of their own (this program again), so that neither side runs out of descriptors: each
//! needs as many as there are clients, and a few more (`ulimit -n`).
//!
//! The slow clients come from one address and the honest ones from one each, all 127.0.0.x (Linux has them). With the last argument the
//! server lets in no more than so many from one address at a time, half as many as there are workers, say: then the slow
//! ones that are let in are cut all the same, the others are turned away at the door, and workers are left for the honest.
//!
//! The queue of the pool is long, so that clients wait there and not in the listener's backlog. The time they wait counts
//! for their deadlines: a worker that comes to one that was slow meanwhile cuts it at once. So, however many there are, a new
//! client waits for little longer than the deadlines are. One that keeps its connection has its worker.

#![expect(clippy::print_stdout, reason = "it tells what it measured")]

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::prelude::*;
use socketserver::transports::socket2::{Domain, Socket, Type};

/// A request that is not there in time may take a second longer for each 1000 bytes.
const RATE: u64 = 1000;
/// Who keeps a connection keeps a worker.
const IDLE: Duration = Duration::from_secs(1);
const LONGEST_LINE: u64 = 1000;

/// Where the slow clients come from.
const SLOW: u8 = 2;
/// Where the honest ones come from, of each kind.
const KEPT: [u8; 2] = [10, 11];
const NEW: [u8; 2] = [12, 13];
/// How long they think between two requests.
const THINK: Duration = Duration::from_millis(2);

/// How often a drip drips.
const DRIP: Duration = Duration::from_millis(100);
/// Into how many parts they are divided, one driven after the other.
const PARTS: u32 = 100;
/// How long it rests when it was cut: from half of that to one and a half.
const REST: Duration = Duration::from_secs(1);
/// How much longer than its deadline a client may be there: for the queue, and for a busy machine.
const SLACK: Duration = Duration::from_secs(5);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, address, drips, seconds, deadline] = &arguments[..]
        && word == "drips"
    {
        let in_time = Duration::from_millis(deadline.parse()?) + SLACK;
        return attack(address.parse()?, drips.parse()?, seconds.parse()?, in_time);
    }
    let numbers: Result<Vec<u32>, _> = arguments.iter().map(|number| number.parse()).collect();
    let Some(numbers) = numbers.ok().filter(|numbers| numbers.len() <= 5) else {
        println!(
            "usage: slow_drip [DRIPS] [SECONDS] [WORKERS] [DEADLINE, MS] [SLOW ONES AT A TIME]"
        );
        return Ok(ExitCode::from(2));
    };
    let or = |place: usize, default: u32| numbers.get(place).copied().unwrap_or(default);
    let (drips, seconds, workers, deadline) = (or(0, 2000), or(1, 10), or(2, 8), or(3, 50));
    let per_source = numbers.get(4).map(|most| usize::try_from(*most)).transpose()?;
    let deadline = Duration::from_millis(deadline.into());
    measure(drips, seconds.into(), usize::try_from(workers)?, deadline, per_source)
}

fn measure(
    drips: u32,
    seconds: u64,
    workers: usize,
    deadline: Duration,
    per_source: Option<usize>,
) -> Result<ExitCode, Box<dyn Error>> {
    let upper = stream_fn(|client: &mut Stream<TcpConnection>| {
        let mut line = Vec::new();
        while client.while_idle(|rfile| read_line(rfile, &mut line))? > 0 {
            line.make_ascii_uppercase();
            client.wfile.write_all(&line)?;
            line.clear();
        }
        Ok(())
    })
    // That clients are slow is no news here.
    .on_error(|_, _, _| {});
    let pool = ThreadPool::new(workers).queue(65_536);
    let deadlines =
        Deadlines::new().first_byte(deadline).min_rate(RATE, deadline).idle(IDLE).read(IDLE);
    let server = PoolTcpServer::new(Tcp::bind("127.0.0.1:0")?, pool, upper)
        .with_config(ServerConfig::new().deadlines(deadlines))
        .with_admission(PerSource::new(per_source.unwrap_or(usize::MAX)))
        .spawn()?;
    let address = *server.local_addr();
    let time = Duration::from_secs(seconds);

    let calm = Honest::start(address)?;
    thread::sleep(time);
    let calm = calm.stop()?;

    let mut attack = Command::new(std::env::current_exe()?)
        .args(["drips", &address.to_string(), &drips.to_string(), &seconds.to_string()])
        .arg(deadline.as_millis().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = io::BufReader::new(attack.stdout.take().ok_or("no output")?).lines();
    // They are there.
    said.next().ok_or("nobody came")??;
    let attacked = Honest::start(address)?;
    thread::sleep(time);
    let attacked = attacked.stop()?;

    println!("{:>22} {:>10} {:>10} {:>10}", "honest clients", "requests", "p50", "p99");
    for (name, calm, attacked) in
        [("kept", &calm.kept, &attacked.kept), ("new", &calm.new, &attacked.new)]
    {
        println!("{:>22} {calm}", format!("{name}, calm"));
        println!("{:>22} {attacked}", format!("{name}, attacked"));
        let ratio = attacked.p99.as_secs_f64() / calm.p99.as_secs_f64();
        println!("{:>22} {ratio:.2}", format!("{name}, ratio of p99"));
    }
    let lost = calm.lost + attacked.lost;
    println!("honest requests that were not answered: {lost}");
    for line in said {
        println!("{}", line?);
    }
    let status = attack.wait()?;
    let handle = server.handle().clone();
    let (_, counts) = server.stop()?;
    println!("turned away: {}", counts.turned_away.source);
    let cuts = handle.cuts();
    println!(
        "cut by the server: {} by first byte, {} by minimum rate, {} by idle, {} by read",
        cuts.first_byte, cuts.rate, cuts.idle, cuts.read
    );
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    reader.take(LONGEST_LINE).read_until(b'\n', line)
}

/// Clients that ask again and again.
struct Honest {
    stop: Arc<AtomicBool>,
    kept: Vec<Asking>,
    new: Vec<Asking>,
}

/// One of them: how long each request took, and how many were not answered.
type Asking = thread::JoinHandle<(Vec<Duration>, usize)>;

/// What they waited.
struct Waited {
    kept: Times,
    new: Times,
    lost: usize,
}

impl Honest {
    fn start(address: SocketAddr) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let start = |kept: bool, host: u8| {
            let stop = Arc::clone(&stop);
            thread::Builder::new().spawn(move || asking((address, host), kept, &stop))
        };
        let kept = KEPT.into_iter().map(|host| start(true, host)).collect::<io::Result<_>>()?;
        let new = NEW.into_iter().map(|host| start(false, host)).collect::<io::Result<_>>()?;
        Ok(Self { stop, kept, new })
    }

    fn stop(self) -> Result<Waited, Box<dyn Error>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut lost = 0;
        let mut times = |threads: Vec<Asking>| -> Result<Times, Box<dyn Error>> {
            let mut all = Vec::new();
            for thread in threads {
                let (times, not_answered) = thread.join().map_err(|_| "a client panicked")?;
                all.extend(times);
                lost += not_answered;
            }
            Times::of(all)
        };
        let (kept, new) = (times(self.kept)?, times(self.new)?);
        Ok(Waited { kept, new, lost })
    }
}

fn asking(way: (SocketAddr, u8), kept: bool, stop: &AtomicBool) -> (Vec<Duration>, usize) {
    let (mut times, mut lost) = (Vec::new(), 0);
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        let known = connection.is_some();
        let begin = Instant::now();
        match ask(way, connection.take()) {
            Ok(used) => {
                // What a kept connection costs to make is what a new one costs.
                if known == kept {
                    times.push(begin.elapsed());
                }
                connection = kept.then_some(used);
            }
            Err(_) => lost += 1,
        }
        thread::sleep(THINK);
    }
    (times, lost)
}

fn ask((address, host): (SocketAddr, u8), connection: Option<TcpStream>) -> io::Result<TcpStream> {
    let mut server = match connection {
        Some(connection) => connection,
        None => connect(address, host)?,
    };
    server.set_nodelay(true)?;
    server.write_all(b"hello\n")?;
    let mut answer = [0; 6];
    server.read_exact(&mut answer)?;
    if &answer == b"HELLO\n" { Ok(server) } else { Err(ErrorKind::InvalidData.into()) }
}

/// Connects from 127.0.0.`host`, where there is such an address.
fn connect(address: SocketAddr, host: u8) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if cfg!(target_os = "linux") {
        socket.bind(&SocketAddr::from(([127, 0, 0, host], 0)).into())?;
    }
    socket.connect(&address.into())?;
    Ok(socket.into())
}

/// How long requests took.
struct Times {
    requests: usize,
    p50: Duration,
    p99: Duration,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Result<Self, Box<dyn Error>> {
        times.sort_unstable();
        let at = |percent| times.get(times.len() * percent / 100).copied().ok_or("no answers");
        Ok(Self { requests: times.len(), p50: at(50)?, p99: at(99)? })
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, p50, p99 } = self;
        write!(f, "{requests:>10} {:>10} {:>10}", format!("{p50:.0?}"), format!("{p99:.0?}"))
    }
}

/// A slow client.
struct Drip {
    /// `None` while it rests.
    connection: Option<TcpStream>,
    since: Instant,
    silent: bool,
    rest: Duration,
}

/// What became of those of one kind.
#[derive(Default)]
struct Fate {
    cut: usize,
    longest: Duration,
    late: usize,
}

impl Drip {
    fn come(&mut self, address: SocketAddr) -> io::Result<()> {
        let connection = connect(address, SLOW)?;
        connection.set_nonblocking(true)?;
        if !self.silent {
            // It may have been turned away already.
            let _ = (&connection).write_all(b"x");
        }
        self.since = Instant::now();
        self.connection = Some(connection);
        Ok(())
    }

    /// Drips, if it is of that kind, and says whether it has been cut.
    fn is_cut(&mut self) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        let would_block = |error: &io::Error| error.kind() == ErrorKind::WouldBlock;
        let ended = match connection.read(&mut [0]) {
            Ok(bytes) => bytes == 0,
            Err(error) => !would_block(&error),
        };
        ended || (!self.silent && connection.write(b"x").is_err_and(|error| !would_block(&error)))
    }
}

/// All slow clients, driven by this thread. Fails if one was not cut in time.
fn attack(
    address: SocketAddr,
    drips: u32,
    seconds: u64,
    in_time: Duration,
) -> Result<ExitCode, Box<dyn Error>> {
    let begin = Instant::now();
    let mut drips: Vec<_> = (0..drips)
        .map(|number| {
            // They do not all come back at once.
            let rest = REST.mul_f64(0.5 + f64::from(number % 997) / 997.0);
            Drip { connection: None, since: begin, silent: number % 2 == 0, rest }
        })
        .collect();
    for drip in &mut drips {
        drip.come(address)?;
    }
    println!("there");
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut silent, mut dripping) = (Fate::default(), Fate::default());
    let all = drips.len();
    loop {
        let over = Instant::now() >= end;
        // A few at a time, so that they do not all come at once.
        for few in drips.chunks_mut(all.div_ceil(PARTS as usize).max(1)) {
            for drip in few {
                let fate = if drip.silent { &mut silent } else { &mut dripping };
                if drip.is_cut() {
                    let there = drip.since.elapsed();
                    fate.cut += 1;
                    fate.longest = fate.longest.max(there);
                    fate.late += usize::from(there > in_time);
                    drip.connection = None;
                    drip.since = Instant::now();
                } else if drip.connection.is_none() && !over && drip.since.elapsed() >= drip.rest {
                    drip.come(address)?;
                }
            }
            thread::sleep(DRIP / PARTS);
        }
        let there = drips.iter().filter(|drip| drip.connection.is_some()).count();
        if over && (there == 0 || end.elapsed() > in_time) {
            for (name, fate) in [("silent", &silent), ("dripping", &dripping)] {
                let Fate { cut, longest, late } = fate;
                println!(
                    "{name} clients: cut {cut} times, after {longest:.0?} at most, {late} late"
                );
            }
            println!("not cut: {there}");
            let failed = there + silent.late + dripping.late > 0;
            return Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
    }
}
