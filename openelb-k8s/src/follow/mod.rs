//! What a cluster knows of its prefixes, between the status of a `DynamicPrefix` and the machine that
//! decides it.
//!
//! The status is the state of the machine: the leading controller writes it, and everybody, that
//! controller included, shows addresses by the status as it stands. Whoever reads an older one shows
//! what was true then, which the grace period is longer than.

mod leader;
mod public;
mod status;
#[cfg(test)]
mod tests;

use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::{Generation, Generations, State};
use openelb_ipam::relative::Projection;

use crate::api::{DynamicPrefix, DynamicPrefixStatus, PrefixGeneration};

pub use self::leader::{Happened, Leader, Step};
pub(crate) use self::public::{read_request, unseen};
pub use self::status::{is_same, status};

/// How the world sees addresses that follow these prefixes. Of two names that the ledger cannot tell
/// apart the first in order is shown, of two with one prefix the one that had it first.
///
/// ```
/// use openelb_k8s::api::{DynamicPrefix, PrefixGeneration};
/// use openelb_k8s::follow::projection;
///
/// let mut home = DynamicPrefix::new("home", Vec::new());
/// home.status.preferred = Some(PrefixGeneration { prefix: "2001:db8:b::/64".into(), ..Default::default() });
/// let view = projection([&home]);
/// let pinned = view.read("home/::10")?;
/// assert_eq!(view.show(pinned).current(), Some("2001:db8:b::10".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn projection<'a>(objects: impl IntoIterator<Item = &'a DynamicPrefix>) -> Projection {
    let mut projection = Projection::default();
    for object in objects {
        if let Ok(name) = object.metadata.name.parse() {
            // Who is refused is told so by the status of its object: it is never ready.
            let _ = projection.insert(name, generations(&object.status));
        }
    }
    projection
}

/// The generations as a status shows them. What is no prefix in it is left out.
pub fn generations(status: &DynamicPrefixStatus) -> Generations {
    let mut all = status.preferred.iter().chain(&status.deprecated);
    let preferred = all.by_ref().find_map(generation);
    Generations {
        deprecated: all
            .filter_map(generation)
            .filter(|it| preferred.as_ref().is_none_or(|one| one.prefix != it.prefix))
            .collect(),
        preferred,
    }
}

/// What a machine that takes over goes on from.
pub fn state(status: &DynamicPrefixStatus) -> State {
    State {
        renumbered: status.renumbered,
        ..State::from(generations(status))
    }
}

/// A moment as the API writes it; `None` for one before 1970 and for other texts.
pub(crate) fn time(text: &str) -> Option<Time> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(moment.as_millisecond()).ok().map(Time)
}

fn generation(shown: &PrefixGeneration) -> Option<Generation> {
    let prefix = shown.prefix.parse().ok()?;
    let until = shown.until.as_deref().and_then(time);
    Some(Generation {
        delegated: shown.delegated.parse().unwrap_or(prefix),
        valid_until: shown.valid_until.as_deref().and_then(time),
        until,
        source: usize::try_from(shown.source).unwrap_or(usize::MAX),
        origin: shown.origin.clone(),
        ..Generation::new(prefix, time(&shown.since).unwrap_or_default())
    })
}
