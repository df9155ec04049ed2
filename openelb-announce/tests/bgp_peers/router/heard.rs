//! A route in a router's table, in words that all of them understand.

use std::net::IpAddr;

use ipnet::IpNet;

use super::description::Family;

/// What a router has heard about one prefix from one neighbour.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Heard {
    pub(crate) prefix: IpNet,
    /// The address of the neighbour that said it.
    pub(crate) from: Option<IpAddr>,
    /// The global address first, then the link-local one, as far as the router shows them.
    pub(crate) next_hops: Vec<IpAddr>,
    pub(crate) as_path: Vec<u32>,
    /// In ascending order.
    pub(crate) communities: Vec<u32>,
    /// In ascending order.
    pub(crate) large_communities: Vec<[u32; 3]>,
    pub(crate) med: Option<u32>,
    pub(crate) local_pref: Option<u32>,
    /// Kept for a neighbour that is restarting.
    pub(crate) is_stale: bool,
}

impl Heard {
    pub(crate) fn family(&self) -> Family {
        Family::of(self.prefix.addr())
    }

    /// Brings what routers list in their own order into one order.
    pub(crate) fn sorted(mut self) -> Self {
        self.communities.sort_unstable();
        self.large_communities.sort_unstable();
        self.next_hops
            .sort_by_key(|address| matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local()));
        self
    }
}

/// `64500:7`, `64500,7` or a well-known name.
pub(crate) fn community(text: &str) -> u32 {
    let plain = text.to_lowercase().replace(['-', '_'], "");
    match plain.as_str() {
        "gracefulshutdown" => 0xffff_0000,
        "llgrstale" => 0xffff_0006,
        "noexport" => 0xffff_ff01,
        "noadvertise" => 0xffff_ff02,
        _ => {
            let [high, low] = numbers(text)[..] else {
                panic!("no community: {text}")
            };
            high << 16 | low
        }
    }
}

/// `64500:1:2` or `64500, 1, 2`.
pub(crate) fn large_community(text: &str) -> [u32; 3] {
    numbers(text).try_into().unwrap()
}

/// All numbers in a text.
pub(crate) fn numbers(text: &str) -> Vec<u32> {
    text.split(|letter: char| !letter.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().unwrap())
        .collect()
}
