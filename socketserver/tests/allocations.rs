//! A request on a connection that is kept costs no allocation, a connection a small number. In a binary of its own; the
//! counts are those of one thread, so that other tests do no harm.

#![cfg(test)]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use allocation_counter::measure;
use socketserver::core::{Concurrency, ServiceJob, Transport as _};
use socketserver::prelude::*;

/// Nothing takes this long: what waits longer is broken.
const PATIENCE: Duration = Duration::from_secs(30);

const REQUESTS: usize = 100;

/// Asks so many times on one connection, each time when it has been answered.
fn ask(address: SocketAddr, requests: usize) {
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answers = BufReader::new(&client);
    let mut answer = String::new();
    for number in 0..requests {
        let question = format!("request {number}\n");
        (&client).write_all(question.as_bytes()).unwrap();
        answer.clear();
        answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, question);
    }
}

/// Answers one request. Says whether there was one.
fn answer(client: &mut Stream<TcpConnection>, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    client.rfile.read_until(b'\n', line)?;
    client.wfile.write_all(line)?;
    Ok(!line.is_empty())
}

/// A handler that counts what all requests but the first of a connection allocate, where it runs.
fn counting() -> (impl Service<TcpConnection> + Send + Sync + 'static, Receiver<u64>) {
    let (tell, told) = mpsc::channel();
    let service = stream_fn(move |client: &mut Stream<TcpConnection>| {
        let mut line = Vec::with_capacity(100);
        answer(client, &mut line)?;
        let mut answered = 1;
        let counted = measure(|| {
            while answered < REQUESTS && answer(client, &mut line).is_ok_and(|answered| answered) {
                answered += 1;
            }
        });
        assert_eq!(answered, REQUESTS);
        tell.send(counted.count_total)?;
        Ok(())
    });
    (service, told)
}

fn requests_allocate_nothing<C, S>(concurrency: C, (service, told): (S, Receiver<u64>))
where
    C: Concurrency<ServiceJob<TcpConnection, S>>,
    S: Service<TcpConnection>,
{
    let tcp = Tcp::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let mut server = Server::new(tcp, concurrency, service);
    for _ in 0..3 {
        thread::scope(|scope| {
            scope.spawn(|| ask(address, REQUESTS));
            assert!(matches!(server.handle_request(), Ok(Handled::Served | Handled::Started)));
            assert_eq!(told.recv_timeout(PATIENCE), Ok(0));
        });
    }
}

#[test]
fn a_request_in_the_loop_allocates_nothing() {
    requests_allocate_nothing(Synchronous, counting());
}

#[test]
fn a_request_in_a_thread_allocates_nothing() {
    requests_allocate_nothing(ThreadPerRequest::new(), counting());
}

#[test]
fn a_request_in_a_pool_allocates_nothing() {
    requests_allocate_nothing(ThreadPool::new(2), counting());
}

/// A handler for one request after another, whose line is used again.
struct Echo(Vec<u8>);

impl KeepAliveHandler<TcpConnection> for Echo {
    fn handle_one_request(
        &mut self,
        client: &mut Stream<TcpConnection>,
    ) -> Result<Next, HandlerError> {
        answer(client, &mut self.0)?;
        Ok(Next::Keep)
    }
}

/// How much the serving thread allocates for a connection with so many requests, to its end or until it is handed over.
fn allocated<C, S>(server: &mut Server<Tcp, C, S>, requests: usize) -> u64
where
    C: Concurrency<ServiceJob<TcpConnection, S>>,
    S: Service<TcpConnection>,
{
    let address = server.local_addr().unwrap();
    let (accepted, is_over) = (server.counts().accepted, server.handle());
    let counted = thread::scope(|scope| {
        scope.spawn(|| ask(address, requests));
        measure(|| drop(server.handle_request().unwrap()))
    });
    assert_eq!(server.counts().accepted, accepted + 1);
    assert!(is_over.wait_until_at_most(0, PATIENCE));
    counted.count_total
}

fn echo() -> impl Service<TcpConnection> + Send + Sync + 'static {
    StreamService::new(|| KeepAlive(Echo(Vec::with_capacity(100))))
}

#[test]
fn a_connection_allocates_a_small_number_and_its_requests_nothing_more() {
    let tcp = Tcp::bind("127.0.0.1:0").unwrap();
    let mut server = Server::new(tcp, Synchronous, echo());
    // The first wait makes what wakes it, and the list of connections grows.
    for _ in 0..200 {
        allocated(&mut server, 1);
    }
    let one = allocated(&mut server, 1);
    assert_eq!(allocated(&mut server, REQUESTS), one);
    // The connection, its watch, its client's address, how it is cut; the handler's own line. Its buffers are used again.
    assert!((1..=8).contains(&one), "{one}");
}

#[test]
fn handing_a_connection_over_allocates_a_small_number() {
    let tcp = Tcp::bind("127.0.0.1:0").unwrap();
    let threads = ThreadPerRequest::new().idle_time(PATIENCE * 10);
    let mut server = Server::new(tcp, threads, echo());
    let mut warm = |requests| {
        let counted = allocated(&mut server, requests);
        while server.concurrency().idle_threads() == 0 {
            thread::yield_now();
        }
        counted
    };
    for _ in 0..200 {
        warm(1);
    }
    let one = warm(1);
    // Those of the connection, and the job.
    assert!((1..=6).contains(&one), "{one}");
}
