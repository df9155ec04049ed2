//! What can be wrong with an UPDATE that the session survives (RFC 7606).

use crate::bgp::message::notification::ErrorCode;
use crate::wire::wire_enum;
use std::fmt;

wire_enum! {
    /// The code of a path attribute.
    pub enum AttributeCode(u8) {
        /// How the first speaker learned of the route (RFC 4271).
        Origin = 1,
        /// The systems that the route went through (RFC 4271).
        AsPath = 2,
        /// The next hop of IPv4 routes (RFC 4271).
        NextHop = 3,
        /// The preference among links to a neighboring system (RFC 4271).
        MultiExitDiscriminator = 4,
        /// The preference inside the system (RFC 4271).
        LocalPref = 5,
        /// Information was lost in aggregation (RFC 4271).
        AtomicAggregate = 6,
        /// Who aggregated (RFC 4271).
        Aggregator = 7,
        /// Standard communities (RFC 1997).
        Communities = 8,
        /// Who brought the route into the system (RFC 4456).
        OriginatorId = 9,
        /// The clusters that reflected the route (RFC 4456).
        ClusterList = 10,
        /// Routes of any family (RFC 4760).
        MpReachNlri = 14,
        /// Withdrawn routes of any family (RFC 4760).
        MpUnreachNlri = 15,
        /// Extended communities (RFC 4360).
        ExtendedCommunities = 16,
        /// The path in four octets, past speakers of two (RFC 6793).
        As4Path = 17,
        /// The aggregator in four octets, past speakers of two (RFC 6793).
        As4Aggregator = 18,
        /// Extended communities with an IPv6 address (RFC 5701).
        Ipv6ExtendedCommunities = 25,
        /// The accumulated metric (RFC 7311).
        Aigp = 26,
        /// Large communities (RFC 8092).
        LargeCommunities = 32,
        /// Only to customers (RFC 9234).
        OnlyToCustomer = 35,
        /// The attributes of a customer (RFC 6368).
        AttributeSet = 128,
    }
}

impl fmt::Display for AttributeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Origin => "ORIGIN",
            Self::AsPath => "AS_PATH",
            Self::NextHop => "NEXT_HOP",
            Self::MultiExitDiscriminator => "MULTI_EXIT_DISC",
            Self::LocalPref => "LOCAL_PREF",
            Self::AtomicAggregate => "ATOMIC_AGGREGATE",
            Self::Aggregator => "AGGREGATOR",
            Self::Communities => "COMMUNITIES",
            Self::OriginatorId => "ORIGINATOR_ID",
            Self::ClusterList => "CLUSTER_LIST",
            Self::MpReachNlri => "MP_REACH_NLRI",
            Self::MpUnreachNlri => "MP_UNREACH_NLRI",
            Self::ExtendedCommunities => "EXTENDED COMMUNITIES",
            Self::As4Path => "AS4_PATH",
            Self::As4Aggregator => "AS4_AGGREGATOR",
            Self::Ipv6ExtendedCommunities => "IPv6 EXTENDED COMMUNITIES",
            Self::Aigp => "AIGP",
            Self::LargeCommunities => "LARGE_COMMUNITY",
            Self::OnlyToCustomer => "ONLY_TO_CUSTOMER",
            Self::AttributeSet => "ATTR_SET",
            Self::Unknown(code) => return write!(f, "attribute {code}"),
        })
    }
}

/// Something wrong, and what was done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// The attribute at fault.
    pub attribute: AttributeCode,
    /// What is wrong with it.
    pub kind: FaultKind,
    /// What was done.
    pub disposition: Disposition,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = match self.disposition {
            Disposition::Discarded => "attribute discarded",
            Disposition::Withdrawn => "routes treated as withdrawn",
        };
        write!(f, "{}: {}; {done}", self.attribute, self.kind)
    }
}

/// What is done about a fault that the session survives (RFC 7606 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disposition {
    /// The attribute is as if it were not there.
    Discarded,
    /// The announced routes are as if they were withdrawn.
    Withdrawn,
}

/// What is wrong with an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FaultKind {
    /// Its flags say another kind of attribute than its code (RFC 7606 section 3 c).
    #[error("wrong flags")]
    Flags,
    /// Its length is none that it can have.
    #[error("wrong length")]
    Length,
    /// Its value is none that it can have.
    #[error("invalid value")]
    Value,
    /// A segment of a path is of an unknown kind, empty, or longer than the path.
    #[error("malformed segment")]
    Segment,
    /// It holds a set, which no speaker may send any more (RFC 9774 section 3).
    #[error("deprecated set")]
    Set,
    /// The path does not begin with the neighbor's system (RFC 4271 section 6.3).
    #[error("first AS is not the neighbor's")]
    FirstAs,
    /// It is mandatory for the routes, and not there.
    #[error("missing")]
    Missing,
    /// It is there more than once; the first counts.
    #[error("duplicate")]
    Duplicate,
    /// It goes beyond the field of all attributes.
    #[error("overruns the attributes")]
    Overrun,
    /// It means nothing in this session.
    #[error("not allowed in this session")]
    NotAllowed,
    /// It holds routes of a family that was not negotiated; they are ignored.
    #[error("family not negotiated")]
    Family,
}

impl Fault {
    /// The NOTIFICATION that RFC 4271 section 6.3 has for it, should it end the session.
    pub(super) const fn error_code(self) -> ErrorCode {
        match (self.kind, self.attribute) {
            (FaultKind::Flags, _) => ErrorCode::ATTRIBUTE_FLAGS,
            (FaultKind::Missing, _) => ErrorCode::MISSING_WELL_KNOWN_ATTRIBUTE,
            (FaultKind::Overrun, _) => ErrorCode::MALFORMED_ATTRIBUTE_LIST,
            (_, AttributeCode::AsPath) => ErrorCode::MALFORMED_AS_PATH,
            (FaultKind::Length, _) => ErrorCode::ATTRIBUTE_LENGTH,
            (_, AttributeCode::Origin) => ErrorCode::INVALID_ORIGIN,
            (_, AttributeCode::NextHop) => ErrorCode::INVALID_NEXT_HOP,
            _ => ErrorCode::OPTIONAL_ATTRIBUTE,
        }
    }
}
