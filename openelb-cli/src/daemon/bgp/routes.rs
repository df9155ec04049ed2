//! The routes of the sessions, as they stand at each peer.

use std::net::IpAddr;

use openelb_announce::announcer::speaker::Speaker;
use openelb_announce::bgp::Attributes;
use openelb_announce::bgp::next_hop::NextHop;
use openelb_announce::bgp::prefix::{Nlri, Prefix};
use openelb_announce::bgp::rib::SentState;
use openelb_announce::bgp::route::PeerName;
use openelb_announce::bgp::{self};

use crate::engine::{RouteReport, RoutesReport};

/// The routes of one peer or of all; `None` when there is no such peer.
pub(super) fn of(speaker: &Speaker, peer: Option<&str>, is_received: bool) -> Option<RoutesReport> {
    let wanted = peer.map(PeerName::from);
    let found = speaker.query(move |speaker, now| {
        let names = speaker.status(now).into_iter().map(|status| status.name);
        let is_wanted = |name: &PeerName| wanted.as_ref().is_none_or(|wanted| wanted == name);
        let names: Vec<_> = names.filter(is_wanted).collect();
        if names.is_empty() && wanted.is_some() {
            return None;
        }
        let mut found = Vec::new();
        for name in &names {
            let rows = if is_received {
                received(speaker, name)
            } else {
                sent(speaker, name)
            };
            // One more than is shown tells that there are more; the table may hold a million.
            found.extend(rows.into_iter().take(MOST_ROUTES + 1));
        }
        Some(found)
    });
    let mut found = found.ok().flatten()?;
    found.sort_by(|(a, x), (b, y)| (a, &x.peer, x.path_id).cmp(&(b, &y.peer, y.path_id)));
    let left_off = found.len().saturating_sub(MOST_ROUTES);
    found.truncate(MOST_ROUTES);
    Some(RoutesReport {
        routes: found.into_iter().map(|(_, row)| row).collect(),
        left_off,
    })
}

/// Destinations of routes that wait to be sent.
pub(super) fn pending(speaker: &Speaker) -> Vec<IpAddr> {
    let found = speaker.query(|speaker, now| {
        let names = speaker.status(now).into_iter().map(|status| status.name);
        let mut found = Vec::new();
        for name in names {
            let rows = speaker.routes(&name).into_iter().flatten();
            let waiting = rows.filter(|sent| matches!(sent.state, SentState::Pending));
            found.extend(waiting.map(|sent| sent.nlri.prefix.address()));
        }
        found
    });
    found.unwrap_or_default()
}

fn sent(speaker: &bgp::speaker::Speaker, peer: &PeerName) -> Vec<(Prefix, RouteReport)> {
    let rows = speaker.routes(peer).into_iter().flatten().map(|sent| {
        let (state, why) = match &sent.state {
            SentState::Advertised => ("advertised", None),
            SentState::Pending => ("pending", None),
            SentState::Withdrawing => ("withdrawing", None),
            SentState::Refused(refusal) => ("refused", Some(refusal.to_string())),
        };
        let announced = sent.announced.as_ref();
        let announced = announced.map(|(attributes, next_hop)| (attributes, *next_hop));
        let mut row = row(sent.nlri, peer, state, announced);
        row.why = why;
        (sent.nlri.prefix, row)
    });
    rows.take(MOST_ROUTES + 1).collect()
}

fn received(speaker: &bgp::speaker::Speaker, peer: &PeerName) -> Vec<(Prefix, RouteReport)> {
    let rows = speaker
        .received(peer)
        .into_iter()
        .flatten()
        .map(|received| {
            let state = if received.is_stale {
                "stale"
            } else {
                "received"
            };
            let told = Some((received.attributes, received.next_hop));
            (received.nlri.prefix, row(received.nlri, peer, state, told))
        });
    rows.take(MOST_ROUTES + 1).collect()
}

fn row(
    nlri: Nlri,
    peer: &PeerName,
    state: &str,
    told: Option<(&Attributes, NextHop)>,
) -> RouteReport {
    let attributes = told.map(|(attributes, _)| attributes);
    RouteReport {
        prefix: nlri.prefix.to_string(),
        path_id: nlri.path_id,
        peer: peer.to_string(),
        state: state.to_owned(),
        why: None,
        next_hop: told.map(|(_, next_hop)| next_hop.to_string()),
        as_path: attributes.map(|attributes| attributes.as_path.to_string()),
        med: attributes.and_then(|attributes| attributes.med),
        local_pref: attributes.and_then(|attributes| attributes.local_pref),
        communities: attributes.map(communities).unwrap_or_default(),
    }
}

fn communities(attributes: &Attributes) -> Vec<String> {
    let standard = attributes.communities.iter().map(|one| one.to_string());
    let large = attributes.large_communities.iter();
    let large = large.map(|one| format!("large:{one}"));
    let extended = attributes.extended_communities.iter();
    let extended = extended.map(|one| one.to_string());
    standard.chain(large).chain(extended).collect()
}

/// More than anybody reads; a bound for the answer, which is one line of JSON.
const MOST_ROUTES: usize = 100_000;
