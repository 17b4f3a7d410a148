//! A whole server over the transport, as CPython's own test drives it: three clients in turn, shutdown,
//! close.

use std::marker::PhantomData;
use std::thread;

use socketserver_core::testing::Inline;
use socketserver_core::{Ended, HandlerResult, Server, ServerHandle, Service, Transport};

use crate::folder::Folder;
use crate::subject::{Addr, Client, RequestOf, Subject};

/// Answers in upper case.
struct Upper<S>(PhantomData<fn(S)>);

impl<S: Subject> Service<RequestOf<S>> for Upper<S> {
    fn finish_request(
        &self,
        request: &mut RequestOf<S>,
        _: &Addr<S>,
        _: &ServerHandle,
    ) -> HandlerResult {
        S::reply(request, &S::read(request, 5).to_ascii_uppercase());
        Ok(())
    }
}

pub(crate) fn three_clients_in_turn_shutdown_and_close<S: Subject>() {
    let folder = Folder::new();
    let transport = S::bind(&folder);
    let address = transport.local_addr().unwrap();
    let mut server = Server::new(transport, Inline, Upper::<S>(PhantomData));
    let shutdown = server.shutdown_handle();
    thread::scope(|scope| {
        let serving = scope.spawn(move || {
            let ended = server.serve_forever();
            server.close();
            (ended, server.counts())
        });
        for _ in 0..3 {
            let mut client = S::connect(&address, &folder);
            client.send(b"hello");
            assert_eq!(client.receive(5), b"HELLO");
        }
        shutdown.shutdown().unwrap();
        let (ended, counts) = serving.join().unwrap();
        assert!(matches!(ended, Ok(Ended::Shutdown)), "{ended:?}");
        assert_eq!((counts.accepted, counts.served, counts.errors), (3, 3, 0));
    });
}
