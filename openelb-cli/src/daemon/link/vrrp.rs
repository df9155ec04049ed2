//! The virtual routers in the words of the command's own interface.

use openelb_announce::announcer::RouterStatus;
use openelb_announce::vrrp::State;
use openelb_k8s::link::Router;

use crate::engine::{RouterCounters, RouterReport, VrrpReport};

/// The report of all virtual routers: each on each of its links, and those that do not run.
pub(in super::super) fn report(
    wanted: &[Router],
    running: &[RouterStatus],
    trouble: Option<&str>,
) -> VrrpReport {
    let rows = wanted.iter().flat_map(|router| {
        let here = running.iter().filter(|status| status.name == router.name);
        let here: Vec<_> = here.map(|status| running_row(router, status)).collect();
        if here.is_empty() {
            vec![idle_row(router)]
        } else {
            here
        }
    });
    VrrpReport {
        trouble: trouble.map(str::to_owned).into_iter().collect(),
        routers: rows.collect(),
    }
}

fn idle_row(router: &Router) -> RouterReport {
    let problems = match &router.run {
        Ok(_) => Vec::new(),
        Err(why) => vec![why.clone()],
    };
    RouterReport {
        name: router.name.to_string(),
        pool: router.pool.clone(),
        vrid: router.vrid.get(),
        family: router.family.to_string(),
        state: State::Initialize.to_string(),
        addresses: router.addresses.iter().copied().collect(),
        problems,
        ..RouterReport::default()
    }
}

fn running_row(router: &Router, status: &RouterStatus) -> RouterReport {
    let counters = &status.counters;
    let no_primary = status.primary.is_none().then(|| {
        let family = status.family;
        format!("{} has no {family} address to send from", status.interface)
    });
    let error = status.last_error.clone();
    RouterReport {
        interface: Some(status.interface.clone()),
        state: status.state.to_string(),
        seconds: Some(status.since.as_secs()),
        priority: status.priority,
        active: status.active.map(|active| active.address),
        active_priority: status.active.map(|active| active.priority),
        addresses: status.addresses.clone(),
        mac: status.virtual_mac.map(|mac| mac.to_string()),
        counters: RouterCounters {
            sent: counters.sent,
            received: counters.received,
            refused: counters.refused,
            became_active: counters.became_active,
        },
        problems: no_primary.into_iter().chain(error).collect(),
        ..idle_row(router)
    }
}
