//! Stream handlers over real sockets: their connection, its timeout, Nagle's algorithm.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use socketserver::prelude::*;

use crate::support::{connect, handle, loopback, read_to_end};

#[test]
fn the_connection_of_a_handler_is_the_request_of_the_hooks() {
    let (tell, told) = mpsc::channel();
    let of_hook = tell.clone();
    let same = |connection: &TcpConnection| std::ptr::from_ref::<TcpStream>(connection).addr();
    let service = stream_fn(move |client: &mut Stream<TcpConnection>| {
        tell.send((same(&client.connection), client.connection.peer_addr()?))?;
        Ok(())
    })
    .verify(move |request: &TcpConnection, address| {
        of_hook.send((same(request), *address)).is_ok()
    });
    let mut server = TcpServer::bind(loopback(), service).unwrap();
    let client = connect(server.local_addr().unwrap());
    assert!(matches!(handle(&mut server), Handled::Served));
    let of_hook = told.try_recv().unwrap();
    assert_eq!(of_hook, told.try_recv().unwrap());
    assert_eq!(of_hook.1, client.local_addr().unwrap());
}

#[test]
fn a_silent_client_is_an_error_when_the_timeout_has_passed() {
    let (tell, told) = mpsc::channel();
    let service = stream_fn(|client: &mut Stream<TcpConnection>| {
        client.rfile.read_exact(&mut [0])?;
        Ok(())
    })
    .timeout(Duration::from_millis(10))
    .on_error(|_: &mut TcpConnection, _, error| {
        tell.send((error.is_timeout(), error.io_kind())).unwrap();
    });
    let mut server = TcpServer::bind(loopback(), service).unwrap();
    let client = connect(server.local_addr().unwrap());
    assert!(matches!(handle(&mut server), Handled::Served));
    assert_eq!(told.try_recv(), Ok((true, Some(ErrorKind::TimedOut))));
    assert_eq!(read_to_end(&client), "");
}

/// Sends five bytes, one every so often; gives the longest pause between two, as far as the client can tell.
fn drip(mut client: &TcpStream, every: Duration) -> Duration {
    let mut longest = Duration::ZERO;
    for _ in 0..5 {
        let begun = Instant::now();
        while begun.elapsed() < every {
            thread::yield_now();
        }
        // An error is the server's, which tells of it itself.
        let _ = client.write_all(b".");
        longest = longest.max(begun.elapsed());
    }
    longest
}

#[test]
fn the_timeout_is_for_each_receive_so_a_client_that_drips_never_exceeds_it() {
    const TIMEOUT: Duration = Duration::from_millis(400);
    const EVERY: Duration = Duration::from_millis(120);
    let (tell, told) = mpsc::channel();
    let service = stream_fn(|client: &mut Stream<TcpConnection>| {
        client.rfile.read_exact(&mut [0; 5])?;
        tell.send(())?;
        Ok(())
    })
    .timeout(TIMEOUT)
    .on_error(|_: &mut TcpConnection, _, _| {});
    let mut server = TcpServer::bind(loopback(), service).unwrap();
    let address = server.local_addr().unwrap();
    loop {
        let longest = thread::scope(|scope| {
            let dripping = scope.spawn(|| drip(&connect(address), EVERY));
            assert!(matches!(handle(&mut server), Handled::Served));
            dripping.join().unwrap()
        });
        // On a busy machine the client may have been kept from sending in time: then it tells nothing.
        if longest < TIMEOUT / 2 {
            assert_eq!(told.try_recv(), Ok(()));
            assert!(EVERY * 5 > TIMEOUT);
            return;
        }
        let _ = told.try_recv();
    }
}

#[test]
fn nagles_algorithm_is_switched_off_where_there_is_one() {
    let service = stream_fn(|client: &mut Stream<TcpConnection>| {
        assert!(client.connection.nodelay()?);
        Ok(client.wfile.write_all(b"off")?)
    });
    let service = service.disable_nagle_algorithm(true);
    let mut server = TcpServer::bind(loopback(), service).unwrap();
    let client = connect(server.local_addr().unwrap());
    assert!(matches!(handle(&mut server), Handled::Served));
    assert_eq!(read_to_end(&client), "off");
}

#[cfg(unix)]
#[test]
fn switching_nagles_algorithm_off_does_nothing_on_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let service =
        stream_fn(|client: &mut Stream<UnixConnection>| Ok(client.wfile.write_all(b"fine")?));
    let service = service.disable_nagle_algorithm(true);
    let mut server = UnixStreamServer::bind(&path, service).unwrap();
    let mut client = std::os::unix::net::UnixStream::connect(&path).unwrap();
    assert!(matches!(handle(&mut server), Handled::Served));
    assert_eq!(server.counts().errors, 0);
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "fine");
}
