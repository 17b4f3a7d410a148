//! The file of a Unix socket: its mode, and that it goes with the transport only if it is still its own.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net;

use socketserver_transports::{BindStep, UnixDatagram, UnixName, UnixStream};

use crate::folder::Folder;

#[test]
fn the_file_goes_with_the_transport() {
    let folder = Folder::new();
    let stream = folder.path().join("stream");
    let datagram = folder.path().join("datagram");
    let servers = (UnixStream::bind(&stream).unwrap(), UnixDatagram::bind(&datagram).unwrap());
    assert!(fs::symlink_metadata(&stream).unwrap().file_type().is_socket());
    assert!(fs::symlink_metadata(&datagram).unwrap().file_type().is_socket());
    drop(servers);
    assert!(!stream.exists() && !datagram.exists());
}

#[test]
fn the_file_stays_if_asked_for() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    drop(UnixStream::options().keep_file(true).bind(&path).unwrap());
    assert!(path.exists());
}

#[test]
fn a_file_that_took_its_place_stays() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    let first = UnixStream::bind(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let second = net::UnixListener::bind(&path).unwrap();
    drop(first);
    net::UnixStream::connect(&path).unwrap();
    drop(second);

    fs::remove_file(&path).unwrap();
    let server = UnixStream::bind(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "precious").unwrap();
    drop(server);
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_file_that_is_gone_already_is_nobodys_concern() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    let server = UnixStream::bind(&path).unwrap();
    fs::remove_file(&path).unwrap();
    drop(server);
}

#[test]
fn the_file_of_an_adopted_socket_stays() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    drop(UnixStream::from(net::UnixListener::bind(&path).unwrap()));
    assert!(path.exists());
}

#[test]
fn a_transport_that_could_not_be_made_leaves_no_file() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    let options = UnixStream::options().before_listen(|_| Err(std::io::Error::other("no")));
    assert_eq!(options.bind(&path).unwrap_err().step(), BindStep::BeforeListen);
    assert!(!path.exists());
    let bound = options.bind_only(&path).unwrap();
    assert_eq!(bound.local_addr().unwrap().as_pathname(), Some(path.as_path()));
    assert_eq!(bound.activate().unwrap_err().step(), BindStep::BeforeListen);
    assert!(!path.exists());
}

#[test]
fn a_bound_socket_refuses_clients_until_it_is_activated() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    let bound = UnixStream::options().bind_only(&path).unwrap();
    let refused = net::UnixStream::connect(&path).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let server = bound.activate().unwrap();
    let _client = net::UnixStream::connect(&path).unwrap();
    crate::support::take(&server);
}

#[test]
fn the_mode_is_the_one_that_was_asked_for_before_anybody_can_connect() {
    let folder = Folder::new();
    for mode in [0o600, 0o660, 0o666, 0o777, 0o755] {
        let path = folder.path().join(format!("stream{mode:o}"));
        let watched = path.clone();
        let options = UnixStream::options().mode(mode).before_listen(move |_| {
            assert_eq!(fs::metadata(&watched)?.permissions().mode() & 0o7777, mode);
            Ok(())
        });
        let _server = options.bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
        let path = folder.path().join(format!("datagram{mode:o}"));
        let _server = UnixDatagram::options().mode(mode).bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
    }
}

#[test]
fn the_owner_is_set_and_a_failure_names_the_step_and_leaves_nothing() {
    let folder = Folder::new();
    let own = fs::metadata(folder.path()).unwrap();
    let path = folder.path().join("socket");
    let options = UnixStream::options().owner(Some(own.uid()), Some(own.gid()));
    drop(options.bind(&path).unwrap());
    // A user that does not exist: root may, nobody else.
    let options = UnixStream::options().owner(Some(54321), None).mode(0o600);
    match options.bind(&path) {
        Ok(_server) => {
            let made = fs::metadata(&path).unwrap();
            assert_eq!((made.uid(), made.permissions().mode() & 0o7777), (54321, 0o600));
        }
        Err(error) => assert_eq!(error.step(), BindStep::Option("owner")),
    }
    assert!(!path.exists());
}

#[test]
fn a_name_without_a_file_can_have_no_mode() {
    let error = UnixStream::options().mode(0o600).bind(UnixName::abstract_name("x")).unwrap_err();
    assert_eq!(error.step(), BindStep::Option("mode or owner"));
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
