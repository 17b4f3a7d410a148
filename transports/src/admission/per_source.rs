//! So many from each address at a time.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use socketserver_core::{Admission, Permit, Refusal, Request};

use super::networks::network_of;
use super::tally::Tally;

/// Lets in no more than so many requests at a time from one source: connections, and packets that are being answered. More
/// are turned away, with [`Refusal::Source`]. CPython has nothing like it.
///
/// A source is an IPv4 address, or an IPv6 network of 64 bits, which is what a single household or host commonly has all
/// of; both lengths can be set. An IPv4 client of a dual-stack listener is an IPv4 address. The limit is exact; a request
/// counts until it has left, and a source is forgotten with its last request, so the memory this takes is bounded by what
/// is alive.
///
/// Clones share the counts and the limit: keep one to change the limit while the server runs. Several servers may share
/// them too. Requests that forked children serve are not counted, and worker processes count on their own.
///
/// ```
/// use socketserver_transports::PerSource;
/// use std::net::IpAddr;
///
/// let limit = PerSource::new(10).ipv6_prefix(48);
/// let handle = limit.clone();
/// // `server.with_admission(limit)`, and later, from any thread:
/// handle.set_most(5);
/// assert_eq!(handle.live(IpAddr::from([192, 0, 2, 1])), 0);
/// ```
#[derive(Clone, Debug)]
pub struct PerSource {
    tally: Arc<Tally<IpNet>>,
    ipv4_bits: u8,
    ipv6_bits: u8,
}

impl PerSource {
    /// No more than `most` at a time from each source.
    pub fn new(most: usize) -> Self {
        Self { tally: Tally::new(most), ipv4_bits: 32, ipv6_bits: 64 }
    }

    /// How many bits of an IPv4 address make a source. The default is 32, all of them, and more than that are 32.
    #[must_use]
    pub const fn ipv4_prefix(mut self, bits: u8) -> Self {
        self.ipv4_bits = bits;
        self
    }

    /// How many bits of an IPv6 address make a source. The default is 64. More than 128 are 128.
    ///
    /// All link-local addresses (`fe80::…`) begin with the same 64 bits: a server for those needs 128.
    #[must_use]
    pub const fn ipv6_prefix(mut self, bits: u8) -> Self {
        self.ipv6_bits = bits;
        self
    }

    /// How many may be in progress from each source.
    pub fn most(&self) -> usize {
        self.tally.most()
    }

    /// Changes that, from any thread, at once. Requests in progress stay, also if they are more than allowed now.
    pub fn set_most(&self, most: usize) {
        self.tally.set_most(most);
    }

    /// How many are in progress from the source that this address belongs to.
    pub fn live(&self, address: IpAddr) -> usize {
        self.tally.inside(self.source(address))
    }

    /// From how many sources any are in progress.
    pub fn live_sources(&self) -> usize {
        self.tally.sources()
    }

    fn source(&self, address: IpAddr) -> IpNet {
        network_of(address, self.ipv4_bits, self.ipv6_bits)
    }
}

impl<R: Request<Addr = SocketAddr>> Admission<R> for PerSource {
    fn admit(&self, _: &R, client_address: &SocketAddr) -> Result<Permit, Refusal> {
        let inside = self.tally.enter(self.source(client_address.ip()));
        inside.map(Permit::holding).ok_or(Refusal::Source)
    }
}
