//! Reads an UPDATE with the decoder under test.

use crate::reading::{Disposition, Reading};
use openelb_announce::bgp::FamilySet;
use openelb_announce::bgp::message::update::Disposition as Ours;
use openelb_announce::bgp::message::{DecodeContext, Update};

/// Its meaning, or `None` when it ends the session.
pub(crate) fn read(body: &[u8], ebgp: bool, four_octet_as: bool) -> Option<(Disposition, Reading)> {
    let context = DecodeContext {
        four_octet_as,
        ebgp,
        families: FamilySet::ALL,
        ..DecodeContext::default()
    };
    let update = Update::decode(body, &context).ok()?;
    let gravest = update.faults().iter().map(|fault| match fault.disposition {
        Ours::Discarded => Disposition::Discard,
        Ours::Withdrawn => Disposition::Withdraw,
    });
    let disposition = gravest.max().unwrap_or(Disposition::Accept);
    let attributes = update.attributes();
    let announced = update.reached().iter().flat_map(|reach| {
        let next_hop = reach.next_hop.address();
        let routes = reach.nlri.into_iter();
        routes.map(move |nlri| format!("{nlri} via {next_hop}"))
    });
    let reading = Reading {
        withdrawn: update.withdrawn().map(|nlri| nlri.to_string()).collect(),
        announced: announced.collect(),
        as_path: attributes.as_path.to_string(),
        origin: Some(attributes.origin.to_wire()),
        med: attributes.med,
        local_pref: attributes.local_pref,
        communities: attributes.communities.iter().map(|one| one.0).collect(),
        large_communities: attributes
            .large_communities
            .iter()
            .map(|one| (one.global, one.local_1, one.local_2))
            .collect(),
        extended_communities: attributes
            .extended_communities
            .iter()
            .map(|one| u64::from_be_bytes(one.0))
            .collect(),
    };
    Some((disposition, reading))
}
