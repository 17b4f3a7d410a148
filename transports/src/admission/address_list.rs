//! Lists of networks that are let in, or not.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ipnet::IpNet;
use socketserver_core::{Admission, Permit, Refusal, Request};

use super::networks::Networks;

/// Lets clients in by their addresses: networks that are denied, and networks that are allowed. Others are turned away, with
/// [`Refusal::Denied`]; their packets are dropped. CPython has nothing like it.
///
/// - An address in a network that is denied is not let in, even if one that is allowed has it too.
/// - As long as any network is allowed, only addresses in one of those are let in.
/// - Else everybody is: that is what an empty list does.
///
/// An entry is a network like `10.0.0.0/8` or a single address. An IPv4 client of a dual-stack listener is looked up as
/// IPv4: `0.0.0.0/0` has it and `::/0` has not. Looking up does not take longer in a longer list.
///
/// Clones share the list: keep one to change it while the server runs. Who is inside stays. In worker processes the list is
/// as it was when they were made.
///
/// ```
/// use socketserver_transports::AddressList;
/// use socketserver_transports::ipnet::IpNet;
/// use std::net::IpAddr;
///
/// let office: IpNet = "192.0.2.0/24".parse()?;
/// let printer: IpAddr = "192.0.2.9".parse()?;
/// let list = AddressList::new();
/// list.allow(office).deny(printer);
/// assert!(list.is_allowed("192.0.2.1".parse()?));
/// assert!(!list.is_allowed("192.0.2.9".parse()?));
/// assert!(!list.is_allowed("198.51.100.1".parse()?));
///
/// // As in a file:
/// let same: AddressList = "allow 192.0.2.0/24\ndeny 192.0.2.9 # the printer".parse()?;
/// list.replace(&same);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct AddressList {
    lists: Arc<RwLock<Lists>>,
}

#[derive(Clone, Debug, Default)]
struct Lists {
    allowed: Networks,
    denied: Networks,
}

impl AddressList {
    /// An empty list, which lets everybody in.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows a network. With the first one, everybody who is in none is shut out.
    pub fn allow(&self, network: impl Into<IpNet>) -> &Self {
        self.write().allowed.insert(network.into());
        self
    }

    /// Denies a network.
    pub fn deny(&self, network: impl Into<IpNet>) -> &Self {
        self.write().denied.insert(network.into());
        self
    }

    /// Takes this very network off the allowed ones; says whether it was among them. With the last one, everybody who is
    /// not denied is let in again: to change all at once, [replace](Self::replace) the list.
    pub fn remove_allowed(&self, network: impl Into<IpNet>) -> bool {
        self.write().allowed.remove(network.into())
    }

    /// Takes this very network off the denied ones; says whether it was among them.
    pub fn remove_denied(&self, network: impl Into<IpNet>) -> bool {
        self.write().denied.remove(network.into())
    }

    /// Takes over the entries of another list, as they are now, in place of all that were here; in one step.
    pub fn replace(&self, other: &Self) {
        // Not under both locks: it may be the same list.
        let lists = other.read().clone();
        *self.write() = lists;
    }

    /// Whether a client with this address is let in.
    pub fn is_allowed(&self, address: IpAddr) -> bool {
        let lists = self.read();
        !lists.denied.contains(address)
            && (lists.allowed.is_empty() || lists.allowed.contains(address))
    }

    /// The networks that are allowed, sorted.
    pub fn allowed(&self) -> Vec<IpNet> {
        self.read().allowed.sorted()
    }

    /// The networks that are denied, sorted.
    pub fn denied(&self) -> Vec<IpNet> {
        self.read().denied.sorted()
    }

