//! Signals that drain: real ones, to real processes, with every way to run requests. Each server is this program once more,
//! told by its arguments which server to be: a process that forks must have one thread.

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    unix::run()
}

#[cfg(unix)]
#[path = "../support/forking.rs"]
mod forking;

#[cfg(unix)]
#[path = "../support/mod.rs"]
#[expect(clippy::unwrap_used, reason = "in a test it is an assertion")]
mod support;

#[cfg(unix)]
#[expect(clippy::unwrap_used, reason = "in a test it is an assertion")]
mod program;

#[cfg(unix)]
#[expect(clippy::print_stdout, reason = "a test and its server talk to each other")]
#[expect(clippy::unwrap_used, reason = "in a test it is an assertion")]
mod server;

#[cfg(unix)]
#[expect(clippy::unwrap_used, reason = "in a test it is an assertion")]
mod unix {
    use std::io::Write;
    use std::process::ExitCode;
    use std::time::Duration;

    use libtest_mimic::Arguments;
    use socketserver::Drain;

    use crate::forking;
    use crate::program::{LONG, Program};
    use crate::server::be_server;

    pub(super) fn run() -> ExitCode {
        let arguments: Vec<String> = std::env::args().collect();
        if let [_, serve, kind, deadline, grace] = &arguments[..]
            && serve == "--serve"
        {
            let millis = |text: &str| Duration::from_millis(text.parse().unwrap());
            return be_server(kind, Drain::new().deadline(millis(deadline)).grace(millis(grace)));
        }
        let arguments = Arguments::from_args();
        let tests: [(&str, fn()); 18] = [
            ("one_signal_drains", one_signal_drains),
            ("a_signal_to_a_worker_thread_drains", signal_to_worker),
            ("a_second_signal_forces", second_signal_forces),
            ("a_signal_ends_an_idle_handler_in_the_loop", ends_idle_handler_in_loop),
            ("a_second_signal_cuts_a_handler_in_the_loop", cuts_handler_in_loop),
            ("the_deadline_cuts_a_handler_in_the_loop", deadline_cuts_handler_in_loop),
            ("a_signal_before_serving_is_kept", signal_before_serving),
            ("what_is_stuck_has_an_exit_code", stuck_has_exit_code),
            ("an_exit_keeps_its_code", exit_keeps_code),
            ("handlers_of_others_get_theirs", other_handlers),
            ("children_and_workers_have_no_handlers", no_handlers),
            ("ctrl_c_for_all_leaves_children_to_the_parent", fork_group),
            ("children_can_be_told_of_the_drain", fork_told),
            ("a_second_signal_terminates_children", fork_twice),
            ("a_third_signal_kills_children", fork_thrice),
            ("ctrl_c_for_all_leaves_workers_to_the_parent", prefork_group),
            ("a_second_signal_terminates_workers", prefork_twice),
            ("workers_force_what_outstays_the_deadline", prefork_deadline),
        ];
        forking::run(&arguments, tests)
    }

    fn is(program: Program, code: i32, said: &str) {
        assert_eq!(program.end(), (code, said.to_owned()));
    }

    fn one_signal_drains() {
        for kind in ["threads", "pool", "spawned"] {
            let program = Program::serve(kind, LONG, LONG);
            let (mut idle, mut busy) = (program.client(), program.busy("wait"));
            // The one that was greeted is idle when it has been answered once more.
            idle.say("again");
            assert_eq!(idle.line(), "again");
            program.signal("TERM");
            assert_eq!(busy.line(), "told");
            busy.finish();
            assert_eq!(idle.rest(), "");
            let (code, said) = program.end();
            assert_eq!(code, 0, "{said}");
            // Whether it was idle a moment before or became so after is the same to it.
            let both = ["SIGTERM signals=1 finished=1 idle=1", "SIGTERM signals=1 finished=2"];
            assert!(both.contains(&&*said), "{said}");
        }
    }

    fn signal_to_worker() {
        if cfg!(not(target_os = "linux")) {
            return;
        }
        for kind in ["threads", "pool", "spawned"] {
            let program = Program::serve(kind, LONG, LONG);
            let mut busy = program.client();
            busy.say("thread");
            let thread = busy.line();
            assert_ne!(thread, program.id());
            // The signal interrupts the read that this thread is in, and that goes on.
            Program::kill("TERM", &thread);
            assert_eq!(busy.line(), "told");
            busy.say("done");
            assert_eq!(busy.line(), "thread");
            assert_eq!((busy.line(), &*busy.rest()), ("done".to_owned(), ""));
            is(program, 0, "SIGTERM signals=1 finished=1");
        }
    }

    fn second_signal_forces() {
        for kind in ["threads", "pool", "spawned"] {
            let program = Program::serve(kind, LONG, LONG);
            let mut busy = program.busy("wait");
            program.signal("INT");
            assert_eq!(busy.line(), "told");
            program.signal("TERM");
            busy.is_cut();
            is(program, 3, "SIGINT signals=2 forced=1");
        }
    }

    fn ends_idle_handler_in_loop() {
        let program = Program::serve("synchronous", LONG, LONG);
        let mut idle = program.client();
        program.signal("TERM");
        assert_eq!(idle.rest(), "");
        let (code, said) = program.end();
        assert_eq!(code, 0, "{said}");
        assert!(said.starts_with("SIGTERM signals=1"), "{said}");
    }

