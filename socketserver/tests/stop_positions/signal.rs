//! A stop by a signal, which a thread waits for.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use signal_hook::consts::SIGUSR1;
use signal_hook::low_level::{pipe, unregister};
use socketserver::prelude::*;

use crate::{everywhere, wait_for};

// The only test that takes this signal.
#[test]
fn by_a_signal() {
    everywhere("by a signal", |subject| {
        let site = subject.start(&Arc::default());
        drop(site.client_saying("hello"));
        let (mut received, sender) = UnixStream::pair().unwrap();
        let signal = pipe::register(SIGUSR1, sender).unwrap();
        let stop = site.stop.clone();
        let waiting = thread::spawn(move || {
            received.read_exact(&mut [0]).unwrap();
            stop.shutdown()
        });
        let own = std::process::id().to_string();
        assert!(Command::new("kill").args(["-USR1", &own]).status().unwrap().success());
        assert_eq!(waiting.join().unwrap(), Ok(StopOrder::Delivered));
        unregister(signal);
        wait_for(|| site.server.handle().is_stopping());
        assert_eq!(site.server.stop().0, Ended::Shutdown);
    });
}
