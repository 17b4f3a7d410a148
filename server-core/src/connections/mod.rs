//! The connections that are alive: who they are, what they do, and ending them from outside.
//!
//! Each has a [`Watch`], which all who have to do with it share: the transport counts its bytes there, a handler says
//! there that it is idle, and whoever ends the connection does it there. Nothing here knows a socket: the transport
//! says how a connection is cut.

mod cut;
mod cuts;
mod ending;
mod gate;
mod info;
mod lazy_timing;
#[cfg(all(loom, test))]
mod models;
mod on_drain;
mod rate;
mod registry;
mod resting;
mod tally;
mod timed;
mod timing;
mod watch;
mod work;

pub use cut::CutReason;
pub use cuts::Cuts;
pub use info::{ConnectionId, ConnectionInfo, ConnectionState};
pub use on_drain::OnDrain;
pub use rate::AcceptRate;
pub use timed::Waiting;
pub use timing::Direction;
pub use watch::{IdleGuard, Watch};
pub use work::CallGuard;

pub(crate) use gate::Room;
pub(crate) use on_drain::DrainHooks;
pub(crate) use registry::{Place, Registered, Registry};
