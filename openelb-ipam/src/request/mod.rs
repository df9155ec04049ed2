//! What an owner asks for: families, pinned addresses, a pool, sharing.

mod labels;
mod ports;

use alloc::string::{String, ToString};
use core::fmt;
use core::net::IpAddr;

use smallvec::SmallVec;
use thiserror::Error;

pub use self::labels::Labels;
pub use self::ports::{ParsePortError, Port, PortSet, Protocol};
use crate::family::Family;
use crate::name::PoolName;
use crate::relative::{RelativeRange, RelativeRangeError};

/// One or two pinned addresses.
pub type Addresses = SmallVec<[IpAddr; 2]>;

/// What an owner asks for. The default asks for one address of any family from any open pool.
///
/// All fields are public; the methods are shorthand for the usual combinations.
///
/// ```
/// use openelb_ipam::{Families, Family, Request};
///
/// let any = Request::default();
/// assert_eq!(any.families, Families::Any);
///
/// let pair = Request::dual_stack().from_pool("public".parse()?);
/// assert_eq!(pair.families, Families::Both { first: Family::V4 });
/// # Ok::<(), openelb_ipam::ParsePoolNameError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(rename_all = "camelCase", default, deny_unknown_fields)
)]
pub struct Request {
    /// The families wanted, in the order in which the answer lists them.
    pub families: Families,
    /// What happens when only one of two families can be had.
    pub policy: FamilyPolicy,
    /// Pinned addresses: these or none. At most one of each family.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "SmallVec::is_empty"))]
    pub addresses: Addresses,
    /// The pool to take from; `None` leaves the choice to the ledger.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub pool: Option<PoolName>,
    /// Labels of the owner's namespace, for pools that select by them.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Labels::is_empty"))]
    pub namespace_labels: Labels,
    /// Labels of the owner itself, for pools that select by them.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Labels::is_empty"))]
    pub service_labels: Labels,
    /// Permission to share the address; `None` never shares.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub sharing: Option<Sharing>,
    /// The ports served, which sharers must not have in common.
    pub ports: PortSet,
}

