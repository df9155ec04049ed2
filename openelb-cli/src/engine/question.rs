//! What can be asked of the state: the requests of the control socket and of the `ip` verbs alike.

use std::net::IpAddr;

use openelb_ipam::{OwnerKey, PoolName, PoolSpec, Request};
use serde::{Deserialize, Serialize};

use super::bgp::DrainStep;

/// One question. Its JSON form is the control protocol, version [`PROTOCOL`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Question {
    /// Addresses for every owner, each with the same request; one commit for all.
    Allocate {
        /// For whom.
        owners: Owners,
        /// What each asks for.
        request: Box<Request>,
    },
    /// Everything these owners hold is given back.
    Release {
        /// Who gives back.
        owners: Vec<OwnerKey>,
    },
    /// One address is kept from being handed out, under the name of an owner.
    Reserve {
        /// The address.
        address: IpAddr,
        /// Under whose name.
        owner: OwnerKey,
    },
    /// Who holds what.
    List {
        /// Only of this pool.
        pool: Option<PoolName>,
        /// Only of this namespace.
        namespace: Option<String>,
    },
    /// Who holds an address.
    Whois {
        /// The address.
        address: IpAddr,
    },
    /// All pools with their use.
    Pools,
    /// One pool.
    Pool {
        /// Its name.
        name: PoolName,
    },
    /// How a pool is used, in cells of equal size.
    Map {
        /// Its name.
        name: PoolName,
        /// How many cells per range at most.
        cells: u32,
    },
    /// What a new set of pools would change; nothing is changed.
    Plan {
        /// All pools there shall be.
        pools: Vec<PoolSpec>,
    },
    /// Makes these the pools.
    Apply {
        /// All pools there shall be.
        pools: Vec<PoolSpec>,
    },
    /// Why an owner has what it has, or nothing.
    Explain {
        /// Who.
        owner: OwnerKey,
        /// What it would ask for; `None` takes what it asked for last, or any address.
        request: Option<Box<Request>>,
    },
    /// Everything on one screen; answered by a daemon only, as everything below.
    Status,
    /// The BGP speaker and its peers.
    Bgp,
    /// What peers were told, or with `received` what they told.
    BgpRoutes {
        /// Only this peer.
        peer: Option<String>,
        /// The routes that peers sent, of those whose `BgpPeer` says `keepReceived`.
        received: bool,
    },
    /// What happened to the peers.
    BgpEvents {
        /// From this number on; `None`: only the number of the next one.
        from: Option<u64>,
    },
    /// The election of layer 2.
    Election,
    /// What happened to the election, the addresses and the virtual routers.
    LinkEvents {
        /// From this number on; `None`: only the number of the next one.
        from: Option<u64>,
    },
    /// The virtual routers.
    Vrrp,
    /// The prefixes that addresses follow, with everything that is known of them; answered by anybody,
    /// but only a daemon sees more than what was written down.
    Prefixes {
        /// Only this one.
        name: Option<String>,
    },
    /// What happened to the prefixes.
    PrefixEvents {
        /// From this number on; `None`: only the number of the next one.
        from: Option<u64>,
    },
    /// Takes a node out of service, step by step.
    Drain {
        /// Which step; none only asks how far it is.
        step: Option<DrainStep>,
        /// Which node, by the name that it has in the election; `None`: the daemon's own.
        #[serde(default)]
        node: Option<String>,
    },
}

impl Question {
    /// Whether the answer changes the state, so that it must be durable before it is given.
    pub(crate) fn changes(&self) -> bool {
        matches!(
            self,
            Self::Allocate { .. }
                | Self::Release { .. }
                | Self::Reserve { .. }
                | Self::Apply { .. }
        )
    }
}

/// Owners by name, or many by one stem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Owners {
    /// These.
    Named(Vec<OwnerKey>),
    /// `STEM-1` to `STEM-count`.
    Numbered {
        /// The owner whose name is the stem.
        stem: OwnerKey,
        /// How many.
        count: u32,
    },
}

/// Version of the control protocol: raised when an older client or daemon would misunderstand.
pub(crate) const PROTOCOL: u32 = 1;
