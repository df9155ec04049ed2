//! The plays with a router: sessions come up, routes come and go, paths are spread, kept and lost.

mod failure;
mod restart;
mod sessions;
mod traffic;

use std::net::IpAddr;

use super::trouble::Trouble;
use super::{Act, Scenario, until};
use crate::lab::fabric::{self, TOR};
use crate::lab::fib;
use crate::lab::router::Router;

/// One node: from the first session to the withdrawn route.
pub(super) const BGP: [Act; 6] = [
    ("router-started", sessions::start_router),
    ("established", sessions::establish),
    ("announced", sessions::announce),
    ("reached", traffic::reach),
    ("shown", sessions::show),
    ("withdrawn", sessions::withdraw),
];

/// Two nodes: spread over both, one restarted, one lost.
pub(super) const ECMP: [Act; 6] = [
    ("router-started", sessions::start_router),
    ("established", sessions::establish),
    ("announced", sessions::announce),
    ("spread", traffic::spread),
    ("restarted", restart::restart),
    ("died", failure::die),
];

/// For those who stay: something to look at.
pub(super) const ENCORE: Act = ("returned", sessions::come_back);

impl Scenario<'_> {
    fn router(&self) -> Result<&Router, Trouble> {
        self.router.as_ref().ok_or_else(|| Trouble::Unexpected {
            expected: "a router".to_owned(),
            seen: "none was started".to_owned(),
        })
    }

    /// Whether a lab with two nodes is watched by BFD.
    fn has_bfd(&self) -> bool {
        self.scene.nodes().len() > 1
    }

    /// The next hops by which the router's kernel forwards to an address.
    fn next_hops(&self, address: IpAddr) -> Result<Option<Vec<IpAddr>>, Trouble> {
        let tor = self.network.station(TOR).expect("the plan has a router");
        Ok(tor.host.run(move || fib::next_hops(address))?)
    }

    /// Waits until the router's kernel forwards to every address of the service over `count` next
    /// hops; returns them.
    fn wait_for_next_hops(&self, count: usize) -> Result<Vec<(IpAddr, Vec<IpAddr>)>, Trouble> {
        let expected = format!("{count} next hops for each address in the kernel of {TOR}");
        let wait = |address: IpAddr| {
            until(&expected, || {
                let hops = self.next_hops(address)?.unwrap_or_default();
                Ok((hops.len() == count)
                    .then_some(hops.clone())
                    .ok_or_else(|| format!("{address} via {hops:?}")))
            })
        };
        let pair = fabric::pair().into_iter();
        pair.map(|address| Ok((address, wait(address)?))).collect()
    }
}

/// `a and b`, or one of them.
fn join(addresses: &[IpAddr]) -> String {
    let words: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    words.join(" and ")
}
