//! Addresses, routes and advertisements, as [`openelb_announce::upstream`] hears of them.

use openelb_announce::announcer::Privileges;
use openelb_announce::upstream::{Event, Options, StartError, Upstream, Wanted};
use openelb_ipam::dynamic_prefix::{Input, Sighting};

use super::{Outbox, clock};
use crate::prefix::Source;

/// What is looked for, if the source is one of the network's.
pub(super) fn wanted(source: Source) -> Option<Wanted> {
    match source {
        Source::Address { interface } => Some(Wanted::Addresses { interface }),
        Source::Route(routes) => Some(Wanted::Routes(routes)),
        Source::RouterAdvertisement { interface, routers } => {
            Some(Wanted::Advertisements { interface, routers })
        }
        _ => None,
    }
}

/// Starts to hear; `None` when nothing is wanted.
pub(super) fn start(
    wanted: Vec<(usize, Wanted)>,
    privileges: Privileges,
    outbox: Outbox,
) -> Result<Option<Upstream>, StartError> {
    if wanted.is_empty() {
        return Ok(None);
    }
    let (sources, wanted): (Vec<usize>, Vec<Wanted>) = wanted.into_iter().unzip();
    let options = Options { wanted, privileges };
    let sink = move |event| outbox.send(input(event, &sources));
    Upstream::start(options, sink).map(Some)
}

/// `None` for an event about nothing that was asked for.
fn input(event: Event, sources: &[usize]) -> Option<Input> {
    Some(match event {
        Event::Seen(seen) => {
            let now = clock::now();
            Input::Seen(Sighting {
                source: *sources.get(seen.wanted)?,
                origin: seen.origin.to_string(),
                prefix: seen.prefix,
                preferred_until: seen.preferred.map(|span| now + span),
                valid_until: seen.valid.map(|span| now + span),
            })
        }
        Event::Gone {
            wanted,
            origin,
            prefix,
        } => Input::Gone {
            source: *sources.get(wanted)?,
            origin: origin.to_string(),
            prefix,
        },
        Event::Failed { wanted, why } => Input::Failed {
            source: *sources.get(wanted)?,
            why,
        },
        Event::Worked { wanted } => Input::Worked {
            source: *sources.get(wanted)?,
        },
    })
}
