//! What a router shall be, in words that all of them understand.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

/// One BGP router: whose it is, whom it talks to and what it announces.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    pub(crate) asn: u32,
    pub(crate) router_id: Ipv4Addr,
    pub(crate) neighbors: Vec<Neighbor>,
    /// What it originates, with the community [`COMMUNITY`] and the MED [`MED`].
    pub(crate) networks: Vec<IpNet>,
    /// Writes what it learns into the kernel's table, where it can.
    pub(crate) installs: bool,
    /// What our speaker learns; the others take everything.
    pub(crate) imports: Vec<IpNet>,
}

/// One neighbour of a router, as the router's own configuration describes it.
#[derive(Clone, Debug)]
pub(crate) struct Neighbor {
    pub(crate) remote: Remote,
    pub(crate) asn: u32,
    pub(crate) families: BTreeSet<Family>,
    pub(crate) password: Option<String>,
    pub(crate) features: BTreeSet<Feature>,
    /// How many hops away it may be, for [`Feature::Multihop`].
    pub(crate) hops: u8,
    /// Seconds.
    pub(crate) hold_time: u16,
    /// The address of the connection's near end.
    pub(crate) local: Option<IpAddr>,
}

/// Where a neighbour is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remote {
    Address(IpAddr),
    /// Whoever advertises itself as a router on this interface.
    Interface(String),
}

/// What routes are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    Ipv4,
    Ipv6,
}

/// What a router may be able to do, and may be told to do with a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Feature {
    Password,
    TtlSecurity,
    Multihop,
    Passive,
    /// Keeps a restarting neighbour's routes (RFC 4724).
    GracefulRestart,
    /// Keeps them also after a NOTIFICATION (RFC 8538).
    GracefulNotification,
    AddPath,
    Bfd,
    ExtendedNextHop,
    Unnumbered,
    /// Writes routes into the kernel's table.
    Installs,
    /// Asks a neighbour for its routes again (RFC 2918).
    Refresh,
}

impl Description {
    pub(crate) fn new(asn: u32, router_id: Ipv4Addr) -> Self {
        Self {
            asn,
            router_id,
            neighbors: Vec::new(),
            networks: Vec::new(),
            installs: false,
            imports: Vec::new(),
        }
    }

    pub(crate) fn neighbor(mut self, neighbor: Neighbor) -> Self {
        self.neighbors.push(neighbor);
        self
    }

    pub(crate) fn announcing(mut self, networks: &[&str]) -> Self {
        let networks = networks
            .iter()
            .map(|network| network.parse::<IpNet>().unwrap());
        self.networks.extend(networks);
        self
    }

    pub(crate) fn importing(mut self, ranges: &[&str]) -> Self {
        let ranges = ranges.iter().map(|range| range.parse::<IpNet>().unwrap());
        self.imports.extend(ranges);
        self
    }

    pub(crate) fn installing(mut self) -> Self {
        self.installs = true;
        self
    }
}

impl Neighbor {
    /// A neighbour with the family of its address, and nothing special.
    pub(crate) fn new(asn: u32, address: &str) -> Self {
        let address: IpAddr = address.parse().unwrap();
        let family = Family::of(address);
        Self::at(Remote::Address(address), asn, &[family])
    }

    /// A neighbour with both families on an interface, wherever it is.
    pub(crate) fn on(asn: u32, interface: &str) -> Self {
        let remote = Remote::Interface(interface.to_owned());
        Self::at(remote, asn, &Family::ALL).with(Feature::Unnumbered)
    }

    pub(crate) fn families(mut self, families: &[Family]) -> Self {
        self.families = families.iter().copied().collect();
        self
    }

    pub(crate) fn with(mut self, feature: Feature) -> Self {
        self.features.insert(feature);
        self
    }

    pub(crate) fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    pub(crate) fn hops(mut self, hops: u8) -> Self {
        self.hops = hops;
        self.with(Feature::Multihop)
    }

    pub(crate) fn hold_time(mut self, seconds: u16) -> Self {
        self.hold_time = seconds;
        self
    }

    pub(crate) fn from(mut self, local: &str) -> Self {
        self.local = Some(local.parse().unwrap());
        self
    }

    pub(crate) fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// How its router's configuration names it.
    pub(crate) fn name(&self) -> String {
        match &self.remote {
            Remote::Address(address) => address.to_string(),
            Remote::Interface(interface) => interface.clone(),
        }
    }

    fn at(remote: Remote, asn: u32, families: &[Family]) -> Self {
        Self {
            remote,
            asn,
            families: families.iter().copied().collect(),
            password: None,
            features: BTreeSet::new(),
            hops: 1,
            hold_time: 90,
            local: None,
        }
    }
}

impl Family {
    pub(crate) const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    pub(crate) fn of(address: IpAddr) -> Self {
        if address.is_ipv4() {
            Self::Ipv4
        } else {
            Self::Ipv6
        }
    }

    /// `ipv4` or `ipv6`, as all of the five write it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }
}

/// What routers put on the networks that they announce: `64500:7`.
pub(crate) const COMMUNITY: (u16, u16) = (64500, 7);
/// The large community beside it: `64500:1:2`.
pub(crate) const LARGE_COMMUNITY: [u32; 3] = [64500, 1, 2];
/// The MED beside it.
pub(crate) const MED: u32 = 5;