    fn cuts_handler_in_loop() {
        let program = Program::serve("synchronous", LONG, LONG);
        let mut busy = program.busy("wait");
        program.signal("INT");
        assert_eq!(busy.line(), "told");
        program.signal("INT");
        busy.is_cut();
        is(program, 3, "SIGINT signals=2 forced=1");
    }

    fn deadline_cuts_handler_in_loop() {
        let program = Program::serve("synchronous", 50, LONG);
        let mut busy = program.busy("wait");
        program.signal("TERM");
        assert_eq!(busy.line(), "told");
        busy.is_cut();
        is(program, 3, "SIGTERM signals=1 forced=1");
    }

    fn signal_before_serving() {
        let mut program = Program::start("late", LONG, LONG);
        assert_eq!(program.line(), "caught");
        program.signal("TERM");
        program.stdin.write_all(b"go on\n").unwrap();
        program.line();
        is(program, 0, "SIGTERM signals=1");
    }

    fn stuck_has_exit_code() {
        let program = Program::serve("threads", 50, 50);
        let mut stuck = program.busy("compute");
        program.signal("TERM");
        stuck.is_cut();
        is(program, 4, "SIGTERM signals=1 forced=1 left=1");
    }

    fn exit_keeps_code() {
        let program = Program::serve("synchronous", LONG, LONG);
        program.client().say("exit");
        is(program, 7, "none");
    }

    fn other_handlers() {
        let program = Program::serve("own-handler", LONG, LONG);
        program.signal("TERM");
        is(program, 0, "SIGTERM signals=1\nown handler called");
    }

    fn no_handlers() {
        if cfg!(not(target_os = "linux")) {
            return;
        }
        for (kind, expected) in [
            ("fork", "INT ignored TERM default"),
            ("fork-inherit", "INT handled TERM handled"),
            ("prefork", "INT ignored TERM default"),
            // What has no handler stays as it is.
            ("fork-without", "INT default TERM default"),
        ] {
            let program = Program::serve(kind, LONG, LONG);
            let mut client = program.client();
            client.say("signals");
            assert_eq!(client.line(), expected, "{kind}");
        }
    }

    fn fork_group() {
        let mut program = Program::serve("fork", LONG, LONG);
        let mut busy = program.busy("wait");
        program.ctrl_c();
        program.await_drain();
        busy.say("done");
        assert_eq!(busy.line(), "wait");
        assert_eq!(busy.line(), "done");
        // It is told nothing before the deadline, so it is up to the client.
        drop(busy);
        is(program, 0, "SIGINT signals=1");
    }

    fn fork_told() {
        let program = Program::serve("fork-tell", LONG, LONG);
        let (mut idle, mut busy) = (program.client(), program.busy("wait"));
        program.ctrl_c();
        assert_eq!(busy.line(), "told");
        assert_eq!(idle.rest(), "");
        busy.finish();
        let (code, said) = program.end();
        // The children have copies of the parent's hook, and may say so too.
        assert_eq!((code, said.lines().last()), (0, Some("SIGINT signals=1")), "{said}");
    }

    fn fork_twice() {
        let mut program = Program::serve("fork", LONG, LONG);
        let (mut busy, mut idle) = (program.busy("wait"), program.client());
        program.signal("TERM");
        program.await_drain();
        program.signal("TERM");
        busy.is_cut();
        idle.is_cut();
        is(program, 3, "SIGTERM signals=2 terminated=2");
    }

    fn fork_thrice() {
        // With the handlers of its parent, which write into a pipe, SIGTERM does nothing to a child; but its parent hears.
        let mut program = Program::serve("fork-inherit", LONG, LONG);
        let mut busy = program.busy("wait");
        program.signal("TERM");
        program.await_drain();
        program.signal("TERM");
        busy.is_cut();
        let (code, said) = program.end();
        assert_eq!(code, 3, "{said}");
        assert!(said.ends_with("terminated=1 killed=1"), "{said}");
    }

    fn prefork_group() {
        let program = Program::serve("prefork", LONG, LONG);
        let (mut idle, mut busy) = (program.client(), program.busy("wait"));
        program.ctrl_c();
        assert_eq!(busy.line(), "told");
        assert_eq!(idle.rest(), "");
        busy.finish();
        let (code, said) = program.end();
        assert_eq!(code, 0, "{said}");
        let both = ["SIGINT signals=1 finished=1 idle=1", "SIGINT signals=1 finished=2"];
        assert!(both.contains(&&*said), "{said}");
    }

    fn prefork_twice() {
        let program = Program::serve("prefork", LONG, LONG);
        let (mut busy, mut other) = (program.busy("wait"), program.busy("wait"));
        program.signal("TERM");
        assert_eq!((busy.line(), other.line()), ("told".to_owned(), "told".to_owned()));
        program.signal("INT");
        busy.is_cut();
        other.is_cut();
        is(program, 3, "SIGTERM signals=2 terminated=2");
    }

    fn prefork_deadline() {
        // One is cut by its worker. The other's worker cannot, and is terminated.
        let program = Program::serve("prefork", 50, 3_000);
        let (mut busy, mut stuck) = (program.busy("wait"), program.busy("compute"));
        program.signal("TERM");
        busy.is_cut();
        stuck.is_cut();
        is(program, 3, "SIGTERM signals=1 forced=1 terminated=1");
    }
}