impl Request {
    /// Asks for one address of a family.
    ///
    /// ```
    /// # use openelb_ipam::{Families, Family, Request};
    /// assert_eq!(Request::single(Family::V6).families, Families::One(Family::V6));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn single(family: Family) -> Self {
        Self {
            families: Families::One(family),
            ..Self::default()
        }
    }

    /// Asks for an IPv4 and an IPv6 address, both or none.
    ///
    /// ```
    /// # use openelb_ipam::{FamilyPolicy, Request};
    /// assert_eq!(Request::dual_stack().policy, FamilyPolicy::RequireDualStack);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn dual_stack() -> Self {
        let families = Families::Both { first: Family::V4 };
        Self {
            families,
            policy: FamilyPolicy::RequireDualStack,
            ..Self::default()
        }
    }

    /// Asks for both families and takes one when only one can be had.
    ///
    /// ```
    /// # use openelb_ipam::{FamilyPolicy, Request};
    /// assert_eq!(Request::prefer_dual_stack().policy, FamilyPolicy::PreferDualStack);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn prefer_dual_stack() -> Self {
        Self {
            policy: FamilyPolicy::PreferDualStack,
            ..Self::dual_stack()
        }
    }

    /// Names IPv6 first where both families are asked for.
    ///
    /// ```
    /// # use openelb_ipam::{Families, Family, Request};
    /// let request = Request::dual_stack().ipv6_first();
    /// assert_eq!(request.families, Families::Both { first: Family::V6 });
    /// ```
    #[must_use]
    pub fn ipv6_first(mut self) -> Self {
        if matches!(self.families, Families::Both { .. }) {
            self.families = Families::Both { first: Family::V6 };
        }
        self
    }

    /// Pins an address; a second one must be of the other family.
    ///
    /// ```
    /// # use openelb_ipam::Request;
    /// let request = Request::default().pin("192.0.2.7".parse()?);
    /// assert_eq!(request.addresses.len(), 1);
    /// # Ok::<(), core::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn pin(mut self, address: IpAddr) -> Self {
        self.addresses.push(address);
        self
    }

    /// Takes from the pool of this name only.
    ///
    /// ```
    /// # use openelb_ipam::Request;
    /// let request = Request::dual_stack().from_pool("public".parse()?);
    /// assert_eq!(request.pool.as_deref(), Some("public"));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn from_pool(mut self, pool: PoolName) -> Self {
        self.pool = Some(pool);
        self
    }

    /// Allows sharing under a key and says which ports this owner serves.
    ///
    /// ```
    /// # use openelb_ipam::{PortSet, Request, Sharing};
    /// let ports: PortSet = ["TCP/80".parse()?].into_iter().collect();
    /// let request = Request::default().share(Sharing::new("blue"), ports);
    /// assert!(request.sharing.is_some());
    /// # Ok::<(), openelb_ipam::ParsePortError>(())
    /// ```
    #[must_use]
    pub fn share(mut self, sharing: Sharing, ports: PortSet) -> Self {
        self.sharing = Some(sharing).filter(|sharing| !sharing.key.is_empty());
        self.ports = ports;
        self
    }

    /// Checks that the parts agree and says which families are wanted.
    ///
    /// ```
    /// # use openelb_ipam::{Family, InvalidRequest, Request};
    /// let request = Request::single(Family::V6).pin("192.0.2.7".parse()?);
    /// let error = request.wanted().unwrap_err();
    /// assert_eq!(error, InvalidRequest::FamilyNotWanted("192.0.2.7".parse()?));
    /// # Ok::<(), core::net::AddrParseError>(())
    /// ```
    pub fn wanted(&self) -> Result<Wanted, InvalidRequest> {
        let mut wanted = self.wanted_families()?;
        if self.addresses.is_empty() {
            return Ok(wanted);
        }
        if let [one, two] = self.addresses.as_slice()
            && Family::of(*one) == Family::of(*two)
        {
            return Err(InvalidRequest::TwoOfOneFamily(*one, *two));
        }
        if self.addresses.len() > 2 {
            return Err(InvalidRequest::TooManyAddresses(self.addresses.len()));
        }
        if self.families == Families::Any && self.policy == FamilyPolicy::SingleStack {
            wanted.first = self
                .addresses
                .first()
                .map_or(Family::V4, |&one| Family::of(one));
            wanted.either = false;
            wanted.second = self.addresses.get(1).map(|&two| Family::of(two));
            wanted.is_all_or_nothing = true;
        }
        match self
            .addresses
            .iter()
            .find(|address| !wanted.contains(Family::of(**address)))
        {
            Some(address) => Err(InvalidRequest::FamilyNotWanted(*address)),
            None => Ok(wanted),
        }
    }

    /// The families alone, before pinned addresses are looked at.
    fn wanted_families(&self) -> Result<Wanted, InvalidRequest> {
        let (first, second, either) = match (self.families, self.policy) {
            (Families::Both { first }, FamilyPolicy::SingleStack) => (first, None, false),
            (Families::Both { first }, _) => (first, Some(first.other()), false),
            (Families::One(only), FamilyPolicy::RequireDualStack) => {
                return Err(InvalidRequest::OneFamilyOfTwo(only));
            }
            (Families::One(only), _) => (only, None, false),
            (Families::Any, FamilyPolicy::SingleStack) => (Family::V4, None, true),
            (Families::Any, _) => (Family::V4, Some(Family::V6), false),
        };
        let is_all_or_nothing = self.policy == FamilyPolicy::RequireDualStack;
        Ok(Wanted {
            first,
            second,
            either,
            is_all_or_nothing,
        })
    }
}

