//! Watching many connections at once: each is told of once per piece of news, to one of those who wait.

#[cfg_attr(any(target_os = "linux", target_os = "android"), path = "epoll.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "portable.rs")]
mod system;

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
#[path = "portable.rs"]
mod portable;

pub(super) use system::{Events, Poller};

/// Something was heard of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    /// The number it was added with.
    pub(super) key: u64,
    /// A receive that takes less than it could need not have taken all: the end of the stream, of the connection or of what
    /// comes before urgent data was told together with the data before it.
    pub(super) has_end: bool,
}

/// What holds for both pollers, the one of this system and the one that every system has.
#[cfg(test)]
mod tests {
    macro_rules! suite {
        ($name:ident, $poller:path, $events:path) => {
            mod $name {
                use std::io::Write;
                use std::net::{TcpListener, TcpStream};
                use std::sync::Arc;
                use std::time::Duration;

                use socketserver_core::{Pollable, Source};
                use $events as Events;
                use $poller as Poller;

                /// Long enough for whatever is to come, and not waited for.
                const LONG: Option<Duration> = Some(Duration::from_secs(20));
                const NOT_AT_ALL: Option<Duration> = Some(Duration::ZERO);

                struct Stream(TcpStream);

                impl Pollable for Stream {
                    fn source(&self) -> Source<'_> {
                        #[cfg(unix)]
                        return std::os::fd::AsFd::as_fd(&self.0);
                        #[cfg(windows)]
                        return std::os::windows::io::AsSocket::as_socket(&self.0);
                    }
                }

                fn pair() -> (TcpStream, Arc<dyn Pollable>) {
                    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                    (client, Arc::new(Stream(listener.accept().unwrap().0)))
                }

                fn heard(poller: &Poller, time: Option<Duration>) -> Vec<u64> {
                    let mut keys = Vec::new();
                    let mut events = Events::new();
                    poller.wait(&mut events, time, |news| keys.push(news.key)).unwrap();
                    keys
                }

                #[test]
                fn news_is_told_once_until_it_is_waited_for_again() {
                    let poller = Poller::new().unwrap();
                    let ((mut a, served_a), (_b, served_b)) = (pair(), pair());
                    for (pollable, key) in [(&served_a, 1), (&served_b, 2)] {
                        poller.add(pollable, key).unwrap();
                        poller.rearm(key);
                    }
                    // What rearming may have woken is over.
                    heard(&poller, NOT_AT_ALL);
                    a.write_all(b"x").unwrap();
                    assert_eq!(heard(&poller, LONG), [1]);
                    assert!(heard(&poller, NOT_AT_ALL).is_empty());
                    poller.rearm(1);
                    heard(&poller, NOT_AT_ALL);
                    a.write_all(b"y").unwrap();
                    poller.remove(&served_a, 1);
                    poller.remove(&served_b, 2);
                    heard(&poller, NOT_AT_ALL);
                    assert!(heard(&poller, NOT_AT_ALL).is_empty(), "nothing is watched");
                }

                #[test]
                fn a_wake_is_not_lost_and_the_time_ends_it_too() {
                    let poller = Arc::new(Poller::new().unwrap());
                    poller.wake();
                    assert!(heard(&poller, LONG).is_empty());
                    let other = Arc::clone(&poller);
                    let thread = std::thread::spawn(move || heard(&other, LONG));
                    poller.wake();
                    assert!(thread.join().unwrap().is_empty());
                    assert!(heard(&poller, Some(Duration::from_millis(1))).is_empty());
                }

                #[test]
                fn who_comes_while_somebody_waits_is_heard() {
                    let poller = Arc::new(Poller::new().unwrap());
                    let (mut client, served) = pair();
                    let other = Arc::clone(&poller);
                    let thread = std::thread::spawn(move || {
                        loop {
                            let keys = heard(&other, LONG);
                            if !keys.is_empty() {
                                return keys;
                            }
                        }
                    });
                    poller.add(&served, 7).unwrap();
                    poller.rearm(7);
                    client.write_all(b"x").unwrap();
                    assert_eq!(thread.join().unwrap(), [7]);
                }
            }
        };
    }

    suite!(of_this_system, crate::leader::poller::Poller, crate::leader::poller::Events);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    suite!(
        of_every_system,
        crate::leader::poller::portable::Poller,
        crate::leader::poller::portable::Events
    );
}
