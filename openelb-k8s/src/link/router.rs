//! The virtual routers, and the addresses that their state decides on.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use openelb_announce::announcer::{Announcement, Owner, RouterName, VirtualRouter};
use openelb_announce::claim::Probe;
use openelb_announce::vrrp::{Family, Settings, Vrid};

use super::{Bid, Here, Pool, Router, units_of};

/// The virtual routers by name; the addresses of those that run are added to `announcements`.
pub(super) fn routers(
    bids: &[Bid<'_>],
    node: &str,
    announcements: &mut BTreeMap<IpAddr, Announcement>,
) -> Vec<Router> {
    let units = units_of(bids);
    let mut by_router: BTreeMap<(&str, Vrid, Family), Vec<&Bid<'_>>> = BTreeMap::new();
    for bid in bids {
        if let (Some(routers), Some(unit)) = (bid.pool.routers, units.get(&bid.address)) {
            let key = (bid.pool.name, routers.vrid(unit), Family::of(bid.address));
            by_router.entry(key).or_default().push(bid);
        }
    }
    let made = by_router.into_iter().filter_map(|(key, bids)| {
        let (_, vrid, family) = key;
        let pool = bids.first()?.pool;
        let router = router(&pool, vrid, family, node, &bids);
        if router.run.is_ok() {
            announcements.extend(bids.iter().filter_map(|bid| of_router(bid, &router)));
        }
        Some(router)
    });
    made.collect()
}

/// Virtual routers agree by their own protocol; a probe would only meet the other.
fn of_router(bid: &Bid<'_>, router: &Router) -> Option<(IpAddr, Announcement)> {
    let owner = Owner::Router(router.name.clone());
    let (address, announcement) = bid.announcement(owner)?;
    let probe = Probe::Skip;
    Some((
        address,
        Announcement {
            probe,
            ..announcement
        },
    ))
}

fn router(pool: &Pool<'_>, vrid: Vrid, family: Family, node: &str, bids: &[&Bid<'_>]) -> Router {
    let suffix = match family {
        Family::Ipv4 => "ipv4",
        Family::Ipv6 => "ipv6",
    };
    let name = RouterName::new(&format!("{}-{}-{suffix}", pool.name, vrid.get()));
    let addresses: BTreeSet<IpAddr> = bids.iter().map(|bid| bid.address).collect();
    let settings = settings(pool, vrid, &addresses, node, bids);
    let run = settings.and_then(|settings| {
        let interface = pool.interfaces.cloned();
        Ok(VirtualRouter {
            name: name.clone(),
            interface: interface.ok_or_else(|| "the pool names no interface".to_owned())?,
            settings,
            virtual_mac: pool.routers.is_some_and(|routers| routers.virtual_mac),
        })
    });
    Router {
        name,
        pool: pool.name.to_owned(),
        vrid,
        family,
        addresses,
        run,
    }
}

/// What this node brings in, or why it brings nothing.
fn settings(
    pool: &Pool<'_>,
    vrid: Vrid,
    addresses: &BTreeSet<IpAddr>,
    node: &str,
    bids: &[&Bid<'_>],
) -> Result<Settings, String> {
    if bids.iter().all(|bid| bid.here == Here::Barred) {
        return Err("none of its services may be announced by this node".to_owned());
    }
    let silent = bids.iter().filter(|bid| bid.here.verdict() == Some(false));
    let silent: BTreeSet<_> = silent.map(|bid| bid.service.as_str()).collect();
    let settings = pool.routers.and_then(|routers| {
        routers.settings(node, vrid, addresses.iter().copied(), silent.is_empty())
    });
    let Some(settings) = settings else {
        let silent: Vec<_> = silent.into_iter().collect();
        let why = silent.join(", ");
        return Err(format!(
            "given up here: nothing is left of the priority while {why} does not answer"
        ));
    };
    settings.validate().map_err(|error| error.to_string())?;
    Ok(settings)
}
