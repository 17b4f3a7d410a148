//! So many from each user of this machine at a time.

use std::sync::Arc;

use socketserver_core::{Admission, Permit, Refusal};

use super::tally::Tally;
use crate::connection::Connection;
use crate::unix::{UnixAddr, UnixSocket};

/// Lets in no more than so many connections at a time from one user, on Unix sockets of streams and of sequenced packets.
/// More are turned away, with [`Refusal::Source`]; so is, with [`Refusal::Denied`], a client of whom the system does not
/// tell who it is. CPython has nothing like it. Unix only.
///
/// The user is the effective one of the process that connected; see
/// [`PeerCredentials`](crate::PeerCredentials). The limit is exact, and a user is forgotten with the last connection.
///
/// Clones share the counts and the limit: keep one to change the limit while the server runs. Connections that forked
/// children serve are not counted, and worker processes count on their own.
///
/// ```
/// use socketserver_transports::PerUser;
///
/// let limit = PerUser::new(10);
/// let handle = limit.clone();
/// // `server.with_admission(limit)`, and later, from any thread:
/// handle.set_most(5);
/// assert_eq!(handle.live(1000), 0);
/// ```
#[derive(Clone, Debug)]
pub struct PerUser {
    tally: Arc<Tally<u32>>,
}

impl PerUser {
    /// No more than `most` at a time from each user.
    pub fn new(most: usize) -> Self {
        Self { tally: Tally::new(most) }
    }

    /// How many connections each user may have.
    pub fn most(&self) -> usize {
        self.tally.most()
    }

    /// Changes that, from any thread, at once. Connections that are there stay, also if they are more than allowed now.
    pub fn set_most(&self, most: usize) {
        self.tally.set_most(most);
    }

    /// How many connections the user of this number has.
    pub fn live(&self, uid: u32) -> usize {
        self.tally.inside(uid)
    }

    /// How many users have any.
    pub fn live_users(&self) -> usize {
        self.tally.sources()
    }
}

impl<S: UnixSocket> Admission<Connection<S>> for PerUser
where
    Connection<S>: socketserver_core::Request<Addr = UnixAddr>,
{
    fn admit(&self, client: &Connection<S>, _: &UnixAddr) -> Result<Permit, Refusal> {
        let peer = client.peer_credentials().map_err(|_| Refusal::Denied)?;
        self.tally.enter(peer.uid()).map(Permit::holding).ok_or(Refusal::Source)
    }
}
