//! The state as rows: what a store keeps, what a watcher receives.
//!
//! A [`Row`] says everything about one thing; the latest row of a key wins. A store keeps rows by
//! [`RowKey`] and the generation beside them, in one transaction.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use ipnet::IpNet;
use smallvec::SmallVec;
use thiserror::Error;

use crate::family::Family;
use crate::name::PoolName;
use crate::owner::{Owner, OwnerKey};
use crate::pool::PoolSpec;
use crate::request::{PortSet, Request, Sharing};
use crate::text::text_serde;
use crate::time::Time;

/// What a row is about. Its text is usable as the key of any store.
///
/// ```
/// use openelb_ipam::RowKey;
///
/// let key: RowKey = "owner/service/default/web".parse()?;
/// assert_eq!(key.to_string(), "owner/service/default/web");
/// # Ok::<(), openelb_ipam::row::ParseRowKeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKey {
    /// A pool: `pool/NAME`.
    Pool(PoolName),
    /// The place where a next-fit pool goes on: `cursor/NAME/FAMILY`.
    Cursor(PoolName, Family),
    /// An owner and all that it holds: `owner/KIND/NAMESPACE/NAME`.
    Owner(OwnerKey),
    /// An address that nobody holds and nobody may have now: `mark/ADDRESS`.
    Mark(IpAddr),
    /// An open reservation: `reservation/ID`.
    Reservation(ReservationId),
    /// An owner that waits: `waiting/KIND/NAMESPACE/NAME`.
    Waiting(OwnerKey),
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pool(name) => write!(f, "pool/{name}"),
            Self::Cursor(name, family) => write!(f, "cursor/{name}/{family}"),
            Self::Owner(key) => write!(f, "owner/{key}"),
            Self::Mark(address) => write!(f, "mark/{address}"),
            Self::Reservation(id) => write!(f, "reservation/{id}"),
            Self::Waiting(key) => write!(f, "waiting/{key}"),
        }
    }
}

impl FromStr for RowKey {
    type Err = ParseRowKeyError;

    fn from_str(text: &str) -> Result<Self, ParseRowKeyError> {
        parse_key(text).ok_or_else(|| ParseRowKeyError(text.to_string()))
    }
}

text_serde!(RowKey, "the key of a row, for example \"pool/public\"");

/// The text is the key of no row.
///
/// ```
/// # use openelb_ipam::RowKey;
/// assert!("shelf/public".parse::<RowKey>().unwrap_err().to_string().contains("shelf/public"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is the key of no row; the store holds something that this version does not know")]
pub struct ParseRowKeyError(String);

/// The number of a reservation, unique over the life of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(transparent)
)]
pub struct ReservationId(pub u64);

impl fmt::Display for ReservationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Everything about one thing.
///
/// ```
/// use openelb_ipam::{PoolSpec, Row, row::PoolRow};
///
/// let spec = PoolSpec::new("public".parse()?, ["192.0.2.0/24"]);
/// let row = Row::Pool(PoolRow { position: 0, spec });
/// assert_eq!(row.key().to_string(), "pool/public");
/// # Ok::<(), openelb_ipam::ParsePoolNameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum Row {
    /// A pool.
    Pool(PoolRow),
    /// The place where a next-fit pool goes on.
    Cursor(CursorRow),
    /// An owner and all that it holds.
    Owner(OwnerRow),
    /// An address out of use.
    Mark(MarkRow),
    /// An open reservation.
    Reservation(ReservationRow),
    /// An owner that waits.
    Waiting(WaitingRow),
}

impl Row {
    /// What the row is about.
    pub fn key(&self) -> RowKey {
        match self {
            Self::Pool(row) => RowKey::Pool(row.spec.name.clone()),
            Self::Cursor(row) => RowKey::Cursor(row.pool.clone(), Family::of(row.last)),
            Self::Owner(row) => RowKey::Owner(row.owner.key.clone()),
            Self::Mark(row) => RowKey::Mark(row.address),
            Self::Reservation(row) => RowKey::Reservation(row.id),
            Self::Waiting(row) => RowKey::Waiting(row.owner.key.clone()),
        }
    }
}

/// A pool and its place in the list of pools.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PoolRow {
    /// Its place, counted from 0: the elder of two overlapping pools comes first.
    pub position: u32,
    /// What its user wrote.
    pub spec: PoolSpec,
}

/// The address that a next-fit pool gave last.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CursorRow {
    /// The pool.
    pub pool: PoolName,
    /// The address.
    pub last: IpAddr,
}

/// An address with the pool that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Claim {
    /// The address.
    pub address: IpAddr,
    /// The pool.
    pub pool: PoolName,
}

/// A delegated prefix with the pool that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PrefixClaim {
    /// The prefix.
    pub prefix: IpNet,
    /// The pool.
    pub pool: PoolName,
}

