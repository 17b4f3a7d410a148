//! What needs a script of its own: several clients, several loops, odd clients, settings.

use super::Driver;
use crate::scenario::{Act, Does, HandlerKind, Hook, Op, Options, Scenario, Step, Strategy};

pub(super) type Case = (&'static str, Scenario);

/// Long enough to fill what a socket holds, several times.
const LONG: usize = 300_000;

pub(super) fn all(plain: &Scenario, driver: Driver) -> Vec<Case> {
    let mut cases = vec![
        ("three_clients", clients(plain, driver, 3)),
        ("one_of_three_fails", one_fails(plain, driver)),
        ("no_handler_files", Scenario { handler: HandlerKind::Base, ..plain.clone() }),
        ("socket_timeout_is_shorter", socket_timeout(plain, driver)),
        ("exit_of_the_second_leaves_the_third", exit_of_the_second(plain, driver)),
    ];
    if plain.transport.is_stream() {
        cases.extend(streams(plain, driver));
        cases.extend(buffers(plain));
    } else {
        cases.extend(datagrams(plain));
    }
    if driver == Driver::ServeForever {
        cases.extend(super::loops::all(plain));
    }
    cases
}

pub(super) fn send(client: usize, text: &str) -> Step {
    Step::Send(client, text.to_owned())
}

/// Each client connects and says a line.
pub(super) fn come(clients: std::ops::Range<usize>) -> Vec<Step> {
    clients
        .flat_map(|client| [Step::Connect(client), send(client, &format!("{client}\n"))])
        .collect()
}

fn clients(plain: &Scenario, driver: Driver, count: usize) -> Scenario {
    let mut script = come(0..count);
    script.push(Step::Drive);
    Scenario { drive: driver.turns(count), script, ..plain.clone() }
}

fn one_fails(plain: &Scenario, driver: Driver) -> Scenario {
    let acts = vec![Act { hook: Hook::Handle, at: 1, does: Does::Panic }];
    Scenario { acts, ..clients(plain, driver, 3) }
}

fn exit_of_the_second(plain: &Scenario, driver: Driver) -> Scenario {
    let acts = vec![Act { hook: Hook::Handle, at: 1, does: Does::Exit(7) }];
    let mut scenario = Scenario { acts, ..clients(plain, driver, 3) };
    if plain.strategy == Strategy::Synchronous {
        // It ends that loop; the next one finds the third.
        scenario.drive =
            [driver.turns(2), driver.turns(if driver == Driver::ServeForever { 3 } else { 1 })]
                .concat();
    }
    scenario
}

fn socket_timeout(plain: &Scenario, driver: Driver) -> Scenario {
    let options = Options { socket_timeout: Some(30), ..plain.options };
    match driver {
        Driver::HandleRequest => {
            // The server's own is beyond what a scenario may take, so the socket's must end the wait.
            let options = Options { timeout: Some(60_000), ..options };
            Scenario { options, script: vec![Step::Drive], ..plain.clone() }
        }
        // A loop ignores it.
        Driver::ServeForever => Scenario { options, ..plain.clone() },
    }
}

fn streams(plain: &Scenario, driver: Driver) -> Vec<Case> {
    let with = |script: Vec<Step>, handle: Vec<Op>| Scenario { handle, script, ..plain.clone() };
    let silent = Options { handler_timeout: Some(30), ..plain.options };
    let buffered = Options { wbufsize: Some(64), rbufsize: Some(4), ..plain.options };
    let raw = Options { rbufsize: Some(0), ..plain.options };
    let connect = Step::Connect(0);
    let early = vec![connect.clone(), send(0, "ab"), Step::HalfClose(0), Step::Drive];
    let lines = vec![connect.clone(), send(0, "a\nb\nlast"), Step::HalfClose(0), Step::Drive];
    let talk = vec![
        connect.clone(),
        send(0, "a\n"),
        Step::Read(0, 5),
        send(0, "b\n"),
        Step::Read(0, 5),
        Step::HalfClose(0),
    ];
    vec![
        (
            "end_instead_of_a_line",
            with(early.clone(), vec![Op::ReadLine, Op::Reply, Op::ReadLine, Op::Reply]),
        ),
        ("lines_to_the_end", with(lines.clone(), vec![Op::EchoLines])),
        (
            "lines_buffered",
            Scenario { options: buffered, ..with(lines.clone(), vec![Op::EchoLines, Op::Flush]) },
        ),
        ("lines_unbuffered", Scenario { options: raw, ..with(lines.clone(), vec![Op::EchoLines]) }),
        ("conversation", with(talk, vec![Op::EchoLines])),
        ("everything_at_once", with(lines, vec![Op::ReadAll, Op::Reply])),
        ("exactly_one_byte", with(early.clone(), vec![Op::ReadExact(1), Op::Reply])),
        (
            "unread_input",
            with(
                vec![connect.clone(), send(0, "never read"), Step::Drive],
                vec![Op::Write("bye".to_owned())],
            ),
        ),
        ("nothing_to_say", with(early, vec![])),
        (
            "long_reply",
            with(
                vec![connect.clone(), Step::Drive, Step::Read(0, LONG)],
                vec![Op::Write("x".repeat(LONG))],
            ),
        ),
        (
            "client_that_reset_before",
            with(
                vec![connect.clone(), send(0, "hi\n"), Step::Reset(0), Step::Drive],
                vec![Op::ReadLine],
            ),
        ),
        (
            "client_that_closed_before",
            with(vec![connect.clone(), Step::Close(0), Step::Drive], vec![Op::ReadLine]),
        ),
        (
            "silent_client",
            Scenario {
                options: silent,
                ..with(vec![connect, Step::Drive], vec![Op::ReadLine, Op::Reply])
            },
        ),
        (
            "no_nagle",
            Scenario {
                options: Options { disable_nagle_algorithm: true, ..plain.options },
                ..plain.clone()
            },
        ),
        (
            "unread_input_and_a_failing_close",
            Scenario {
                acts: vec![Act { hook: Hook::CloseRequest, at: 0, does: Does::Panic }],
                handle: vec![],
                ..plain.clone()
            },
        ),
        (
            "refused_then_served",
            Scenario {
                acts: vec![Act { hook: Hook::VerifyRequest, at: 0, does: Does::Refuse }],
                ..clients(plain, driver, 2)
            },
        ),
    ]
}

fn buffers(plain: &Scenario) -> Vec<Case> {
    let options = Options { wbufsize: Some(64), ..plain.options };
    vec![
        ("buffered_and_never_flushed", Scenario { options, ..plain.clone() }),
        (
            "a_flushed_reply_is_waited_for",
            Scenario {
                options,
                script: vec![
                    Step::Connect(0),
                    send(0, "a\n"),
                    Step::Drive,
                    Step::Read(0, 5),
                    Step::HalfClose(0),
                ],
                handle: vec![Op::ReadLine, Op::Reply, Op::Flush, Op::ReadLine],
                ..plain.clone()
            },
        ),
    ]
}

fn datagrams(plain: &Scenario) -> Vec<Case> {
    let small = Options { max_packet_size: Some(4), ..plain.options };
    let unnamed = vec![Step::ConnectUnnamed(0), send(0, "hi\n"), Step::Drive];
    let mut cases = vec![
        ("nothing_to_say", Scenario { handle: vec![Op::ReadLine], ..plain.clone() }),
        (
            "empty_packet",
            Scenario { script: vec![Step::Connect(0), send(0, ""), Step::Drive], ..plain.clone() },
        ),
        ("packet_too_long", Scenario { options: small, ..plain.clone() }),
        (
            "reply_in_pieces",
            Scenario {
                handle: vec![
                    Op::ReadExact(1),
                    Op::Reply,
                    Op::Write("+".to_owned()),
                    Op::ReadAll,
                    Op::Reply,
                ],
                ..plain.clone()
            },
        ),
        (
            "several_replies",
            Scenario {
                handler: HandlerKind::Base,
                handle: vec![Op::Write("a".to_owned()), Op::Write("b".to_owned())],
                ..plain.clone()
            },
        ),
        (
            "client_that_is_gone",
            Scenario {
                script: vec![Step::Connect(0), send(0, "hi\n"), Step::Close(0), Step::Drive],
                ..plain.clone()
            },
        ),
        (
            "base_handler_says_nothing",
            Scenario { handler: HandlerKind::Base, handle: vec![Op::ReadAll], ..plain.clone() },
        ),
    ];
    if plain.transport.is_unix() {
        cases.push(("unnamed_sender", Scenario { script: unnamed.clone(), ..plain.clone() }));
        cases.push((
            "client_that_is_gone_and_nothing_to_say",
            Scenario {
                script: vec![Step::Connect(0), send(0, "hi\n"), Step::Close(0), Step::Drive],
                handle: vec![Op::ReadLine],
                ..plain.clone()
            },
        ));
        cases.push((
            "unnamed_sender_and_nothing_to_say",
            Scenario { script: unnamed, handle: vec![Op::ReadLine], ..plain.clone() },
        ));
    }
    cases
}
