//! A path that is taken: by a dead server, by one that lives, by something else.

use std::fs;
use std::io;
use std::os::unix::net;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use socketserver_transports::{BindError, BindStep, StaleSocket, UnixDatagram, UnixStream};

use crate::folder::Folder;
use crate::support::take;

fn replacing(path: &Path) -> Result<UnixStream, BindError> {
    UnixStream::options().stale(StaleSocket::Replace).bind(path)
}

/// What a server leaves behind that was killed.
fn stale_stream(path: &Path) {
    drop(net::UnixListener::bind(path).unwrap());
    assert!(path.exists());
}

fn assert_taken(result: Result<UnixStream, BindError>, step: BindStep, why: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.step(), error.kind()), (step, io::ErrorKind::AddrInUse));
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn a_stale_socket_is_an_error_by_default() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    stale_stream(&path);
    assert_taken(UnixStream::bind(&path), BindStep::Bind, "");
    assert!(path.exists());
}

#[test]
fn a_stale_socket_is_replaced_if_asked_for() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    stale_stream(&path);
    let server = replacing(&path).unwrap();
    let _client = net::UnixStream::connect(&path).unwrap();
    take(&server);

    let path = folder.path().join("datagram");
    drop(net::UnixDatagram::bind(&path).unwrap());
    let server = UnixDatagram::options().stale(StaleSocket::Replace).bind(&path).unwrap();
    net::UnixDatagram::unbound().unwrap().send_to(b"!", &path).unwrap();
    take(&server);
}

#[test]
fn nothing_at_the_path_is_fine() {
    let folder = Folder::new();
    replacing(&folder.path().join("socket")).unwrap();
}

#[test]
fn a_server_that_lives_keeps_its_path() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    let living = net::UnixListener::bind(&path).unwrap();
    assert_taken(replacing(&path), BindStep::ReplaceStale, "somebody listens there");
    // The look that was taken is a connection too.
    living.accept().unwrap();
    net::UnixStream::connect(&path).unwrap();
    living.accept().unwrap();
}

#[test]
fn a_living_socket_of_another_type_keeps_its_path() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    let living = net::UnixDatagram::bind(&path).unwrap();
    assert_taken(replacing(&path), BindStep::ReplaceStale, "somebody listens there");
    net::UnixDatagram::unbound().unwrap().send_to(b"!", &path).unwrap();
    assert_eq!(living.recv(&mut [0; 9]).unwrap(), 1);
}

#[test]
fn a_server_with_a_full_backlog_keeps_its_path() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    let _living = UnixStream::options().backlog(0).bind(&path).unwrap();
    let _clients: Vec<_> = if cfg!(target_os = "linux") {
        vec![net::UnixStream::connect(&path).unwrap()]
    } else {
        Vec::new()
    };
    // On Linux a backlog of nothing holds one.
    if cfg!(target_os = "linux") {
        assert_taken(replacing(&path), BindStep::ReplaceStale, "somebody listens there");
    }
}

#[test]
fn what_is_not_a_socket_is_never_removed() {
    let folder = Folder::new();
    let path = folder.path().join("file");
    fs::write(&path, "precious").unwrap();
    assert_taken(replacing(&path), BindStep::ReplaceStale, "it is not a socket");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");

    let link = folder.path().join("link");
    let target = folder.path().join("socket");
    stale_stream(&target);
    std::os::unix::fs::symlink(&target, &link).unwrap();
    assert_taken(replacing(&link), BindStep::ReplaceStale, "it is not a socket");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && target.exists());
}

#[test]
fn of_many_that_replace_the_same_stale_socket_at_once_one_serves_and_keeps_its_path() {
    const SERVERS: usize = 8;
    let folder = Folder::new();
    for round in 0..20 {
        let path = folder.path().join(format!("socket{round}"));
        stale_stream(&path);
        let start = Barrier::new(SERVERS);
        let results: Vec<_> = thread::scope(|scope| {
            let bind = || {
                start.wait();
                replacing(&path)
            };
            let threads: Vec<_> = (0..SERVERS).map(|_| scope.spawn(bind)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (servers, errors): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!((servers.len(), errors.len()), (1, SERVERS - 1));
        for error in errors {
            assert_taken(error, BindStep::ReplaceStale, "somebody listens there");
        }
        net::UnixStream::connect(&path).unwrap();
        drop(servers);
        assert!(!path.exists());
    }
}
