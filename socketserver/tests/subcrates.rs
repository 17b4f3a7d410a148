//! The facade has everything where its documentation says it is.

#![cfg(test)]

use std::any::type_name;

#[test]
fn the_crates_are_modules() {
    let strategies = [
        type_name::<socketserver::concurrency::Synchronous>(),
        type_name::<socketserver::concurrency::ThreadPerRequest>(),
    ];
    assert!(strategies.iter().all(|name| name.starts_with("socketserver_concurrency::")));
    assert!(type_name::<socketserver::core::Counts>().starts_with("socketserver_core::"));
    assert!(
        type_name::<socketserver::handlers::BaseService<()>>()
            .starts_with("socketserver_handlers::")
    );
    assert!(type_name::<socketserver::transports::Tcp>().starts_with("socketserver_transports::"));
    assert!(type_name::<socketserver::transports::socket2::Socket>().starts_with("socket2::"));
}

#[expect(unused_imports, reason = "that the names are there is what is tested")]
#[test]
fn the_root_has_what_servers_are_made_of() {
    use socketserver::{
        Ended, Handled, HandlerError, HandlerResult, PollInterval, Server, ServerConfig,
        ServerHandle, Service, ServiceExt, ShutdownHandle, TcpConnection, TcpServer,
        ThreadingTcpServer,
    };
}

#[expect(unused_imports, reason = "that the names are there is what is tested")]
#[test]
fn the_prelude_has_what_most_servers_need() {
    use socketserver::prelude::{
        BaseRequestHandler, BaseService, Context, Ended, Handled, HandlerError, HandlerResult,
        PollInterval, Request, ServerConfig, Service, ServiceExt, ShutdownHandle, Stream,
        StreamRequest, StreamRequestHandler, StreamService, TcpConnection, TcpServer,
        ThreadingTcpServer, Transport, base_fn, stream_fn,
    };
}

#[test]
fn the_names_of_cpython_stand_for_products_of_the_parts() {
    use socketserver::{Server, TcpConnection, TcpServer, ThreadingTcpServer};
    use socketserver::{concurrency, handlers, transports};

    struct Quiet;
    impl handlers::BaseRequestHandler<TcpConnection> for Quiet {
        fn handle(
            &mut self,
            _: &mut handlers::Context<'_, TcpConnection>,
        ) -> socketserver::HandlerResult {
            Ok(())
        }
    }
    type Quietly = handlers::BaseService<fn() -> Quiet>;

    let quietly = || Quietly::new(|| Quiet);
    let tcp = || transports::Tcp::bind("127.0.0.1:0").unwrap();
    let _: TcpServer<Quietly> = Server::new(tcp(), concurrency::Synchronous, quietly());
    let _: ThreadingTcpServer<Quietly> =
        Server::new(tcp(), concurrency::ThreadPerRequest::new(), quietly());
    let _: Option<TcpConnection> = None::<transports::Connection<std::net::TcpStream>>;
}
