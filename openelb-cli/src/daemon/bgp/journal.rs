//! What happens to the peers: in the log at once, and in the journal.

use openelb_announce::announcer::speaker::Event;
use openelb_announce::bgp::peer::{self, State};
use openelb_announce::bgp::speaker;
use tracing::{debug, info, warn};

use super::super::journal::{About, Journal};

/// Writes an event down.
pub(super) fn note(journal: &mut Journal, event: &Event) {
    let about = About {
        peer: peer_of(event),
        ..About::default()
    };
    journal.note(about, event.to_string());
}

/// One line for each event, at the level at which an operator wants to hear of it.
pub(super) fn log(event: &Event) {
    match event {
        Event::Speaker(speaker::Event::Peer { name, event: told }) => match told {
            peer::Event::StateChanged {
                to: State::Established,
                ..
            } => info!(peer = %name, "BGP session established"),
            peer::Event::StateChanged { from, to } => {
                debug!(peer = %name, %from, %to, "BGP session");
            }
            peer::Event::EndOfRib(_) | peer::Event::StaleRoutesForgotten => info!("BGP {event}"),
            _ => warn!("BGP {event}"),
        },
        Event::Listening(_) => info!("BGP {event}"),
        _ => warn!("BGP {event}"),
    }
}

fn peer_of(event: &Event) -> Option<String> {
    match event {
        Event::Speaker(
            speaker::Event::Peer { name, .. } | speaker::Event::DuplicateRouterId { name, .. },
        ) => Some(name.to_string()),
        _ => None,
    }
}
