//! What CPython allows, or fails at when it runs, and what does not compile here. There is no code here: the
//! statements name these examples.

mod options_of_a_server_that_was_made {
    //! Options come before the socket. A server has none that could be set too late.
    //!
    //! ```
    //! use socketserver::prelude::*;
    //!
    //! let tcp = Tcp::options().reuse_address(true).bind("127.0.0.1:0")?;
    //! let server = TcpServer::with_transport(tcp, stream_fn(|_client| Ok(())));
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```
    //!
    //! ```compile_fail,E0599
    //! use socketserver::prelude::*;
    //!
    //! let tcp = Tcp::bind("127.0.0.1:0")?;
    //! let server = TcpServer::with_transport(tcp, stream_fn(|_client| Ok(()))).reuse_address(true);
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```
}

#[cfg(unix)]
mod a_port_of_a_unix_socket {
    //! Unix sockets have no port to share.
    //!
    //! ```
    //! let options = socketserver::transports::Tcp::options().reuse_port(true);
    //! let options = socketserver::transports::UnixStream::options().keep_file(true);
    //! ```
    //!
    //! ```compile_fail,E0599
    //! let options = socketserver::transports::UnixStream::options().reuse_port(true);
    //! ```
}

mod a_backlog_of_datagrams {
    //! A datagram socket does not listen.
    //!
    //! ```
    //! let tcp = socketserver::transports::Tcp::options().backlog(5);
    //! let bound = socketserver::transports::Tcp::options().bind_only("127.0.0.1:0")?;
    //! let udp = socketserver::transports::Udp::options().bind("127.0.0.1:0")?;
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```
    //!
    //! ```compile_fail,E0599
    //! let udp = socketserver::transports::Udp::options().backlog(5);
    //! ```
    //!
    //! ```compile_fail,E0599
    //! let bound = socketserver::transports::Udp::options().bind_only("127.0.0.1:0")?;
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```
}

mod closing_under_a_loop {
    //! Who serves has the server to itself: nobody else can close it meanwhile, or serve with it.
    //!
    //! ```
    //! use socketserver::prelude::*;
    //!
    //! let mut server = TcpServer::bind("127.0.0.1:0", stream_fn(|_client| Ok(())))?;
    //! let stop = server.shutdown_handle();
    //! std::thread::scope(|scope| {
    //!     scope.spawn(|| server.serve_forever());
    //!     stop.shutdown()
    //! })?;
    //! server.close();
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```
    //!
    //! ```compile_fail,E0499
    //! use socketserver::prelude::*;
    //!
    //! let mut server = TcpServer::bind("127.0.0.1:0", stream_fn(|_client| Ok(())))?;
    //! let stop = server.shutdown_handle();
    //! std::thread::scope(|scope| {
    //!     scope.spawn(|| server.serve_forever());
    //!     server.close(); // error[E0499]: cannot borrow `server` as mutable more than once at a time
    //!     stop.shutdown()
    //! })?;
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```
}

mod hooks_that_answer_something_else {
    //! `verify_request` says yes or no; `get_request` gives a request and an address.
    //!
    //! ```
    //! use socketserver::prelude::*;
    //!
    //! let service = stream_fn(|_client| Ok(())).verify(|_: &TcpConnection, _| true);
    //! let server = TcpServer::bind("127.0.0.1:0", service)?;
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```
    //!
    //! ```compile_fail,E0308
    //! use socketserver::prelude::*;
    //!
    //! let service = stream_fn(|_client| Ok(())).verify(|_: &TcpConnection, _| 0);
    //! let server = TcpServer::bind("127.0.0.1:0", service)?;
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```
    //!
    //! ```
    //! use socketserver::core::{GetRequestError, Transport};
    //!
    //! fn get<T: Transport>(transport: &T) -> Result<(), GetRequestError> {
    //!     let (_request, _address) = transport.get_request()?;
    //!     Ok(())
    //! }
    //! ```
    //!
    //! ```compile_fail,E0308
    //! use socketserver::core::{GetRequestError, Transport};
    //!
    //! fn get<T: Transport>(transport: &T) -> Result<(), GetRequestError> {
    //!     let (_request, _address, _more) = transport.get_request()?;
    //!     Ok(())
    //! }
    //! ```
}

mod reading_from_wfile {
    //! `wfile` is for writing, and bytes are what is written.
    //!
    //! ```
    //! use socketserver::prelude::*;
    //! use std::io::{Read, Write};
    //!
    //! let service = stream_fn(|client: &mut Stream<TcpConnection>| {
    //!     client.rfile.read(&mut [0; 8])?;
    //!     client.wfile.write(b"text")?;
    //!     Ok(())
    //! });
    //! ```
    //!
    //! ```compile_fail,E0599
    //! use socketserver::prelude::*;
    //! use std::io::{Read, Write};
    //!
    //! let service = stream_fn(|client: &mut Stream<TcpConnection>| {
    //!     client.wfile.read(&mut [0; 8])?;
    //!     Ok(())
    //! });
    //! ```
    //!
    //! ```compile_fail,E0308
    //! use socketserver::prelude::*;
    //! use std::io::{Read, Write};
    //!
    //! let service = stream_fn(|client: &mut Stream<TcpConnection>| {
    //!     client.wfile.write("text")?;
    //!     Ok(())
    //! });
    //! ```
}
