//! The names of Unix sockets: paths that are too long, abstract names, autobind.

use std::io;

use socketserver_transports::{BindStep, UnixDatagram, UnixStream};

use crate::folder::Folder;

#[test]
fn a_path_that_is_too_long_says_so() {
    let folder = Folder::new();
    let path = folder.path().join("x".repeat(120));
    for error in [UnixStream::bind(&path).unwrap_err(), UnixDatagram::bind(&path).unwrap_err()] {
        assert_eq!((error.step(), error.kind()), (BindStep::Resolve, io::ErrorKind::InvalidInput));
        let length = path.as_os_str().len();
        let text = error.to_string();
        assert!(
            text.contains(&format!("too long for a socket: {length} bytes of at most")),
            "{text}"
        );
    }
}

#[test]
fn the_longest_path_can_be_bound_and_connected_to() {
    let folder = Folder::new();
    let longest = if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };
    let rest = longest - folder.path().as_os_str().len() - 1;
    let path = folder.path().join("x".repeat(rest));
    let server = UnixStream::bind(&path).unwrap();
    let address = socketserver_core::Transport::local_addr(&server).unwrap();
    assert_eq!(address.as_pathname(), Some(path.as_path()));
    std::os::unix::net::UnixStream::connect(&path).unwrap();
    UnixStream::bind(folder.path().join("x".repeat(rest + 1))).unwrap_err();
}

#[test]
fn paths_that_mean_something_else_in_cpython_are_errors() {
    for path in ["", "\0name", "a\0b"] {
        let error = UnixStream::bind(path).unwrap_err();
        assert_eq!((error.step(), error.kind()), (BindStep::Resolve, io::ErrorKind::InvalidInput));
    }
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_the_path() {
    let folder = Folder::new();
    let path = folder.path().join("missing/socket");
    let error = UnixStream::bind(&path).unwrap_err();
    assert_eq!((error.step(), error.kind()), (BindStep::Bind, io::ErrorKind::NotFound));
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

#[cfg(target_os = "linux")]
mod linux {
    //! Names that are not in the file system.

    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{self, SocketAddr};
    use std::process;

    use socketserver_core::{DatagramRequest, Transport};
    use socketserver_transports::{UnixDatagram, UnixName, UnixStream};

    use crate::support::{LIMIT, take};

    fn name(of: &str) -> String {
        format!("{of} {}", process::id())
    }

    #[test]
    fn an_abstract_name_is_served_and_free_again_after_the_close() {
        let name = name("stream");
        let server = UnixStream::bind(UnixName::abstract_name(&name)).unwrap();
        assert_eq!(server.local_addr().unwrap().as_abstract_name(), Some(name.as_bytes()));
        assert_eq!(server.local_addr().unwrap().to_string(), format!("@{name}"));
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let _client = net::UnixStream::connect_addr(&address).unwrap();
        take(&server);
        let taken = UnixStream::bind(UnixName::abstract_name(&name)).unwrap_err();
        assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
        drop(server);
        UnixStream::bind(UnixName::abstract_name(&name)).unwrap();
    }

    #[test]
    fn a_client_with_an_abstract_name_gets_its_reply() {
        let server = UnixDatagram::bind(UnixName::autobind()).unwrap();
        let address = server.local_addr().unwrap();
        let name = name("client");
        let own = SocketAddr::from_abstract_name(&name).unwrap();
        let client = net::UnixDatagram::bind_addr(&own).unwrap();
        client.set_read_timeout(Some(LIMIT)).unwrap();
        let to = SocketAddr::from_abstract_name(address.as_abstract_name().unwrap()).unwrap();
        client.send_to_addr(b"ping", &to).unwrap();
        let (request, sender) = take(&server);
        assert_eq!(sender.as_abstract_name(), Some(name.as_bytes()));
        request.reply(b"pong").unwrap();
        let mut reply = [0; 10];
        let (length, from) = client.recv_from(&mut reply).unwrap();
        assert_eq!(&reply[..length], b"pong");
        assert_eq!(from.as_abstract_name(), address.as_abstract_name());
    }

    #[test]
    fn autobind_gives_a_name_of_five_hexadecimal_digits() {
        let server = UnixStream::bind(UnixName::autobind()).unwrap();
        let other = UnixStream::bind(UnixName::autobind()).unwrap();
        let address = server.local_addr().unwrap();
        let name = address.as_abstract_name().unwrap();
        assert!(name.len() == 5 && name.iter().all(u8::is_ascii_hexdigit), "{address}");
        assert_ne!(address, other.local_addr().unwrap());
    }
}
