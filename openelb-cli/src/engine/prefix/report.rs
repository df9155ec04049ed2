//! A prefix as it is asked about. The JSON names are part of the interface; times in it are
//! milliseconds since the Unix epoch.

use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::{Explanation, Machine};
use openelb_ipam::relative::PrefixName;
use serde::{Deserialize, Serialize};

use super::steps::steps;
use super::{Follow, Followed, Prefixes};

/// Prefixes that addresses follow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PrefixesReport {
    /// By name.
    pub(crate) prefixes: Vec<PrefixReport>,
}

/// A prefix and everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PrefixReport {
    /// Its name.
    pub(crate) name: PrefixName,
    /// Where it is learned, in order.
    pub(crate) sources: Vec<String>,
    /// How many prefixes it has been so far, the present one included.
    pub(crate) generation: u64,
    /// For how many seconds the present one may be used; absent: for ever, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) valid_seconds: Option<u64>,
    /// Why no address is shown under one of its prefixes; absent when all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) overlap: Option<String>,
    /// How the present one follows from what was delegated, one step a line.
    pub(crate) derivation: Vec<String>,
    /// What is in use, what was seen, and why.
    #[serde(flatten)]
    pub(crate) explanation: Explanation,
}

impl Prefixes {
    /// Everything about every prefix, or about one.
    pub(in crate::engine) fn report(&self, name: Option<&str>, now: Time) -> PrefixesReport {
        let followed = self.followed.iter();
        let meant = followed.filter(|(own, _)| name.is_none_or(|name| name == &***own));
        PrefixesReport {
            prefixes: meant
                .map(|(name, it)| {
                    let overlap = self.projection.overlap_of(name);
                    let overlap = overlap.map(ToString::to_string);
                    report(name, it, overlap, now)
                })
                .collect(),
        }
    }
}

fn report(
    name: &PrefixName,
    followed: &Followed,
    overlap: Option<String>,
    now: Time,
) -> PrefixReport {
    let Follow {
        settings, sources, ..
    } = followed.follow.clone().unwrap_or_else(|| Follow::of(name));
    let restored;
    let machine = if let Some(machine) = &followed.machine {
        machine
    } else {
        // Without a daemon the store says what was, and nobody says what is.
        restored = Machine::restore(settings.clone(), followed.kept.clone(), now);
        &restored
    };
    let explanation = machine.explain(now);
    let preferred = explanation.generations.preferred.as_ref();
    let valid_until = preferred.and_then(|preferred| preferred.valid_until);
    let steps = preferred.map(|it| steps(&settings.derivation, it.delegated));
    PrefixReport {
        name: name.clone(),
        sources,
        generation: explanation.renumbered + u64::from(preferred.is_some()),
        overlap,
        valid_seconds: valid_until.map(|until| (until - now).as_secs()),
        derivation: steps
            .filter(|_| followed.follow.is_some())
            .unwrap_or_default(),
        explanation,
    }
}
