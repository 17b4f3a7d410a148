//! What a failing handler leads to.

use socketserver::prelude::*;

use crate::support::{Calls, Recorded, connect, handle, loopback, read_to_end};

#[test]
fn a_last_reply_can_be_sent_about_an_error() {
    let service = stream_fn(|_client| Err("no luck".into())).on_error(
        |client: &mut TcpConnection, _, error: HandlerError| {
            client.send(format!("sorry: {error}").as_bytes()).unwrap();
        },
    );
    let mut server = TcpServer::bind(loopback(), service).unwrap();
    let client = connect(server.local_addr().unwrap());
    assert!(matches!(handle(&mut server), Handled::Served));
    assert_eq!(read_to_end(&client), "sorry: no luck");
}

struct Unborn;

impl StreamRequestHandler<TcpConnection> for Unborn {
    fn handle(&mut self, _: &mut Stream<TcpConnection>) -> HandlerResult {
        unreachable!("nobody makes one");
    }
}

#[test]
fn a_handler_that_cannot_be_made_is_one_error() {
    let calls = Calls::default();
    let factory = || -> Unborn { std::panic::panic_any("no handler today") };
    let service = Recorded(StreamService::new(factory), calls.clone());
    let mut server = TcpServer::bind(loopback(), service).unwrap();
    let client = connect(server.local_addr().unwrap());
    assert!(matches!(handle(&mut server), Handled::Served));
    assert_eq!(calls.take(), "VR FR HE SR CR");
    assert_eq!(read_to_end(&client), "");
}
