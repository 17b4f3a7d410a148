//! The same without a server: the connections accepted by hand, and ended as directly as can be.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::clients::Clients;
use super::{Outcome, STACK};

/// Accepts and answers in one thread, then closes all.
pub(crate) fn close(connections: usize) -> Outcome<Duration> {
    let (clients, held) = accept(connections, |stream| {
        answer(&stream)?;
        Ok(stream)
    })?;
    let start = Instant::now();
    for stream in held {
        stream.shutdown(Shutdown::Write)?;
    }
    let time = start.elapsed();
    clients.end()?;
    Ok(time)
}

/// Gives each a thread that echoes; then shuts all down, and joins the threads.
pub(crate) fn threads(connections: usize) -> Outcome<Duration> {
    let (clients, all) = accept(connections, |stream| {
        let stream = Arc::new(stream);
        let watched = Arc::downgrade(&stream);
        let thread = thread::Builder::new().stack_size(STACK).spawn(move || {
            while answer(&stream).is_ok_and(|bytes| bytes > 0) {}
            let _ = stream.shutdown(Shutdown::Write);
        })?;
        Ok((watched, thread))
    })?;
    let start = Instant::now();
    for stream in all.iter().filter_map(|(stream, _)| Weak::upgrade(stream)) {
        stream.shutdown(Shutdown::Read)?;
    }
    for (_, thread) in all {
        thread.join().map_err(|_| "a thread panicked")?;
    }
    let time = start.elapsed();
    clients.end()?;
    Ok(time)
}

fn accept<T>(
    connections: usize,
    mut keep: impl FnMut(TcpStream) -> Outcome<T>,
) -> Outcome<(Clients, Vec<T>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    thread::scope(|scope| {
        let started = scope.spawn(move || {
            Clients::start(&address, connections).map_err(|error| error.to_string())
        });
        let held = (0..connections).map(|_| keep(listener.accept()?.0)).collect::<Outcome<_>>()?;
        Ok((started.join().map_err(|_| "no clients")??, held))
    })
}

/// Sends back what comes next, and says how much it was.
fn answer(mut stream: &TcpStream) -> Outcome<usize> {
    let mut buffer = [0; 100];
    let bytes = stream.read(&mut buffer)?;
    stream.write_all(&buffer[..bytes])?;
    Ok(bytes)
}