    fn read(&self) -> RwLockReadGuard<'_, Lists> {
        // Nothing under this lock panics half way.
        self.lists.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Lists> {
        self.lists.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Request<Addr = SocketAddr>> Admission<R> for AddressList {
    fn admit(&self, _: &R, client_address: &SocketAddr) -> Result<Permit, Refusal> {
        if self.is_allowed(client_address.ip()) { Ok(Permit::none()) } else { Err(Refusal::Denied) }
    }
}

/// One entry in each line: `allow` or `deny`, then a network or an address. Empty lines, and what follows a `#`, do not
/// count.
impl FromStr for AddressList {
    type Err = AddressListError;

    fn from_str(text: &str) -> Result<Self, AddressListError> {
        let list = Self::new();
        for (number, line) in (1..).zip(text.lines()) {
            let entry = line.split('#').next().unwrap_or_default().trim();
            let error =
                |problem| AddressListError { line: number, entry: entry.to_owned(), problem };
            if entry.is_empty() {
                continue;
            }
            let (word, network) =
                entry.split_once(char::is_whitespace).ok_or_else(|| error(Problem::Word))?;
            let network = network_or_address(network.trim());
            let network = || network.ok_or_else(|| error(Problem::Network));
            match word {
                "allow" => list.allow(network()?),
                "deny" => list.deny(network()?),
                _ => return Err(error(Problem::Word)),
            };
        }
        Ok(list)
    }
}

/// Both are read by the standard library, which takes no `010.0.0.0`: is that 10.0.0.0, or in octal 8.0.0.0?
fn network_or_address(text: &str) -> Option<IpNet> {
    match text.split_once('/') {
        None => text.parse().ok().map(IpAddr::into),
        Some((address, bits)) => {
            let digits = bits.bytes().all(|byte| byte.is_ascii_digit());
            let bits = bits.parse().ok().filter(|_| digits)?;
            IpNet::new(address.parse().ok()?, bits).ok()
        }
    }
}

/// Which entry of a text is none for an [`AddressList`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AddressListError {
    line: usize,
    entry: String,
    problem: Problem,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Problem {
    Word,
    Network,
}

impl AddressListError {
    /// The number of its line, counted from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The entry.
    pub fn entry(&self) -> &str {
        &self.entry
    }
}

impl fmt::Display for AddressListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            Problem::Word => "it is neither `allow` nor `deny` with a network",
            Problem::Network => "that is no network and no address",
        };
        write!(f, "line {}: {:?}: {problem}", self.line, self.entry)
    }
}

impl Error for AddressListError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(list: &AddressList, address: &str) -> bool {
        list.is_allowed(address.parse().unwrap())
    }

    #[test]
    fn a_denial_wins_and_with_an_allowance_only_those_are_let_in() {
        let list: AddressList = "deny 10.0.0.0/8".parse().unwrap();
        assert!(!allowed(&list, "10.1.1.1") && !allowed(&list, "::ffff:10.1.1.1"));
        assert!(allowed(&list, "192.0.2.1") && allowed(&list, "2001:db8::1"));
        list.allow("10.0.0.0/7".parse::<IpNet>().unwrap());
        assert!(allowed(&list, "11.1.1.1"));
        assert!(!allowed(&list, "10.1.1.1") && !allowed(&list, "192.0.2.1"));
        assert!(!allowed(&list, "2001:db8::1"));
        assert!(list.remove_denied("10.0.0.0/8".parse::<IpNet>().unwrap()));
        assert!(allowed(&list, "10.1.1.1"));
        assert!(list.remove_allowed("10.0.0.0/7".parse::<IpNet>().unwrap()));
        assert!(allowed(&list, "192.0.2.1"), "an empty list");
    }

    #[test]
    fn clones_share_and_a_list_can_replace_itself() {
        let list = AddressList::new();
        let clone = list.clone();
        clone.deny(IpAddr::from([192, 0, 2, 1]));
        assert!(!allowed(&list, "192.0.2.1"));
        list.replace(&clone);
        assert_eq!(list.denied(), ["192.0.2.1/32".parse().unwrap()]);
        list.replace(&"allow ::1".parse().unwrap());
        assert_eq!((clone.denied(), clone.allowed().len()), (vec![], 1));
    }

    #[test]
    fn a_text_is_read_and_its_faults_are_named() {
        let text =
            "\n# those of the house\n  allow\t10.0.0.0/8 # all\ndeny 10.0.0.1\r\nallow ::1\n";
        let list: AddressList = text.parse().unwrap();
        assert_eq!((list.allowed().len(), list.denied().len()), (2, 1));
        for (text, expected) in [
            (
                "deny 10.0.0.0/33",
                r#"line 1: "deny 10.0.0.0/33": that is no network and no address"#,
            ),
            (
                "deny 010.0.0.0/8",
                r#"line 1: "deny 010.0.0.0/8": that is no network and no address"#,
            ),
            (
                "deny 10.0.0.0/+8",
                r#"line 1: "deny 10.0.0.0/+8": that is no network and no address"#,
            ),
            ("\nallow here", r#"line 2: "allow here": that is no network and no address"#),
            ("10.0.0.1", r#"line 1: "10.0.0.1": it is neither `allow` nor `deny` with a network"#),
            ("Deny ::1", r#"line 1: "Deny ::1": it is neither `allow` nor `deny` with a network"#),
        ] {
            let error = text.parse::<AddressList>().unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
