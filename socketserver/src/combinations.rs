//! What can be combined with what, and what the compiler says about the rest. There is no code here.
//!
//! A server is three values, and not every three fit together. What a strategy asks of a service is part of its
//! type, so a server that could not work does not compile. Each mistake below is followed by what works.
//!
//! | strategy | the service, with all it holds |
//! |---|---|
//! | [`Synchronous`](crate::concurrency::Synchronous) | anything |
//! | [`ThreadPerRequest`](crate::concurrency::ThreadPerRequest) | `Send + Sync + 'static` |
//! | [`ThreadPool`](crate::concurrency::ThreadPool) | `Send + Sync + 'static` |
//! | [`LeaderPool`](crate::concurrency::LeaderPool) | `Send + Sync + 'static`, and keep-alive handlers `Send` |
//! | `RayonPool` (feature `rayon`) | `Send + Sync + 'static` |
//!
//! [`spawn`](crate::Spawn::spawn) asks for the same, whatever the strategy.
//!
//! # Sharing what cannot be shared
//!
//! An `Rc`, a `Cell` or a `RefCell` is for one thread. With a thread for each request:
//!
//! ```compile_fail,E0277
//! use socketserver::prelude::*;
//! use std::rc::Rc;
//!
//! let greeting = Rc::new("hello\n");
//! let service = base_fn(move |client: &mut Context<'_, TcpConnection>| {
//!     client.request.send(greeting.as_bytes())?;
//!     Ok(())
//! });
//! // error[E0277]: `Rc<&str>` cannot be shared between threads safely
//! let server = ThreadingTcpServer::bind("127.0.0.1:0", service)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With a pool, under the name of the facade or made by hand:
//!
//! ```compile_fail,E0277
//! # use socketserver::prelude::*;
//! # use std::rc::Rc;
//! # let greeting = Rc::new("hello\n");
//! # let service = base_fn(move |client: &mut Context<'_, TcpConnection>| {
//! #     client.request.send(greeting.as_bytes())?;
//! #     Ok(())
//! # });
//! // error[E0277]: `Rc<&str>` cannot be shared between threads safely
//! let server = PoolTcpServer::bind("127.0.0.1:0", service)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```compile_fail,E0277
//! # use socketserver::prelude::*;
//! # use std::rc::Rc;
//! # let greeting = Rc::new("hello\n");
//! # let service = base_fn(move |client: &mut Context<'_, TcpConnection>| {
//! #     client.request.send(greeting.as_bytes())?;
//! #     Ok(())
//! # });
//! // error[E0277]: `Rc<&str>` cannot be shared between threads safely
//! let server = Server::new(Tcp::bind("127.0.0.1:0")?, ThreadPool::new(4), service);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In the background:
//!
//! ```compile_fail,E0277
//! # use socketserver::prelude::*;
//! # use std::rc::Rc;
//! # let greeting = Rc::new("hello\n");
//! # let service = base_fn(move |client: &mut Context<'_, TcpConnection>| {
//! #     client.request.send(greeting.as_bytes())?;
//! #     Ok(())
//! # });
//! // error[E0277]: `Rc<&str>` cannot be shared between threads safely
//! let running = TcpServer::bind("127.0.0.1:0", service)?.spawn()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A handler type that is not `Send` is no obstacle: it is made, used and dropped in one thread. Only what its
//! factory holds is shared. What is shared is an `Arc`, with a `Mutex` around what changes; or one client is
//! served after another:
//!
//! ```
//! use socketserver::prelude::*;
//! use std::rc::Rc;
//! use std::sync::Arc;
//!
//! let greeting = Arc::new("hello\n");
//! let service = base_fn(move |client: &mut Context<'_, TcpConnection>| {
//!     client.request.send(greeting.as_bytes())?;
//!     Ok(())
//! });
//! let pool = ThreadPool::new(4);
//! let server = PoolTcpServer::new(Tcp::bind("127.0.0.1:0")?, pool, service);
//! let running = server.spawn()?;
//!
//! let greeting = Rc::new("hello\n");
//! let service = base_fn(move |client: &mut Context<'_, TcpConnection>| {
//!     client.request.send(greeting.as_bytes())?;
//!     Ok(())
//! });
//! let server = TcpServer::bind("127.0.0.1:0", service)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Borrowing what may go first
//!
//! A worker can outlive the function that made the server:
//!
//! ```compile_fail,E0373
//! use socketserver::prelude::*;
//!
//! let greeting = String::from("hello\n");
//! // error[E0373]: closure may outlive the current function, but it borrows `greeting`
//! let service = base_fn(|client: &mut Context<'_, TcpConnection>| {
//!     client.request.send(greeting.as_bytes())?;
//!     Ok(())
//! });
//! let server = ThreadingTcpServer::bind("127.0.0.1:0", service)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```compile_fail,E0597
//! # use socketserver::prelude::*;
//! let greeting = String::from("hello\n");
//! let borrowed = &greeting; // error[E0597]: `greeting` does not live long enough
//! let service = base_fn(move |client: &mut Context<'_, TcpConnection>| {
//!     client.request.send(borrowed.as_bytes())?;
//!     Ok(())
//! });
//! let server = PoolTcpServer::bind("127.0.0.1:0", service)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The compiler's advice is right: `move`. Without threads a borrow is enough:
//!
//! ```
//! use socketserver::prelude::*;
//!
//! let greeting = String::from("hello\n");
//! let service = base_fn(|client: &mut Context<'_, TcpConnection>| {
//!     client.request.send(greeting.as_bytes())?;
//!     Ok(())
//! });
//! let server = TcpServer::bind("127.0.0.1:0", service)?;
//! drop(server);
//!
//! let service = base_fn(move |client: &mut Context<'_, TcpConnection>| {
//!     client.request.send(greeting.as_bytes())?;
//!     Ok(())
//! });
//! let server = PoolTcpServer::bind("127.0.0.1:0", service)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A closure that changes what it holds
//!
//! All workers call the same closure, so it cannot change what it has captured:
//!
//! ```compile_fail,E0594
//! use socketserver::prelude::*;
//!
//! let mut served = 0;
//! let service = stream_fn(move |_client: &mut Stream<TcpConnection>| {
//!     served += 1; // error[E0594]: cannot assign to `served`, as it is a captured variable in a `Fn` closure
//!     Ok(())
//! });
//! let server = ThreadingTcpServer::bind("127.0.0.1:0", service)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```
//! use socketserver::prelude::*;
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! let served = AtomicU64::new(0);
//! let service = stream_fn(move |_client: &mut Stream<TcpConnection>| {
//!     served.fetch_add(1, Ordering::Relaxed);
//!     Ok(())
//! });
//! let server = ThreadingTcpServer::bind("127.0.0.1:0", service)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A handler for the wrong kind of request
//!
//! A datagram handler needs packets, which a stream server does not have; CPython fails at each request.
//!
//! ```compile_fail,E0277
//! use socketserver::prelude::*;
//!
//! // error[E0277]: the trait bound `Connection<TcpStream>: DatagramRequest` is not satisfied
//! let server = TcpServer::bind("127.0.0.1:0", datagram_fn(|_packet| Ok(())))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```compile_fail,E0277
//! use socketserver::prelude::*;
//!
//! // error[E0277]: the trait bound `Datagram<UdpSocket>: StreamRequest` is not satisfied
//! let server = UdpServer::bind("127.0.0.1:0", stream_fn(|_client| Ok(())))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```
//! use socketserver::prelude::*;
//!
//! let server = UdpServer::bind("127.0.0.1:0", datagram_fn(|_packet| Ok(())))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