/// The families of a request, in order: Kubernetes' `ipFamilies`.
///
/// ```
/// use openelb_ipam::{Families, Family};
///
/// assert_eq!(Families::from_slice(&[]), Some(Families::Any));
/// assert_eq!(Families::from_slice(&[Family::V6]), Some(Families::One(Family::V6)));
/// assert_eq!(Families::from_slice(&[Family::V4, Family::V4]), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum Families {
    /// Whichever family has an address, IPv4 tried first; with a dual-stack policy, both.
    #[default]
    Any,
    /// This one.
    One(Family),
    /// Both, this one first.
    Both {
        /// The family listed first, and kept when only one can be had.
        first: Family,
    },
}

impl Families {
    /// Reads an ordered list; `None` when a family is named twice.
    pub fn from_slice(families: &[Family]) -> Option<Self> {
        match *families {
            [] => Some(Self::Any),
            [only] => Some(Self::One(only)),
            [first, second] if first != second => Some(Self::Both { first }),
            _ => None,
        }
    }
}

/// What happens when only one of two families can be had: Kubernetes' `ipFamilyPolicy`.
///
/// ```
/// use openelb_ipam::FamilyPolicy;
///
/// assert_eq!(FamilyPolicy::default(), FamilyPolicy::SingleStack);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum FamilyPolicy {
    /// One address, of the first family.
    #[default]
    SingleStack,
    /// Both if possible, else the one that can be had; the other follows later.
    PreferDualStack,
    /// Both or none.
    RequireDualStack,
}

/// The families that a valid request wants, see [`Request::wanted`].
///
/// ```
/// # use openelb_ipam::Request;
/// let wanted = Request::dual_stack().wanted()?;
/// assert!(wanted.is_all_or_nothing);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The family listed first.
    pub first: Family,
    /// The family listed second.
    pub second: Option<Family>,
    /// Whether any one family does, `first` being tried first.
    pub either: bool,
    /// Whether one of two is worth nothing.
    pub is_all_or_nothing: bool,
}

impl Wanted {
    /// Whether an address of the family can be part of the answer.
    ///
    /// ```
    /// # use openelb_ipam::{Family, Request};
    /// let wanted = Request::single(Family::V6).wanted()?;
    /// assert!(!wanted.contains(Family::V4));
    /// # Ok::<(), openelb_ipam::InvalidRequest>(())
    /// ```
    pub fn contains(&self, family: Family) -> bool {
        self.either || self.first == family || self.second == Some(family)
    }

    /// The families in the order of the answer.
    ///
    /// ```
    /// # use openelb_ipam::{Family, Request};
    /// let wanted = Request::dual_stack().ipv6_first().wanted()?;
    /// assert!(wanted.order().eq([Family::V6, Family::V4]));
    /// # Ok::<(), openelb_ipam::InvalidRequest>(())
    /// ```
    pub fn order(&self) -> impl Iterator<Item = Family> + use<> {
        let other = Some(self.first.other()).filter(|_| self.either);
        [Some(self.first), self.second.or(other)]
            .into_iter()
            .flatten()
    }
}

/// Permission to share an address with owners that use the same key and the same backend.
///
/// An empty key never shares.
///
/// ```
/// use openelb_ipam::Sharing;
///
/// let sharing = Sharing::new("blue").with_backend("app=web");
/// assert_eq!(sharing.backend, "app=web");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Sharing {
    /// Owners with equal keys may share.
    pub key: String,
    /// What receives the traffic: the selector text for a service with external traffic policy
    /// `Local`, empty for `Cluster`. Sharers must agree, else one would be announced from nodes that
    /// cannot serve the other.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "String::is_empty")
    )]
    pub backend: String,
}

impl Sharing {
    /// Shares under a key, traffic policy `Cluster`.
    pub fn new(key: &str) -> Self {
        Self {
            key: key.to_string(),
            backend: String::new(),
        }
    }

    /// Names the backend, traffic policy `Local`.
    #[must_use]
    pub fn with_backend(mut self, backend: &str) -> Self {
        self.backend = backend.to_string();
        self
    }
}

