//! What FRR reads at its start.

use std::fmt::Write;

use super::Neighbor;
use crate::lab::fabric::{ROUTER_AS, ROUTER_ID};

/// The configuration of `bgpd`: a session to each neighbour for the family of its address, and
/// forwarding over up to eight equal paths.
pub(super) fn bgpd(neighbors: &[Neighbor]) -> String {
    let mut text = format!(
        "log stdout\n\
         router bgp {ROUTER_AS}\n \
         bgp log-neighbor-changes\n \
         bgp router-id {ROUTER_ID}\n \
         no bgp ebgp-requires-policy\n \
         no bgp default ipv4-unicast\n \
         bgp graceful-restart\n"
    );
    for neighbor in neighbors {
        let Neighbor { address, asn, bfd } = neighbor;
        let bfd = if *bfd {
            format!(" neighbor {address} bfd profile {PROFILE}\n")
        } else {
            String::new()
        };
        write!(
            text,
            " neighbor {address} remote-as {asn}\n \
             neighbor {address} timers 3 9\n \
             neighbor {address} timers connect 1\n{bfd}"
        )
        .expect("writing to memory cannot fail");
    }
    for (family, is_v4) in [("ipv4", true), ("ipv6", false)] {
        writeln!(text, " address-family {family} unicast\n  maximum-paths 8")
            .expect("writing to memory cannot fail");
        for neighbor in neighbors
            .iter()
            .filter(|one| one.address.is_ipv4() == is_v4)
        {
            writeln!(text, "  neighbor {} activate", neighbor.address)
                .expect("writing to memory cannot fail");
        }
        text.push_str(" exit-address-family\n");
    }
    text
}

/// The configuration of `bfdd`: a neighbour is gone when three packets in 300 ms are.
pub(super) fn bfdd() -> String {
    format!(
        "bfd\n profile {PROFILE}\n  detect-multiplier 3\n  transmit-interval 100\n  \
         receive-interval 100\n exit\nexit\n"
    )
}

const PROFILE: &str = "lab";

#[cfg(test)]
mod tests {
    use super::{Neighbor, bgpd};

    #[test]
    fn a_neighbor_exchanges_routes_of_the_family_of_its_address_only() {
        let neighbor = |address: &str, bfd| Neighbor {
            address: address.parse().unwrap(),
            asn: 64_512,
            bfd,
        };
        let text = bgpd(&[neighbor("192.0.2.10", true), neighbor("2001:db8::a", false)]);
        let (before, v6) = text.split_once("address-family ipv6").unwrap();
        let (_, v4) = before.split_once("address-family ipv4").unwrap();
        assert!(v4.contains("192.0.2.10 activate") && !v4.contains("2001:db8::a"));
        assert!(v6.contains("2001:db8::a activate") && !v6.contains("192.0.2.10"));
        assert!(text.contains("neighbor 192.0.2.10 bfd profile lab"));
        assert!(!text.contains("neighbor 2001:db8::a bfd"));
    }
}
