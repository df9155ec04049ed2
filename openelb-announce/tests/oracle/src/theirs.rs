//! Reads an UPDATE with `rustbgpd-wire`.

use crate::reading::{Disposition, Reading};
use rustbgpd_wire::UpdateMessage;
use rustbgpd_wire::attribute::{AsPathSegment, PathAttribute};
use rustbgpd_wire::nlri::{NlriEntry, Prefix};
use rustbgpd_wire::validate::ErrorDisposition;
use std::fmt::Write;

/// Its meaning, or `None` when it ends the session.
pub(crate) fn read(body: &[u8], ebgp: bool, four_octet_as: bool) -> Option<(Disposition, Reading)> {
    let mut octets = body;
    let message = UpdateMessage::decode(&mut octets, body.len()).ok()?;
    let parsed = message
        .parse_revised(four_octet_as, !ebgp, false, &[])
        .ok()?;
    let dispositions = parsed.malformed.iter().map(|one| match one.disposition {
        ErrorDisposition::AttributeDiscard => Some(Disposition::Discard),
        ErrorDisposition::TreatAsWithdraw => Some(Disposition::Withdraw),
        ErrorDisposition::SessionReset => None,
    });
    let dispositions: Option<Vec<_>> = dispositions.collect();
    let disposition = dispositions?.into_iter().max();
    let mut reading = Reading::default();
    let classic = |entry: &rustbgpd_wire::Ipv4NlriEntry| {
        format!("{}/{}", entry.prefix.addr, entry.prefix.len)
    };
    reading.withdrawn = parsed.update.withdrawn.iter().map(classic).collect();
    let announced: Vec<_> = parsed.update.announced.iter().map(classic).collect();
    let mut next_hop = String::new();
    for attribute in &parsed.update.attributes {
        if let PathAttribute::NextHop(address) = attribute {
            next_hop = address.to_string();
        }
        note(attribute, &mut reading);
    }
    let announced = announced
        .into_iter()
        .map(|one| format!("{one} via {next_hop}"));
    reading.announced.splice(0..0, announced);
    reading.communities.sort_unstable();
    reading.communities.dedup();
    reading.large_communities.sort_unstable();
    reading.large_communities.dedup();
    reading.extended_communities.sort_unstable();
    reading.extended_communities.dedup();
    Some((disposition.unwrap_or(Disposition::Accept), reading))
}

fn note(attribute: &PathAttribute, reading: &mut Reading) {
    match attribute {
        PathAttribute::Origin(origin) => reading.origin = Some(*origin as u8),
        PathAttribute::AsPath(path) => reading.as_path = text(&path.segments),
        PathAttribute::Med(med) => reading.med = Some(*med),
        PathAttribute::LocalPref(local_pref) => reading.local_pref = Some(*local_pref),
        PathAttribute::Communities(list) | PathAttribute::CommunitiesPartial(list) => {
            reading.communities.clone_from(list);
        }
        PathAttribute::LargeCommunities(list) | PathAttribute::LargeCommunitiesPartial(list) => {
            let values = list
                .iter()
                .map(|one| (one.global_admin, one.local_data1, one.local_data2));
            reading.large_communities = values.collect();
        }
        PathAttribute::ExtendedCommunities(list)
        | PathAttribute::ExtendedCommunitiesPartial(list) => {
            reading.extended_communities = list.iter().map(|one| one.as_u64()).collect();
        }
        PathAttribute::MpReachNlri(reach) => {
            let next_hop = reach.next_hop;
            let routes = reach.announced.iter().map(prefix);
            let routes = routes.map(|one| format!("{one} via {next_hop}"));
            reading.announced.extend(routes);
        }
        PathAttribute::MpUnreachNlri(unreach) => {
            reading
                .withdrawn
                .extend(unreach.withdrawn.iter().map(prefix));
        }
        _ => {}
    }
}

fn prefix(entry: &NlriEntry) -> String {
    match entry.prefix {
        Prefix::V4(prefix) => format!("{}/{}", prefix.addr, prefix.len),
        Prefix::V6(prefix) => format!("{}/{}", prefix.addr, prefix.len),
    }
}

fn text(segments: &[AsPathSegment]) -> String {
    let mut text = String::new();
    for segment in segments {
        if !text.is_empty() {
            text.push(' ');
        }
        let (open, between, close, asns) = match segment {
            AsPathSegment::AsSequence(asns) => ("", " ", "", asns),
            AsPathSegment::AsSet(asns) => ("{", ",", "}", asns),
        };
        let asns: Vec<_> = asns.iter().map(u32::to_string).collect();
        write!(text, "{open}{}{close}", asns.join(between)).unwrap();
    }
    text
}