impl fmt::Display for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.backend.as_str() {
            "" => write!(f, "{:?}", self.key),
            backend => write!(f, "{:?} (backend {backend:?})", self.key),
        }
    }
}

/// Why the parts of a request contradict each other.
///
/// ```
/// # use openelb_ipam::{Family, FamilyPolicy, Request};
/// let request = Request { policy: FamilyPolicy::RequireDualStack, ..Request::single(Family::V4) };
/// assert_eq!(
///     request.wanted().unwrap_err().to_string(),
///     "RequireDualStack with IPv4 alone; name both families or choose another policy",
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum InvalidRequest {
    /// Dual stack is required of a request with one family.
    #[error("RequireDualStack with {0} alone; name both families or choose another policy")]
    OneFamilyOfTwo(Family),
    /// A pinned address is of a family that is not asked for.
    #[error("{0} is pinned but its family is not asked for; add the family or drop the address")]
    FamilyNotWanted(IpAddr),
    /// Two pinned addresses of one family.
    #[error("{0} and {1} are pinned and of one family; pin at most one of each")]
    TwoOfOneFamily(IpAddr, IpAddr),
    /// More than two pinned addresses.
    #[error("{0} addresses are pinned; pin at most one of each family")]
    TooManyAddresses(usize),
}

/// Reads pinned addresses as users write them: one address, or two separated by a comma.
///
/// Any valid spelling of an IPv6 address is accepted. IPv4 with leading zeros is refused because
/// programs disagree on its meaning, and IPv4-mapped IPv6 because it names an IPv4 address.
///
/// ```
/// use openelb_ipam::parse_addresses;
///
/// let both = parse_addresses("2001:0DB8::0001, 192.0.2.7")?;
/// assert_eq!(both.as_slice(), ["2001:db8::1".parse::<core::net::IpAddr>()?, "192.0.2.7".parse()?]);
/// assert!(parse_addresses("10.0.0.300").is_err());
///
/// // One that follows a prefix is read into the ledger's form.
/// let follows = parse_addresses("home/::10")?;
/// assert_eq!(follows.as_slice(), ["1bcc:7e6b:9fbf::10".parse::<core::net::IpAddr>()?]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn parse_addresses(text: &str) -> Result<Addresses, ParseAddressesError> {
    text.split(',').map(str::trim).map(parse_address).collect()
}

fn parse_address(text: &str) -> Result<IpAddr, ParseAddressesError> {
    if RelativeRange::is_meant_by(text) {
        let range: RelativeRange = text.parse()?;
        return if range.first() == range.last() {
            Ok(range.in_ledger().first())
        } else {
            Err(ParseAddressesError::Several(text.to_string()))
        };
    }
    match text.parse() {
        Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_some() => {
            Err(ParseAddressesError::Mapped(text.to_string()))
        }
        Ok(address) => Ok(address),
        Err(_) => Err(ParseAddressesError::NoAddress(text.to_string())),
    }
}

/// Why a text is no list of addresses.
///
/// ```
/// # use openelb_ipam::parse_addresses;
/// assert_eq!(
///     parse_addresses("::ffff:192.0.2.1").unwrap_err().to_string(),
///     "\"::ffff:192.0.2.1\" is an IPv4-mapped address; write the IPv4 address itself",
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseAddressesError {
    /// No IPv4 or IPv6 address.
    #[error("{0:?} is not an IP address; write one, or an IPv4 and an IPv6 one with a comma")]
    NoAddress(String),
    /// An IPv4 address dressed as IPv6.
    #[error("{0:?} is an IPv4-mapped address; write the IPv4 address itself")]
    Mapped(String),
    /// An address that follows a prefix, and is none.
    #[error("{0}")]
    Relative(#[from] RelativeRangeError),
    /// A range where an address belongs.
    #[error("{0:?} is a range; write one host part, such as home/::10")]
    Several(String),
}

#[cfg(test)]
mod tests;
