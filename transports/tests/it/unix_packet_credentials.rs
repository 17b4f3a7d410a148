//! Who sent a Unix datagram.

use std::io;
use std::os::unix::net;

use socketserver_transports::UnixDatagram;

use crate::folder::Folder;
use crate::support::take;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[test]
fn they_cannot_be_asked_for() {
    use socketserver_transports::BindStep;

    let folder = Folder::new();
    let path = folder.path().join("server");
    let option = BindStep::Option("pass_credentials");
    let options = UnixDatagram::options().pass_credentials(true);
    let error = options.bind(&path).unwrap_err();
    assert_eq!((error.step(), error.kind()), (option, io::ErrorKind::Unsupported));
    assert!(!path.exists());
    let adopted = options.adopt(net::UnixDatagram::bind(&path).unwrap()).unwrap_err();
    assert_eq!((adopted.step(), adopted.kind()), (option, io::ErrorKind::Unsupported));
}

#[test]
fn without_the_option_they_are_an_error() {
    let folder = Folder::new();
    let path = folder.path().join("server");
    let server = UnixDatagram::bind(&path).unwrap();
    net::UnixDatagram::unbound().unwrap().send_to(b"hello", &path).unwrap();
    let (request, _) = take(&server);
    let error = request.peer_credentials().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "the transport was made without pass_credentials");
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    //! Where the system tells.

    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use socketserver_core::DatagramRequest;
    use socketserver_transports::Datagram;

    use super::*;

    fn server(path: &Path) -> UnixDatagram {
        UnixDatagram::options().pass_credentials(true).max_packet_size(10).bind(path).unwrap()
    }

    fn assert_own(request: &Datagram<net::UnixDatagram>, folder: &Folder) {
        let sender = request.peer_credentials().unwrap();
        let own = std::fs::metadata(folder.path()).unwrap();
        assert_eq!(sender.pid(), Some(std::process::id()));
        assert_eq!((sender.uid(), sender.gid()), (own.uid(), own.gid()));
    }

    /// A client that the standard library cannot be: false where there is no Python.
    fn python(program: &str, folder: &Folder) -> bool {
        let python = std::process::Command::new("python3")
            .arg("-c")
            .arg(format!("import array, ctypes, os, socket, struct, sys\n{program}"))
            .current_dir(folder.path())
            .status();
        python.is_ok_and(|status| status.success())
    }

    #[test]
    fn they_are_those_of_this_process_also_for_cut_and_empty_packets() {
        let folder = Folder::new();
        let path = folder.path().join("server");
        let server = server(&path);
        let client = net::UnixDatagram::unbound().unwrap();
        for (sent, kept) in [(5, 5), (10, 10), (11, 10), (9000, 10), (0, 0)] {
            client.send_to(&vec![b'x'; sent], &path).unwrap();
            let (request, address) = take(&server);
            assert!(address.is_unnamed());
            assert_eq!(request.packet(), vec![b'x'; kept], "{sent} bytes");
            assert_eq!(request.is_truncated(), sent > kept, "{sent} bytes");
            assert_own(&request, &folder);
        }
        let nothing = socketserver_core::Transport::get_request(&server);
        assert!(matches!(nothing, Err(socketserver_core::GetRequestError::NotReady)));
    }

    #[test]
    fn named_senders_keep_their_names_and_are_replied_to() {
        use std::os::linux::net::SocketAddrExt;

        let folder = Folder::new();
        let path = folder.path().join("server");
        let server = server(&path);
        let prefix = folder.path().join("");
        let longest = "x".repeat(107 - prefix.as_os_str().len());
        let name = format!("sender-{}", std::process::id());
        let hidden = net::SocketAddr::from_abstract_name(&name).unwrap();
        let clients = [
            net::UnixDatagram::bind(folder.path().join("client")).unwrap(),
            net::UnixDatagram::bind(prefix.join(longest)).unwrap(),
            net::UnixDatagram::bind_addr(&hidden).unwrap(),
        ];
        for client in clients {
            client.send_to(b"hello", &path).unwrap();
            let (request, address) = take(&server);
            assert_eq!(address, client.local_addr().unwrap().into());
            assert_own(&request, &folder);
            request.reply(b"hello yourself").unwrap();
            assert_eq!(client.recv(&mut [0; 100]).unwrap(), 14);
        }
    }

    #[test]
    fn an_adopted_socket_is_asked_too() {
        let folder = Folder::new();
        let path = folder.path().join("server");
        let socket = net::UnixDatagram::bind(&path).unwrap();
        let server = UnixDatagram::options().pass_credentials(true).adopt(socket).unwrap();
        net::UnixDatagram::unbound().unwrap().send_to(b"hello", &path).unwrap();
        assert_own(&take(&server).0, &folder);
    }

    #[test]
    fn a_sender_with_a_path_that_is_too_long_has_no_name_and_is_known() {
        const SENDER: &str = "
client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
address = struct.pack('H', socket.AF_UNIX) + b'x' * 108
assert ctypes.CDLL(None).bind(client.fileno(), address, len(address)) == 0
client.sendto(b'hello', 'server')
";
        let folder = Folder::new();
        let server = server(&folder.path().join("server"));
        if !python(SENDER, &folder) {
            println!("notice: python3 was not found, its client was left out");
            return;
        }
        let (request, address) = take(&server);
        assert!(address.is_unnamed());
        assert_eq!(request.packet(), b"hello");
        assert!(request.peer_credentials().unwrap().pid().is_some());
    }

    #[test]
    fn a_packet_with_descriptors_opens_none_and_is_from_somebody_unknown() {
        const SENDER: &str = "
client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0, 1, 2]))
client.sendmsg([b'hello'], [rights], 0, 'server')
";
        // An emulator of system calls makes room of its own for what comes with a packet.
        let runner = std::env::var_os("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER");
        if cfg!(target_arch = "aarch64") && runner.is_some() {
            println!("notice: under an emulator this was left out");
            return;
        }
        let folder = Folder::new();
        let server = server(&folder.path().join("server"));
        if !python(SENDER, &folder) {
            println!("notice: python3 was not found, its client was left out");
            return;
        }
        let (request, _) = take(&server);
        assert_eq!(request.packet(), b"hello");
        let error = request.peer_credentials().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
