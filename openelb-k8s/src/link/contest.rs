//! The election, and the addresses that it decides on.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use openelb_announce::announcer::{Announcement, Owner};
use openelb_announce::ownership::{Group, GroupName};

use super::{Bid, Contest, Unit, units_of};
use crate::layer2::{Election, Member};

/// The groups and units of what is elected; its addresses are added to `announcements`.
pub(super) fn contest(
    election: &Election,
    bids: &[Bid<'_>],
    announcements: &mut BTreeMap<IpAddr, Announcement>,
) -> Contest {
    let units_by_address = units_of(bids);
    let mut by_unit: BTreeMap<&Arc<str>, Vec<&Bid<'_>>> = BTreeMap::new();
    for bid in bids {
        if let Some(unit) = units_by_address.get(&bid.address) {
            by_unit.entry(unit).or_default().push(bid);
        }
    }
    let default = election.default_group();
    let mut groups: BTreeMap<GroupName, Group> = BTreeMap::from([(default.name.clone(), default)]);
    let mut units = Vec::with_capacity(by_unit.len());
    for (name, bids) in by_unit {
        let members: Vec<_> = bids.iter().map(|bid| member(bid)).collect();
        let group = election.group(&members);
        for bid in &bids {
            let owner = Owner::Elected {
                group: group.name.clone(),
                unit: Arc::clone(name),
            };
            announcements.extend(bid.announcement(owner));
        }
        groups.insert(group.name.clone(), group.clone());
        units.push(Unit {
            name: Arc::clone(name),
            addresses: bids.iter().map(|bid| bid.address).collect(),
            services: bids.iter().map(|bid| bid.service.clone()).collect(),
            group,
        });
    }
    Contest {
        election: election.clone(),
        groups: groups.into_values().collect(),
        units,
    }
}

fn member<'a>(bid: &Bid<'a>) -> Member<'a> {
    Member {
        service: bid.service.as_str(),
        pool: bid.pool.name,
        health: bid.here.verdict(),
    }
}
