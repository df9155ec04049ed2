//! What is done to routes on their way out or in: ordered statements of conditions and actions.
//!
//! The model is the part of `GoBGP`'s policies that an announcer can mean. Statements are asked in
//! order. One whose conditions all hold applies its actions; if it decides, that is the end, else the
//! next one sees the changed route. What none decides gets the default.

mod action;
mod condition;

use super::asn::Asn;
use super::attribute::Attributes;
use super::family::Family;
use super::prefix::Prefix;
use super::route::PeerName;
use std::net::IpAddr;
use std::sync::Arc;

pub use action::{Action, Edit, Med, PrependAsn, SetNextHop};
pub use condition::{
    AsPathPattern, CommunityPattern, Comparison, Condition, MatchAll, MatchAny, NeighborSet,
    ParseAsPathPatternError, ParseCommunityPatternError, PrefixRange, PrefixRangeError, PrefixSet,
};

/// An ordered list of statements, checked, with what happens to routes that none decides.
///
/// ```
/// use openelb_announce::bgp::policy::{Action, Disposition, Med, Policy, Statement};
///
/// let statement = Statement {
///     name: "prefer-us".into(),
///     conditions: Vec::new(),
///     actions: vec![Action::Med(Med::Set(10))],
///     disposition: Some(Disposition::Accept),
/// };
/// let policy = Policy::new(vec![statement], Disposition::Reject)?;
/// assert!(!policy.is_empty());
/// # Ok::<(), openelb_announce::bgp::policy::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    statements: Vec<Compiled>,
    prefix_sets: Vec<Arc<PrefixSet>>,
    default: Disposition,
}

/// What becomes of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// It is announced, or kept.
    Accept,
    /// It is not.
    Reject,
}

/// Conditions, and what happens to the routes that meet all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What users call it.
    pub name: Arc<str>,
    /// All must hold; none means every route.
    pub conditions: Vec<Condition>,
    /// What is changed, in this order.
    pub actions: Vec<Action>,
    /// Ends the list, or lets the next statement see the changed route.
    pub disposition: Option<Disposition>,
}

/// Why statements are no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Two statements have one name.
    #[error("two statements are called `{0}`; rename one")]
    DuplicateStatement(Arc<str>),
    /// A condition names an empty set, with which it could never or always hold.
    #[error("statement `{statement}`: the {kind} set `{set}` is empty; give it a member")]
    EmptySet {
        /// The statement.
        statement: Arc<str>,
        /// What kind of set.
        kind: &'static str,
        /// The set.
        set: Arc<str>,
    },
    /// More prefix sets than one word has bits.
    #[error(
        "{0} prefix sets are matched; join some, at most {MAX_PREFIX_SETS} fit into one policy"
    )]
    TooManyPrefixSets(usize),
    /// Prepending never or too often.
    #[error("statement `{statement}`: prepends {times} times; write 1 to {MAX_PREPEND}")]
    Prepend {
        /// The statement.
        statement: Arc<str>,
        /// How often it would prepend.
        times: u8,
    },
    /// An AS number that may not stand in a path.
    #[error("statement `{statement}`: AS {asn} is reserved; prepend another")]
    ReservedAsn {
        /// The statement.
        statement: Arc<str>,
        /// The number.
        asn: Asn,
    },
    /// An address that traffic cannot be sent to.
    #[error("statement `{statement}`: {reason}; name an address of a router")]
    NextHop {
        /// The statement.
        statement: Arc<str>,
        /// What is wrong with it.
        reason: super::next_hop::NextHopError,
    },
}

impl Policy {
    /// Checks the statements; `default` is for routes that none of them decides.
    pub fn new(statements: Vec<Statement>, default: Disposition) -> Result<Self, PolicyError> {
        let mut policy = Self::all(default);
        for statement in statements {
            policy.check(&statement)?;
            let compiled = policy.compile(statement);
            policy.statements.push(compiled);
        }
        match policy.prefix_sets.len() {
            count if count > MAX_PREFIX_SETS => Err(PolicyError::TooManyPrefixSets(count)),
            _ => Ok(policy),
        }
    }

    /// Every route as it is: what peers hear unless they have a policy.
    pub const fn accept_all() -> Self {
        Self::all(Disposition::Accept)
    }

    /// No route: what is kept of received routes unless a policy says otherwise (RFC 8212).
    pub const fn reject_all() -> Self {
        Self::all(Disposition::Reject)
    }

    const fn all(default: Disposition) -> Self {
        Self {
            statements: Vec::new(),
            prefix_sets: Vec::new(),
            default,
        }
    }

