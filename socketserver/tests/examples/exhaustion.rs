//! A server whose descriptors run out, in a process that may have few: who is connected is answered, nothing spins, and
//! who waits is served when others have gone.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Instant;

use crate::program::{Program, example, runner};
use crate::support::{PATIENCE, connect};

/// How often the server has been out of descriptors, and how many connections it has.
fn counts(server: &mut Program) -> (u64, usize) {
    server.child.stdin.as_mut().unwrap().write_all(b"counts\n").unwrap();
    let line = server.next_line();
    let words: Vec<_> = line.split(' ').collect();
    let ["exhausted", times, "live", inside] = words[..] else { panic!("{line}") };
    (times.parse().unwrap(), inside.parse().unwrap())
}

fn echo(mut client: &TcpStream) {
    client.write_all(b"hello\n").unwrap();
    let mut answer = [0; 6];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello\n");
}

#[test]
fn a_server_that_is_out_of_descriptors_serves_on_and_recovers() {
    if runner().is_some() {
        println!(
            "notice: an emulator needs descriptors of its own, so running out of them was left out"
        );
        return;
    }
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "ulimit -n 64 && exec \"$0\" serve"])
        .arg(example("exhaustion").get_program());
    let mut server = Program::start(&mut shell).unwrap();
    let address = server.next_line().strip_prefix("listening on ").unwrap().parse().unwrap();
    let friend = connect(address);
    echo(&friend);

    let begun = Instant::now();
    let mut waiting: Vec<_> = (0..100).map(|_| connect(address)).collect();
    while counts(&mut server).0 == 0 {
        assert!(begun.elapsed() < PATIENCE, "it was never out of descriptors");
        thread::yield_now();
    }
    for _ in 0..100 {
        echo(&friend);
    }
    let (attempts, inside) = counts(&mut server);
    // Pauses of 5 milliseconds and more that double up to a second: eight in the first 1.3 seconds, then one a second.
    let most = 10 + begun.elapsed().as_secs();
    assert!(attempts <= most, "{attempts} attempts in {:?}", begun.elapsed());
    assert!((32..64).contains(&inside), "{inside} connections with 64 descriptors");

    // Those that were accepted go, and who waited is served.
    drop(waiting.drain(..80));
    waiting.iter().for_each(echo);
    drop(waiting);
    echo(&connect(address));
    echo(&friend);
    drop(friend);

    // The end of standard input is the order to drain.
    drop(server.child.stdin.take());
    let (status, stdout, stderr) = server.wait();
    assert_eq!((status.code(), &stderr[..]), (Some(0), &[][..]));
    let [books] = &stdout[..] else { panic!("{stdout:?}") };
    let words: Vec<_> = books.split(' ').collect();
    let ["accepted", accepted, "served", left] = words[..] else { panic!("{books}") };
    assert_eq!(accepted, left);
}
