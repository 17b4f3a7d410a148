//! The pool's threads: how many there are, when they end, and what they leave.

#[cfg(target_os = "linux")]
use std::fs;
use std::time::Duration;

use socketserver::ConnectionState;
#[cfg(target_os = "linux")]
use socketserver::prelude::*;

use crate::site::{Pool, Site, eventually};
use crate::support::PATIENCE;

#[test]
fn threads_end_when_nothing_is_left_and_start_again() {
    let never = Duration::from_secs(3600);
    for patience in [Duration::from_micros(50), Duration::from_millis(1), never] {
        let pool = Pool::new(4).patience(patience).idle_timeout(Duration::from_millis(20));
        let site = Site::new(pool);
        for _ in 0..10 {
            site.client().asks("hello\n");
            eventually("the threads have ended", || site.status.workers() == 0);
        }
        if patience != never {
            for _ in 0..3 {
                let blocked = [(); 4].map(|()| site.blocked());
                site.gate.open(4);
                drop(blocked);
                eventually("the threads have ended", || site.status.workers() == 0);
            }
        }
        let mut client = site.client();
        client.asks("hello\n");
        site.await_state(ConnectionState::Idle, 1);
        eventually("those that are not needed have ended", || site.status.workers() <= 2);
        client.asks("still there\n");
        drop(client);
        site.stop();
    }
}

#[test]
fn threads_that_end_are_not_missed() {
    // The moment at which one ends is the one at which somebody comes.
    let pool = Pool::new(3).patience(PATIENCE).idle_timeout(Duration::from_micros(200));
    let site = Site::new(pool);
    for _ in 0..500 {
        let mut client = site.client();
        client.asks("hello\n");
        drop(client);
        eventually("it has left", || site.status.in_progress() == 0);
    }
    assert_eq!(site.stop().served, 500);
}

/// What a process holds can be read there only.
#[cfg(target_os = "linux")]
#[test]
fn what_has_left_holds_nothing_though_its_thread_has_nothing_else_to_do() {
    use std::os::fd::AsRawFd;
    let pool = Pool::new(6).idle_timeout(Duration::from_secs(3600));
    let site = Site::of(pool, ServerConfig::new(), |gate, log| {
        struct Tells(crate::site::Talk);
        impl KeepAliveHandler<TcpConnection> for Tells {
            fn handle_one_request(
                &mut self,
                stream: &mut Stream<TcpConnection>,
            ) -> Result<Next, HandlerError> {
                let number = stream.connection.as_raw_fd();
                let _ = self.0.log.send(number.to_string());
                self.0.handle_one_request(stream)
            }
        }
        Box::new(StreamService::new(move || {
            KeepAlive(Tells(crate::site::Talk { gate: gate.clone(), log: log.clone() }))
        }))
    });
    let peer = |fd: &str| fs::read_link(format!("/proc/self/fd/{fd}")).ok();
    let mut clients = site.clients(4);
    for client in &mut clients {
        client.asks("it is parked after that\n");
    }
    let held: Vec<_> = site.log.try_iter().map(|fd| (peer(&fd), fd)).collect();
    assert_eq!(held.len(), 4);
    for (waiting, client) in (1..).zip(&mut clients) {
        client.say("block\nquit\n");
        site.gate.await_waiting(waiting);
    }
    site.gate.open(4);
    // Nobody comes any more: whoever served them has nothing else to do.
    eventually("they are closed", || held.iter().all(|(link, fd)| peer(fd) != *link));
    drop(clients);
    site.stop();
}

/// How many clock ticks this thread has used, by its number in this process.
#[cfg(target_os = "linux")]
fn ticks(thread: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).unwrap_or_default();
    let numbers = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // Without its name and number, the user's and the system's time are the 12th and 13th.
    numbers.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// What the threads use can be told apart by their names there.
#[cfg(target_os = "linux")]
#[test]
fn an_idle_server_uses_no_time() {
    let site = Site::new(Pool::new(4).name("idle-pool").patience(Duration::from_micros(50)));
    let mut clients = site.clients(100);
    for client in &mut clients {
        client.asks("hello\n");
    }
    let blocked = site.blocked();
    site.await_state(ConnectionState::Idle, 100);
    let used = || -> u64 {
        let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
        let names = tasks.map(|task| task.file_name().into_string().unwrap());
        let is_it = |task: &String| {
            fs::read_to_string(format!("/proc/self/task/{task}/comm"))
                .is_ok_and(|name| name.starts_with("idle-pool"))
        };
        names.filter(is_it).map(|task| ticks(&task)).sum()
    };
    let (_sender, never) = std::sync::mpsc::channel::<()>();
    // After a stall the one that stands by looks often for a moment.
    let _ = never.recv_timeout(Duration::from_millis(200));
    let before = used();
    let _ = never.recv_timeout(Duration::from_secs(1));
    let ticks = used() - before;
    // Of a hundred.
    assert!(ticks <= 5, "{ticks} hundredths of a second");
    site.gate.open(1);
    drop((clients, blocked));
    site.stop();
}

#[test]
fn what_one_has_heard_who_is_not_needed_any_more_is_not_lost() {
    // A thread that ends would wake the others.
    let never = Duration::from_secs(3600);
    let pool = Pool::new(24).patience(Duration::from_micros(100)).idle_timeout(never);
    let site = Site::new(pool);
    let mut idle = site.clients(4);
    for client in &mut idle {
        client.asks("hello\n");
    }
    for _ in 0..5 {
        // So many stalls that several threads lead.
        let mut blocked = site.clients(20);
        for client in &mut blocked {
            client.say("block\n");
        }
        site.gate.await_waiting(20);
        site.gate.open(20);
        for client in &mut blocked {
            client.hears("BLOCK\n");
        }
        // And none for so long that one is enough, while the others still wait for news.
        while site.log.recv_timeout(Duration::from_millis(100)).is_ok() {}
        for client in &mut idle {
            client.asks("hello\n");
        }
    }
    drop(idle);
    site.stop();
}
