//! What is answered. The JSON names are part of the interface: of `-o json` and of the control
//! socket.

use std::fmt;
use std::net::IpAddr;

use openelb_ipam::{OwnerKey, PoolName};
use serde::{Deserialize, Serialize};

use super::bgp::{BgpReport, EventsReport, RoutesReport};
use super::link::{DrainReport, ElectionReport, VrrpReport};
use super::prefix::PrefixesReport;
use super::status::StatusReport;

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Answer {
    /// To [`Allocate`](super::Question::Allocate) and [`Reserve`](super::Question::Reserve).
    Allocated(Allocated),
    /// To [`Release`](super::Question::Release).
    Released(Released),
    /// To [`List`](super::Question::List).
    Holdings(Holdings),
    /// To [`Whois`](super::Question::Whois).
    Whois(Whois),
    /// To [`Pools`](super::Question::Pools) and [`Pool`](super::Question::Pool).
    Pools(Pools),
    /// To [`Map`](super::Question::Map).
    Map(PoolMap),
    /// To [`Plan`](super::Question::Plan) and [`Apply`](super::Question::Apply).
    Plan(PlanReport),
    /// To [`Explain`](super::Question::Explain).
    Explained(Explained),
    /// To [`Status`](super::Question::Status).
    Status(Box<StatusReport>),
    /// To [`Bgp`](super::Question::Bgp).
    Bgp(Box<BgpReport>),
    /// To [`BgpRoutes`](super::Question::BgpRoutes).
    BgpRoutes(RoutesReport),
    /// To [`BgpEvents`](super::Question::BgpEvents).
    BgpEvents(EventsReport),
    /// To [`Election`](super::Question::Election).
    Election(Box<ElectionReport>),
    /// To [`LinkEvents`](super::Question::LinkEvents).
    LinkEvents(EventsReport),
    /// To [`Vrrp`](super::Question::Vrrp).
    Vrrp(VrrpReport),
    /// To [`Drain`](super::Question::Drain).
    Drain(Box<DrainReport>),
    /// To [`Prefixes`](super::Question::Prefixes).
    Prefixes(PrefixesReport),
    /// To [`PrefixEvents`](super::Question::PrefixEvents).
    PrefixEvents(EventsReport),
}

/// Who got what, and who got nothing and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Allocated {
    /// Owners with addresses, in the order of the question.
    pub(crate) allocations: Vec<Holder>,
    /// Owners without, in the order of the question.
    pub(crate) refused: Vec<Refused>,
    /// Generation of the state that holds them.
    pub(crate) generation: u64,
}

/// An owner and its addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Holder {
    /// `kind/namespace/name`.
    pub(crate) owner: OwnerKey,
    /// In the order of the families asked for.
    pub(crate) addresses: Vec<Held>,
}

/// An address and the pool it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Held {
    /// The address.
    #[serde(flatten)]
    pub(crate) shown: ShownAddress,
    /// The pool.
    pub(crate) pool: PoolName,
}

/// An address as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShownAddress {
    /// The address; absent while the prefix that it follows is not known, or another name has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<IpAddr>,
    /// What stays of it when its prefix changes, such as `home/::1000`; absent of one that follows
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) relative: Option<String>,
    /// Whether it is absent because another name has the prefix.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_taken: bool,
    /// What it was under former prefixes, as long as that is served too; the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) former: Vec<FormerAddress>,
}

/// An address under a former prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FormerAddress {
    /// The address.
    pub(crate) address: IpAddr,
    /// When it is served no longer, as RFC 3339 text; absent until what replaces it is announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
}

impl ShownAddress {
    /// Every address that is served, the one for new connections first.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let former = self.former.iter().map(|former| former.address);
        self.address.into_iter().chain(former)
    }

    /// Whether it is this address, or was under a prefix that is still served.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        self.addresses().any(|own| own == address)
    }
}

impl fmt::Display for ShownAddress {
    /// The address, what stays of it, and what it was.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, &self.relative) {
            (Some(address), None) => write!(f, "{address}")?,
            (Some(address), Some(relative)) => write!(f, "{address} ({relative})")?,
            (None, relative) => {
                let relative = relative.as_deref().unwrap_or_default();
                let why = if self.is_taken {
                    "that of another name, see `openelb prefix explain`"
                } else {
                    "not known yet"
                };
                write!(f, "{relative} (its prefix is {why})")?;
            }
        }
        self.former
            .iter()
            .try_for_each(|former| match &former.until {
                Some(until) => write!(f, ", {} until {until}", former.address),
                None => write!(f, ", {} for now", former.address),
            })
    }
}

