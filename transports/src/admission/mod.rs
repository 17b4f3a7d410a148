//! Who is let in, by where the client comes from: limits by address and user, lists of networks.
//!
//! These know addresses; what to do with an answer is the server's business.

mod address_list;
mod networks;
mod per_source;
#[cfg(unix)]
mod per_user;
mod tally;

pub use address_list::{AddressList, AddressListError};
pub use per_source::PerSource;
#[cfg(unix)]
pub use per_user::PerUser;