    /// Whether it has no statement.
    pub const fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// What happens to routes that no statement decides.
    pub const fn default_disposition(&self) -> Disposition {
        self.default
    }

    /// Which of its prefix sets `prefix` is in: all that decides between prefixes.
    ///
    /// Costs nothing when no statement asks for prefixes.
    pub fn prefix_matches(&self, prefix: &Prefix) -> PrefixMatches {
        let bits = (0..MAX_PREFIX_SETS).zip(&self.prefix_sets);
        PrefixMatches(bits.fold(0, |matches, (bit, set)| {
            matches | u64::from(set.contains(prefix)) << bit
        }))
    }

    /// Decides about a route, and changes it.
    ///
    /// The answer depends on nothing but the arguments: routes that share attributes and prefix
    /// matches may share it.
    pub fn evaluate(&self, subject: &Subject<'_>, route: &mut Subjected) -> Decision {
        for Compiled {
            statement,
            inside,
            outside,
        } in &self.statements
        {
            let PrefixMatches(matches) = subject.matches;
            let prefix_fits = matches & inside == *inside && matches & outside == 0;
            let holds = |condition: &Condition| condition.holds(subject, &route.attributes);
            if !prefix_fits || !statement.conditions.iter().all(holds) {
                continue;
            }
            for action in &statement.actions {
                action.apply(subject, route);
            }
            if let Some(disposition) = statement.disposition {
                return Decision {
                    disposition,
                    statement: Some(Arc::clone(&statement.name)),
                };
            }
        }
        Decision {
            disposition: self.default,
            statement: None,
        }
    }

    fn check(&self, statement: &Statement) -> Result<(), PolicyError> {
        let name = &statement.name;
        let known = |other: &Compiled| other.statement.name == *name;
        if self.statements.iter().any(known) {
            return Err(PolicyError::DuplicateStatement(Arc::clone(name)));
        }
        for condition in &statement.conditions {
            if let Some((kind, set)) = condition.empty_set() {
                return Err(PolicyError::EmptySet {
                    statement: Arc::clone(name),
                    kind,
                    set,
                });
            }
        }
        let mut actions = statement.actions.iter();
        actions.try_for_each(|action| action.check(name))
    }

    /// Gives every prefix set a bit, so that one comparison answers all prefix conditions.
    fn compile(&mut self, statement: Statement) -> Compiled {
        let (mut inside, mut outside) = (0, 0);
        for condition in &statement.conditions {
            if let Condition::Prefixes { set, how } = condition {
                let bit = 1_u64.checked_shl(self.bit_of(set)).unwrap_or(0);
                match how {
                    MatchAny::Any => inside |= bit,
                    MatchAny::Invert => outside |= bit,
                }
            }
        }
        Compiled {
            statement,
            inside,
            outside,
        }
    }

    fn bit_of(&mut self, set: &Arc<PrefixSet>) -> u32 {
        let known = self.prefix_sets.iter().position(|other| other == set);
        let position = known.unwrap_or_else(|| {
            self.prefix_sets.push(Arc::clone(set));
            self.prefix_sets.len() - 1
        });
        u32::try_from(position).unwrap_or(u32::MAX)
    }
}

impl Default for Policy {
    /// [`accept_all`](Self::accept_all).
    fn default() -> Self {
        Self::accept_all()
    }
}

/// Which prefix sets of a policy a prefix is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PrefixMatches(u64);

/// What a policy may know about a route and the session that it is for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The peer's name.
    pub peer: &'a PeerName,
    /// The name of the group of dynamic neighbours that it came out of.
    pub group: Option<&'a PeerName>,
    /// The peer's address, if it is known.
    pub remote: Option<IpAddr>,
    /// The family of the route.
    pub family: Family,
    /// Which prefix sets of this policy the route is in.
    pub matches: PrefixMatches,
    /// Our AS on the session.
    pub local_as: Asn,
    /// Whether the peer is in our AS.
    pub ibgp: bool,
}

/// What a policy may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjected {
    /// The attributes of the route.
    pub attributes: Attributes,
    /// The next hop that the route shall have instead of its own.
    pub next_hop: Option<SetNextHop>,
}

/// What a policy decided, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of the route.
    pub disposition: Disposition,
    /// The statement that decided; `None` for the default.
    pub statement: Option<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Compiled {
    statement: Statement,
    // The prefix sets that a route must be in, and those that it must not be in.
    inside: u64,
    outside: u64,
}

const MAX_PREFIX_SETS: usize = 64;
/// So many that no router would still prefer the route, few enough for every message.
const MAX_PREPEND: u8 = 100;

#[cfg(test)]
mod tests;
