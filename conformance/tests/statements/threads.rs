//! Workers: what they run, and in which order their replies arrive.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Instant;

use socketserver::core::{Concurrency, Dispatched, Finished, Job, Listener, Rejected};
use socketserver::prelude::*;

use crate::support::{PATIENCE, connect, handle, loopback, packet, packets_to, read_to_end};

/// A thread for each request, with something done before and after it there.
struct Around {
    begun: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
}

impl<J: Job + Send + 'static> Concurrency<J> for Around {
    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        let (begun, ended) = (Arc::clone(&self.begun), Arc::clone(&self.ended));
        thread::spawn(move || {
            begun.fetch_add(1, Ordering::SeqCst);
            assert!(matches!(job.run(), Finished::Served));
            ended.fetch_add(1, Ordering::SeqCst);
        })
        .join()
        .unwrap();
        Ok(Dispatched::Started)
    }
}

#[test]
fn a_strategy_decides_what_its_threads_do_around_a_request() {
    let around = Around { begun: Arc::default(), ended: Arc::default() };
    let (begun, ended) = (Arc::clone(&around.begun), Arc::clone(&around.ended));
    let inside = Arc::clone(&around.ended);
    let service = stream_fn(move |_client| {
        assert_eq!((begun.load(Ordering::SeqCst), inside.load(Ordering::SeqCst)), (1, 0));
        Ok(())
    });
    let mut server = Server::new(Tcp::bind(loopback()).unwrap(), around, service);
    let client = connect(server.local_addr().unwrap());
    assert!(matches!(handle(&mut server), Handled::Started));
    assert_eq!(ended.load(Ordering::SeqCst), 1);
    assert_eq!(read_to_end(&client), "");
}

#[test]
fn replies_to_packets_may_overtake_each_other() {
    let (tell, told) = mpsc::channel();
    let told = Mutex::new(told);
    let service = base_fn(move |context: &mut Context<'_, UdpPacket>| {
        let packet = context.request.packet();
        if packet == b"first" {
            told.lock().map_err(|_| "poisoned")?.recv_timeout(PATIENCE)?;
        }
        context.request.reply(packet)?;
        // Nobody waits for the reply to the first.
        let _ = tell.send(());
        Ok(())
    });
    let mut server = ThreadingUdpServer::bind(loopback(), service).unwrap();
    let client = packets_to(server.local_addr().unwrap());
    for sent in [&b"first"[..], b"second"] {
        client.send(sent).unwrap();
        assert!(matches!(handle(&mut server), Handled::Started));
    }
    assert_eq!([packet(&client), packet(&client)], [&b"second"[..], b"first"]);
    server.close();
    assert_eq!(server.counts().errors, 0);
}

#[test]
fn threads_that_have_ended_are_forgotten_before_the_close() {
    let service = stream_fn(|_: &mut Stream<TcpConnection>| Ok(()));
    let mut server = ThreadingTcpServer::bind(loopback(), service).unwrap();
    let address = server.local_addr().unwrap();
    for _ in 0..100 {
        let client = connect(address);
        assert!(matches!(handle(&mut server), Handled::Started));
        assert_eq!(read_to_end(&client), "");
    }
    let deadline = Instant::now() + PATIENCE;
    while server.concurrency().live_threads() > 0 {
        assert!(Instant::now() < deadline, "they are kept");
        thread::yield_now();
    }
}
