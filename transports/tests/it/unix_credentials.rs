//! Who is at the other end of a Unix connection.

use std::os::unix::fs::MetadataExt;
use std::os::unix::net;

use socketserver_transports::UnixStream;

use crate::folder::Folder;
use crate::support::take;

#[test]
fn the_client_is_this_process_with_its_user_and_group() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    let server = UnixStream::bind(&path).unwrap();
    let _client = net::UnixStream::connect(&path).unwrap();
    let (connection, address) = take(&server);
    assert!(address.is_unnamed());
    let peer = connection.peer_credentials().unwrap();
    // A file that this process made has its user, and its group on Linux.
    let own = std::fs::metadata(&path).unwrap();
    assert_eq!(peer.uid(), own.uid());
    if cfg!(target_os = "linux") {
        assert_eq!(peer.gid(), own.gid());
    }
    if cfg!(any(target_os = "linux", target_vendor = "apple")) {
        assert_eq!(peer.pid(), Some(std::process::id()));
    }
}

#[test]
fn they_can_be_asked_for_after_the_client_has_gone() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    let server = UnixStream::bind(&path).unwrap();
    drop(net::UnixStream::connect(&path).unwrap());
    let (connection, _) = take(&server);
    if cfg!(target_os = "linux") {
        assert_eq!(connection.peer_credentials().unwrap().pid(), Some(std::process::id()));
    }
}
