//! When listening fails: the error names the address, the step and the cause.

#![cfg(test)]

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};

use socketserver_core::Transport;
use socketserver_transports::{BindError, BindStep, Tcp};

const ADDRESS: &str = "127.0.0.1:0";
/// Set aside for documentation: no machine has it.
const FOREIGN: &str = "192.0.2.1:0";

/// Checks all that an error tells.
fn assert_error(error: &BindError, address: &str, step: BindStep, kind: ErrorKind) {
    let text = error.to_string();
    assert!(text.starts_with(&format!("cannot listen on {address}: {step}")), "{text}");
    assert_eq!(error.address(), address);
    assert_eq!((error.step(), error.kind()), (step, kind), "{text}");
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let source = source.expect("the source is what the system said");
    assert_eq!(source.kind(), kind);
    assert!(text.ends_with(&source.to_string()), "{text}");
    assert_eq!(format!("{error:?}"), text, "the same text for `main`");
}

#[test]
fn a_port_in_use() {
    let listener = TcpListener::bind(ADDRESS).unwrap();
    let address = listener.local_addr().unwrap();
    let error = Tcp::bind(address).unwrap_err();
    assert_error(&error, &address.to_string(), BindStep::Bind, ErrorKind::AddrInUse);
}

#[test]
fn a_bad_port() {
    let error = Tcp::bind("127.0.0.1:99999").unwrap_err();
    let address = r#""127.0.0.1:99999""#;
    assert_error(&error, address, BindStep::Resolve, ErrorKind::InvalidInput);
}

#[test]
fn a_name_that_nobody_has() {
    let error = Tcp::bind("no-such-host.invalid:1").unwrap_err();
    // Which kind it is differs between systems, and with the network.
    assert_error(&error, r#""no-such-host.invalid:1""#, BindStep::Resolve, error.kind());
}

#[test]
fn no_address_at_all() {
    let error = Tcp::bind(&[][..]).unwrap_err();
    assert_error(&error, "[]", BindStep::Resolve, ErrorKind::NotFound);
}

#[test]
fn an_address_of_another_machine() {
    let error = Tcp::bind(FOREIGN).unwrap_err();
    assert_error(&error, r#""192.0.2.1:0""#, BindStep::Bind, ErrorKind::AddrNotAvailable);
}

#[test]
fn a_missing_privilege() {
    let denied = |_: &_| Err(ErrorKind::PermissionDenied.into());
    let error = Tcp::options().before_bind(denied).bind(ADDRESS).unwrap_err();
    let address = r#""127.0.0.1:0""#;
    assert_error(&error, address, BindStep::BeforeBind, ErrorKind::PermissionDenied);
}

// Which ports are privileged, and for whom, is to be read in /proc on Linux only.
#[cfg(target_os = "linux")]
#[test]
fn a_privileged_port() {
    let read = |path| std::fs::read_to_string(path).unwrap();
    let status = read("/proc/self/status");
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    let privileged = u64::from_str_radix(capabilities.trim(), 16).unwrap() != 0;
    let first_free: u16 =
        read("/proc/sys/net/ipv4/ip_unprivileged_port_start").trim().parse().unwrap();
    if privileged || first_free <= 1 {
        println!("notice: port 1 may be bound here, the test was left out");
        return;
    }
    let error = Tcp::bind("127.0.0.1:1").unwrap_err();
    assert_error(&error, r#""127.0.0.1:1""#, BindStep::Bind, ErrorKind::PermissionDenied);
}

#[test]
fn activating_names_the_address_too() {
    let denied = |_: &_| Err(ErrorKind::PermissionDenied.into());
    let bound = Tcp::options().before_listen(denied).bind_only(ADDRESS).unwrap();
    let error = bound.activate().unwrap_err();
    assert_error(&error, ADDRESS, BindStep::BeforeListen, ErrorKind::PermissionDenied);
}

// Only Linux lets two sockets bind to a port as long as neither listens.
#[cfg(target_os = "linux")]
#[test]
fn a_port_on_which_another_listens_by_now() {
    let bound = Tcp::options().bind_only(ADDRESS).unwrap();
    let address = bound.local_addr().unwrap();
    let _faster = Tcp::bind(address).unwrap();
    // The port that was asked for, not the real one, is what the error tells of.
    let error = bound.activate().unwrap_err();
    assert_error(&error, ADDRESS, BindStep::Listen, ErrorKind::AddrInUse);
}

#[test]
fn the_second_address_is_used_when_the_first_fails() {
    let listener = TcpListener::bind(ADDRESS).unwrap();
    let taken = listener.local_addr().unwrap();
    let free: SocketAddr = ADDRESS.parse().unwrap();
    let tcp = Tcp::bind(&[taken, free][..]).unwrap();
    assert_ne!(tcp.local_addr().unwrap(), taken);
    let bound = Tcp::options().bind_only(&[taken, free][..]).unwrap();
    assert_ne!(bound.local_addr().unwrap(), taken);
}

#[test]
fn when_all_addresses_fail_each_is_told_of() {
    let listener = TcpListener::bind(ADDRESS).unwrap();
    let taken = listener.local_addr().unwrap();
    let foreign: SocketAddr = FOREIGN.parse().unwrap();
    let error = Tcp::bind(&[taken, foreign][..]).unwrap_err();
    let (address, text) = (format!("[{taken}, {foreign}]"), error.to_string());
    assert_error(&error, &address, BindStep::Bind, ErrorKind::AddrNotAvailable);
    assert!(text.contains(&format!(": bind {taken}: ")), "{text}");
    assert!(text.contains(&format!("; bind {foreign}: ")), "{text}");
    // The last one counts.
    let error = Tcp::bind(&[foreign, taken][..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}
