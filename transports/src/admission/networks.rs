//! Networks: the one that an address is in, and sets of them.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;

/// The network of so many bits that an address is in. An IPv4 address that looks like an IPv6 one is an IPv4 address;
/// too many bits are all there are.
pub(crate) fn network_of(address: IpAddr, ipv4_bits: u8, ipv6_bits: u8) -> IpNet {
    let address = address.to_canonical();
    let bits = if address.is_ipv4() { ipv4_bits } else { ipv6_bits };
    IpNet::new(address, bits).map_or_else(|_| address.into(), |network| network.trunc())
}

/// A network as it is looked for: without the bits that do not count, and as one of IPv4 if that is what it means.
fn canonical(network: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    let bits = network.prefix_len();
    match (network.addr(), network.addr().to_canonical()) {
        (IpAddr::V6(_), short @ IpAddr::V4(_)) if bits >= MAPPED => {
            network_of(short, bits - MAPPED, 0)
        }
        _ => network.trunc(),
    }
}

/// A set of networks. Looking an address up costs as much as there are different lengths of prefixes, however many
/// networks there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Networks(BTreeMap<u8, HashSet<IpNet>>);

impl Networks {
    pub(crate) fn insert(&mut self, network: IpNet) {
        let network = canonical(network);
        self.0.entry(network.prefix_len()).or_default().insert(network);
    }

    /// Says whether it was there.
    pub(crate) fn remove(&mut self, network: IpNet) -> bool {
        let network = canonical(network);
        let Some(same_length) = self.0.get_mut(&network.prefix_len()) else { return false };
        let removed = same_length.remove(&network);
        if same_length.is_empty() {
            self.0.remove(&network.prefix_len());
        }
        removed
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let longest = if address.to_canonical().is_ipv4() { 32 } else { 128 };
        let mut lengths = self.0.range(..=longest);
        lengths.any(|(bits, networks)| networks.contains(&network_of(address, *bits, *bits)))
    }

    pub(crate) fn sorted(&self) -> Vec<IpNet> {
        let mut all: Vec<_> = self.0.values().flatten().copied().collect();
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(all: &[&str]) -> Networks {
        let mut networks = Networks::default();
        for network in all {
            networks.insert(network.parse().unwrap());
        }
        networks
    }

    #[test]
    fn an_address_is_found_in_its_networks_only() {
        let set = networks(&["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::1/128"]);
        for inside in ["10.0.0.0", "10.255.255.255", "192.0.2.7", "2001:db8:1::2", "::1"] {
            assert!(set.contains(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.0", "9.255.255.255", "192.0.2.8", "2001:db9::", "::2", "::a00:1"] {
            assert!(!set.contains(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_one() {
        let set = networks(&["10.0.0.0/8", "::ffff:192.0.2.0/120"]);
        for inside in ["::ffff:10.1.2.3", "192.0.2.1", "::ffff:192.0.2.255"] {
            assert!(set.contains(inside.parse().unwrap()), "{inside}");
        }
        assert!(!set.contains("192.0.3.0".parse().unwrap()));
        let all_of_one = networks(&["::/0"]);
        assert!(!all_of_one.contains("10.0.0.1".parse().unwrap()), "all of IPv6");
        assert!(!all_of_one.contains("::ffff:10.0.0.1".parse().unwrap()));
        assert!(networks(&["0.0.0.0/0"]).contains("::ffff:10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn bits_that_do_not_count_do_not_count() {
        let mut set = networks(&["10.1.2.3/8"]);
        assert!(set.contains("10.200.0.1".parse().unwrap()));
        assert_eq!(set.sorted(), ["10.0.0.0/8".parse().unwrap()]);
        assert!(set.remove("10.9.9.9/8".parse().unwrap()));
        assert!(!set.remove("10.0.0.0/8".parse().unwrap()));
        assert!(set.is_empty());
    }

    #[test]
    fn a_network_of_an_address() {
        let of = |address: &str| network_of(address.parse().unwrap(), 24, 64).to_string();
        assert_eq!(of("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        let all = network_of("192.0.2.77".parse().unwrap(), 200, 200);
        assert_eq!(all.to_string(), "192.0.2.77/32");
    }
}