/// At most one address of each family, in the order of the request.
pub type Claims = SmallVec<[Claim; 2]>;

/// An owner and all that it holds.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// ipam.allocate(&web, &Request::dual_stack(), Time(0))?;
/// let row = ipam.holdings("service/default/web").unwrap();
/// assert_eq!((row.owner, row.claims.len()), (web, 2));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct OwnerRow {
    /// Who.
    pub owner: Owner,
    /// When it changed last: the fence of [`Fence::Generation`](crate::Fence::Generation).
    pub generation: u64,
    /// The addresses.
    pub claims: Claims,
    /// Whether IPv6 comes first in the owner's order; told apart from the order of `claims` because
    /// a family may be missing.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "core::ops::Not::not")
    )]
    pub ipv6_first: bool,
    /// Delegated prefixes.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub prefixes: Vec<PrefixClaim>,
    /// Under which key the addresses may be shared.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub sharing: Option<Sharing>,
    /// The ports served; kept only beside a sharing key.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_all"))]
    pub ports: PortSet,
}

/// An address that nobody holds and that is not simply free.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MarkRow {
    /// The address.
    pub address: IpAddr,
    /// Its pool.
    pub pool: PoolName,
    /// Why it is not simply free.
    pub state: MarkState,
}

/// Why an address is not simply free.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// ipam.quarantine("192.0.2.1".parse()?, Time(9), "seen", Time(0))?;
/// let Some(Row::Mark(row)) = ipam.row(&"mark/192.0.2.1".parse()?) else { panic!("no mark") };
/// assert!(matches!(row.state, openelb_ipam::row::MarkState::Quarantined { until: Time(9), .. }));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum MarkState {
    /// Released a short time ago; only its last owner may have it back.
    Cooling {
        /// Whose it was.
        owner: OwnerKey,
        /// When it was released.
        since: Time,
        /// When anyone may have it.
        until: Time,
    },
    /// Free, and remembered because its pool gives the address released longest ago.
    Resting {
        /// When it was released.
        since: Time,
    },
    /// Seen in use by a stranger on the wire.
    Quarantined {
        /// When it may be tried again.
        until: Time,
        /// What was seen.
        cause: String,
    },
}

/// An open reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct ReservationRow {
    /// Its number.
    pub id: ReservationId,
    /// For whom.
    pub owner: Owner,
    /// The owner's generation when it was made; 0 when it held nothing.
    pub owner_generation: u64,
    /// When it lapses.
    pub deadline: Time,
    /// The addresses taken out of use for it.
    pub claims: Claims,
    /// The families that the owner holds already and keeps.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub keeps: Vec<Family>,
    /// Whether IPv6 comes first in the owner's order.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "core::ops::Not::not")
    )]
    pub ipv6_first: bool,
    /// Under which key the addresses may be shared.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub sharing: Option<Sharing>,
    /// The ports served; kept only beside a sharing key.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_all"))]
    pub ports: PortSet,
    /// The marks that its addresses had and get back when it is aborted.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub marks: Vec<MarkRow>,
}

/// An owner that waits, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WaitingRow {
    /// Who.
    pub owner: Owner,
    /// Its place in the queue: the smaller number is served first.
    pub turn: u64,
    /// Since when.
    pub since: Time,
    /// What it asked for.
    pub request: Request,
}

/// What moves a state from one generation to a later one. Every row is the latest of its key, so
/// that applying the same changes twice is harmless.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// ipam.allocate(&web, &Request::default(), Time(0))?;
/// let changes = ipam.changes_since(1)?;
/// assert_eq!((changes.from, changes.to), (1, 2));
/// assert_eq!(changes.puts[0].key().to_string(), "owner/service/default/web");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Changes {
    /// The generation they apply to, or any later one up to `to`.
    pub from: u64,
    /// The generation they lead to.
    pub to: u64,
    /// Rows to store.
    pub puts: Vec<Row>,
    /// Keys to remove.
    pub deletes: Vec<RowKey>,
}

impl Changes {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.deletes.is_empty()
    }
}

#[cfg(feature = "serde")]
fn is_all(ports: &PortSet) -> bool {
    *ports == PortSet::All
}

fn parse_key(text: &str) -> Option<RowKey> {
    let (table, rest) = text.split_once('/')?;
    Some(match table {
        "pool" => RowKey::Pool(rest.parse().ok()?),
        "cursor" => {
            let (name, family) = rest.split_once('/')?;
            RowKey::Cursor(name.parse().ok()?, family.parse().ok()?)
        }
        "owner" => RowKey::Owner(rest.parse().ok()?),
        "mark" => RowKey::Mark(rest.parse().ok()?),
        "reservation" => RowKey::Reservation(ReservationId(rest.parse().ok()?)),
        "waiting" => RowKey::Waiting(rest.parse().ok()?),
        _ => return None,
    })
}