/// An owner that got nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refused {
    /// `kind/namespace/name`.
    pub(crate) owner: OwnerKey,
    /// The kind of refusal, a fixed set of words such as `PoolExhausted`.
    pub(crate) reason: String,
    /// What each pool answered.
    pub(crate) refusals: Vec<String>,
    /// The nearest change that would help.
    pub(crate) hint: String,
}

/// Who gave back what.
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the JSON answer"
)]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Released {
    /// Owners and what they held.
    pub(crate) released: Vec<Holder>,
    /// Owners that held nothing.
    pub(crate) unknown: Vec<OwnerKey>,
    /// Generation of the state without them.
    pub(crate) generation: u64,
}

/// Who holds what, by owner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Holdings {
    /// Every owner with addresses, sorted.
    pub(crate) holders: Vec<Holder>,
    /// Every owner that waits for one, sorted.
    pub(crate) waiting: Vec<OwnerKey>,
}

/// What is known of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Whois {
    /// The address.
    #[serde(flatten)]
    pub(crate) shown: ShownAddress,
    /// A sentence for people.
    pub(crate) text: String,
    /// One word: `Used`, `Free`, `Reserved`, `Cooling`, `Quarantined`, `OutsidePools` and such.
    pub(crate) state: String,
    /// The pool it is in.
    pub(crate) pool: Option<PoolName>,
    /// Who holds it; several share it.
    pub(crate) owners: Vec<OwnerKey>,
}

/// Pools with their use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pools {
    /// In the order of the configuration.
    pub(crate) pools: Vec<PoolReport>,
}

/// A pool, its rules and its use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PoolReport {
    /// Its name.
    pub(crate) name: PoolName,
    /// Its addresses, without those excluded, as the fewest ranges.
    pub(crate) ranges: String,
    /// The prefixes that some of them follow, as they are now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) follows: Vec<FollowedPrefix>,
    /// Which free address it gives.
    pub(crate) strategy: String,
    /// Whether it serves requests that do not name it.
    pub(crate) auto_assign: bool,
    /// Whether it is the default pool.
    pub(crate) is_default: bool,
    /// Whether it gives nothing new.
    pub(crate) is_disabled: bool,
    /// Smaller is preferred.
    pub(crate) priority: Option<i32>,
    /// Namespaces it is bound to.
    pub(crate) namespaces: Vec<String>,
    /// Its use, by family.
    pub(crate) families: Vec<FamilyUse>,
}

/// A prefix that addresses of a pool follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FollowedPrefix {
    /// Its name.
    pub(crate) name: String,
    /// What it is now; absent while that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prefix: Option<String>,
    /// What it was, as long as that is served too; the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) former: Vec<String>,
}

/// How one family of a pool is used. Counts are decimal text: a pool can hold 2^128 addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FamilyUse {
    /// `IPv4` or `IPv6`.
    pub(crate) family: String,
    /// Addresses the pool can give at all.
    pub(crate) capacity: String,
    /// Addresses it can give now.
    pub(crate) free: String,
    /// Addresses that owners hold.
    pub(crate) used: String,
    /// Addresses held for open reservations.
    pub(crate) reserved: String,
    /// Addresses released a short time ago.
    pub(crate) cooling: String,
    /// Addresses seen in use by strangers.
    pub(crate) quarantined: String,
    /// Addresses in use that an edit left outside the pool.
    pub(crate) orphaned: String,
    /// Number of runs of free addresses: 1 is unfragmented.
    pub(crate) free_runs: String,
    /// Length of the longest of them.
    pub(crate) largest_free_run: String,
}

/// How a pool is used, drawn in cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PoolMap {
    /// The pool.
    pub(crate) pool: PoolName,
    /// One row for each of its ranges.
    pub(crate) rows: Vec<MapRow>,
}

/// One range in cells of equal size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MapRow {
    /// The range.
    pub(crate) range: String,
    /// How many addresses each cell stands for; the last may hold fewer.
    pub(crate) cell_size: String,
    /// How many addresses in each cell are held.
    pub(crate) used: Vec<u64>,
}

/// What a new set of pools changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanReport {
    /// Whether anything would change.
    pub(crate) changes: bool,
    /// Whether it was carried out.
    pub(crate) applied: bool,
    /// One line for each thing that changes.
    pub(crate) lines: Vec<String>,
}

/// Why an owner has what it has, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explained {
    /// `kind/namespace/name`.
    pub(crate) owner: OwnerKey,
    /// What it holds now.
    pub(crate) addresses: Vec<Held>,
    /// Whether it would be served.
    pub(crate) is_served: bool,
    /// The reasoning, one step a line.
    pub(crate) lines: Vec<String>,
}
