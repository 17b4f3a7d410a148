//! Subjects: the programs that are measured. A subject is one line of the table here, and an arm where it is started:
//! `serve/ours.rs`, `peers/`, `python/server.py` or `go/main.go`.

use crate::workload::Workload;

/// How a program serves its clients.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Design {
    /// One client after another.
    OneByOne,
    /// A thread for each connection.
    ThreadEach,
    /// As many threads as there are connections, started once.
    Pool,
    /// A process for each connection.
    ProcessEach,
    /// A fixed number of processes, each of which serves one client after another.
    Workers,
    /// One thread and epoll, tasks, or threads that serve connections only while they have something to say.
    Multiplexed,
    /// Tasks whose blocking requests go elsewhere: as `Multiplexed`, and only of interest where requests block.
    BlockingElsewhere,
    /// A loop around one UDP socket.
    Packets,
}

/// What the program is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Program {
    /// This project.
    Ours,
    /// Written by hand in Rust, or with another runtime; part of this program.
    Rust,
    /// CPython's `socketserver`.
    Python,
    Go,
}

/// A program that is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    pub(crate) design: Design,
    pub(crate) about: &'static str,
}

const fn subject(
    name: &'static str,
    program: Program,
    design: Design,
    about: &'static str,
) -> Subject {
    Subject { name, program, design, about }
}

/// All of them, in the order of the report.
pub(crate) const ALL: &[Subject] = &[
    subject("thread-per-request", Program::Ours, Design::ThreadEach, "`ThreadPerRequest`"),
    subject("pool", Program::Ours, Design::Pool, "`ThreadPool`, a worker for each connection"),
    subject(
        "leader-pool",
        Program::Ours,
        Design::Multiplexed,
        "`LeaderPool::default().await_first_byte(true)`",
    ),
    subject("sync", Program::Ours, Design::OneByOne, "`Synchronous`"),
    subject("fork", Program::Ours, Design::ProcessEach, "`Fork`"),
    subject(
        "prefork",
        Program::Ours,
        Design::Workers,
        "`PreFork` with `Synchronous` in each worker",
    ),
    subject(
        "epoll",
        Program::Rust,
        Design::Multiplexed,
        "one thread, level-triggered epoll: the practical limit",
    ),
    subject("std-spawn", Program::Rust, Design::ThreadEach, "`thread::spawn` for each connection"),
    subject(
        "std-pool",
        Program::Rust,
        Design::Pool,
        "threads that take connections from a crossbeam channel",
    ),
    subject("std-sync", Program::Rust, Design::OneByOne, "accept, serve, accept"),
    subject("libc-fork", Program::Rust, Design::ProcessEach, "`fork` for each connection"),
    subject(
        "libc-prefork",
        Program::Rust,
        Design::Workers,
        "processes that block in `accept` on one listener",
    ),
    subject(
        "tokio",
        Program::Rust,
        Design::Multiplexed,
        "a task each, default runtime; handlers block in the task",
    ),
    subject(
        "tokio-blocking",
        Program::Rust,
        Design::BlockingElsewhere,
        "the same; blocking requests by `spawn_blocking`",
    ),
    subject("recvfrom", Program::Rust, Design::Packets, "`recvfrom`, `sendto`, and again"),
    subject(
        "recvmmsg",
        Program::Rust,
        Design::Packets,
        "`recvmmsg` of up to 32, a `sendto` for each",
    ),
    subject("go", Program::Go, Design::Multiplexed, "a goroutine each"),
    subject(
        "cpython-threading",
        Program::Python,
        Design::ThreadEach,
        "`ThreadingTCPServer` and so on",
    ),
    subject("cpython-forking", Program::Python, Design::ProcessEach, "`ForkingTCPServer`"),
    subject("cpython-sync", Program::Python, Design::OneByOne, "`TCPServer`, `UDPServer`"),
];

/// The subject of that name.
pub(crate) fn named(name: &str) -> Option<&'static Subject> {
    ALL.iter().find(|subject| subject.name == name)
}

impl Subject {
    pub(crate) fn is_ours(&self) -> bool {
        self.program == Program::Ours
    }

    /// Whether its processes fork, so that what it costs is spread over several.
    pub(crate) fn forks(&self) -> bool {
        matches!(self.design, Design::ProcessEach | Design::Workers)
    }

    /// How many workers it has, for a report that says so.
    pub(crate) fn workers(&self, workload: Workload) -> Option<usize> {
        match (self.design, workload) {
            (Design::Workers, Workload::Connect) => Some(PREFORK),
            (Design::Pool | Design::Workers, _) => Some(workload.connections().max(1)),
            _ => None,
        }
    }

    /// Whether the workload makes sense for it: a server that serves one after another cannot keep two clients.
    pub(crate) fn plays(&self, workload: Workload) -> bool {
        let kept = workload.connections();
        let python = self.program == Program::Python;
        match (self.design, workload) {
            (Design::Packets, _) => workload.is_udp(),
            (Design::BlockingElsewhere, _) => matches!(workload, Workload::Mixed { .. }),
            (Design::OneByOne, Workload::Echo { connections }) => connections == 1,
            (Design::OneByOne, Workload::Stop { connections }) => {
                connections == 0 && self.program != Program::Rust
            }
            (Design::OneByOne, Workload::Udp { .. }) => self.program != Program::Rust,
            (Design::ProcessEach | Design::Workers, Workload::Echo { .. }) => kept <= 64,
            (Design::OneByOne | Design::ProcessEach | Design::Workers, _) => {
                workload == Workload::Connect
            }
            // A program that nothing can stop is killed. CPython's waits for threads whose clients stay.
            (_, Workload::Stop { .. }) => self.is_ours() || (python && kept == 0),
            (_, Workload::Udp { .. }) => {
                self.name == "tokio"
                    || (self.design == Design::ThreadEach && self.program != Program::Rust)
                    || (self.design == Design::Pool && self.is_ours())
            }
            // Thousands of its threads take minutes to begin.
            (Design::ThreadEach, _) if python => kept <= 256,
            _ => true,
        }
    }
}

/// Worker processes where connections are not kept.
pub(crate) const PREFORK: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (at, subject) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|other| other.name != subject.name), "{}", subject.name);
            assert_eq!(named(subject.name), Some(subject));
        }
    }

    #[test]
    fn nobody_plays_what_it_cannot_keep() {
        let [one, two] = [1, 2].map(|connections| Workload::Echo { connections });
        let sync = named("sync").unwrap();
        assert!(sync.plays(one) && !sync.plays(two));
        assert!(sync.plays(Workload::Udp { window: 1 }));
        let recvfrom = named("recvfrom").unwrap();
        assert!(!recvfrom.plays(one) && recvfrom.plays(Workload::Udp { window: 8 }));
        assert!(!named("tokio-blocking").unwrap().plays(one));
    }
}
