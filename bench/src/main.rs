//! The command: all of it is in the library beside it, which is empty where there is nothing to read the cost from.

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    socketserver_bench::main()
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::print_stderr, reason = "it talks to the one who started it")]
fn main() {
    eprintln!("the benchmark reads the cost of servers from Linux's kernel");
}
