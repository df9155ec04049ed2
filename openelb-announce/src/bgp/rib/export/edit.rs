//! What a session changes in the attributes of a route: the rules of RFC 4271 section 5.1, the
//! policies, and `GRACEFUL_SHUTDOWN` (RFC 8326).

use super::{Matches, Refusal};
use crate::bgp::attribute::Attributes;
use crate::bgp::community::Community;
use crate::bgp::family::Family;
use crate::bgp::policy::{Disposition, Policy, PrefixMatches, SetNextHop, Subject, Subjected};
use crate::bgp::rib::group::{Target, Variant};
use crate::bgp::rib::terms::Terms;

/// What came out.
pub(super) struct Edited {
    pub(super) attributes: Attributes,
    /// Where a policy wants traffic to go instead.
    pub(super) target: Option<Target>,
}

/// Our AS goes in front before the policies, as `GoBGP` has it: "last-as" is ours then, and what
/// they prepend stands before it.
pub(super) fn apply(
    terms: &Terms,
    family: Family,
    variant: &Variant,
    matches: Matches,
) -> Result<Edited, Refusal> {
    let mut attributes = Attributes::clone(&variant.attributes);
    if !terms.ibgp {
        let times = 1 + usize::from(variant.prepend);
        attributes.as_path.prepend(terms.local_as, times);
    }
    let mut route = Subjected {
        attributes,
        next_hop: None,
    };
    let [first, second] = matches;
    ask(&terms.policy, terms, family, first, &mut route)?;
    ask(&terms.peer_policy, terms, family, second, &mut route)?;
    finish(terms, &mut route.attributes);
    Ok(Edited {
        attributes: route.attributes,
        target: route.next_hop.map(|next_hop| match next_hop {
            SetNextHop::Own => Target::Own,
            SetNextHop::Address(address) => Target::Address(address),
        }),
    })
}

fn ask(
    policy: &Policy,
    terms: &Terms,
    family: Family,
    matches: PrefixMatches,
    route: &mut Subjected,
) -> Result<(), Refusal> {
    let subject = Subject {
        peer: &terms.peer,
        group: terms.group.as_ref(),
        remote: terms.remote,
        family,
        matches,
        local_as: terms.local_as,
        ibgp: terms.ibgp,
    };
    let decision = policy.evaluate(&subject, route);
    match decision.disposition {
        Disposition::Accept => Ok(()),
        Disposition::Reject => Err(Refusal::Policy {
            statement: decision.statement,
        }),
    }
}

/// RFC 4271 section 5.1.5: `LOCAL_PREF` goes to internal peers always, to others never. It is 0 for
/// routes about to go (RFC 8326 section 4.2).
fn finish(terms: &Terms, attributes: &mut Attributes) {
    let local_pref = attributes.local_pref.unwrap_or(DEFAULT_LOCAL_PREF);
    attributes.local_pref = terms.ibgp.then_some(local_pref);
    if terms.graceful_shutdown {
        attributes.communities.insert(Community::GRACEFUL_SHUTDOWN);
        attributes.local_pref = terms.ibgp.then_some(0);
    }
}

/// What every implementation assumes of a route without one.
const DEFAULT_LOCAL_PREF: u32 = 100;
