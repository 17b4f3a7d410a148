//! Connections that somebody has taken over: the pool forgets them.

use std::io::{BufRead, BufReader, Read, Write};
#[cfg(target_os = "linux")]
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use socketserver::handlers::Detached;
use socketserver::prelude::*;

use crate::site::{Pool, Site};
use crate::support::PATIENCE;

struct HandsOver(Sender<Detached<TcpConnection>>);

impl KeepAliveHandler<TcpConnection> for HandsOver {
    fn handle_one_request(
        &mut self,
        stream: &mut Stream<TcpConnection>,
    ) -> Result<Next, HandlerError> {
        let mut line = String::new();
        stream.rfile.read_line(&mut line)?;
        if line == "detach\n" {
            self.0.send(stream.detach()?)?;
        } else {
            stream.wfile.write_all(line.to_uppercase().as_bytes())?;
        }
        Ok(Next::Keep)
    }
}

/// What epoll descriptors of this process watch: the inodes.
#[cfg(target_os = "linux")]
fn watched() -> String {
    use std::fs;
    let files = fs::read_dir("/proc/self/fdinfo").unwrap().flatten();
    let infos = files.filter_map(|file| fs::read_to_string(file.path()).ok());
    let lines: Vec<_> =
        infos.flat_map(|info| info.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    lines.into_iter().filter(|line| line.starts_with("tfd:")).collect()
}

#[cfg(target_os = "linux")]
fn inode(socket: &TcpStream) -> String {
    use std::os::{fd::AsRawFd, unix::fs::MetadataExt};
    let path = format!("/proc/self/fd/{}", socket.as_raw_fd());
    format!("ino:{:x} ", std::fs::metadata(path).unwrap().ino())
}

#[test]
fn a_connection_that_was_taken_over_lives_on_and_the_pool_forgets_it() {
    let (sender, taken) = channel();
    let sender = Mutex::new(sender);
    let site = Site::of(Pool::new(3), ServerConfig::new(), |_, _| {
        Box::new(StreamService::new(move || KeepAlive(HandsOver(sender.lock().unwrap().clone()))))
    });
    for duplicated in [false, true] {
        let mut client = site.client();
        client.asks("parked after that\n");
        client.say("detach\nunread\n");
        let detached = taken.recv_timeout(PATIENCE).unwrap();
        let other = duplicated.then(|| detached.connection().try_clone().unwrap());
        let (connection, unread) = detached.into_parts();
        assert_eq!(unread, b"unread\n");
        let mut connection = connection.into_std().unwrap();
        assert!(site.server.handle().wait_until_at_most(0, PATIENCE));
        #[cfg(target_os = "linux")]
        {
            let inode = inode(&connection);
            crate::site::eventually("it is not watched", || !watched().contains(&inode));
        }
        client.say("more\n");
        let mut line = String::new();
        BufReader::new(&connection).read_line(&mut line).unwrap();
        assert_eq!(line, "more\n");
        connection.write_all(b"bye\n").unwrap();
        drop((connection, other));
        client.hears("BYE\n".to_lowercase().as_str());
        assert_eq!(client.0.read(&mut [0]).unwrap(), 0);
    }
    let counts = site.stop();
    assert_eq!((counts.detached, counts.served), (2, 0));
}
