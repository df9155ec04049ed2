//! Ten thousand addresses of one dead node: from the first that is taken over to the last.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use openelb_announce::ownership::Profile;
use openelb_announce::wire::Mac;
use openelb_benches::meter::clock;

use super::desired;
use super::echo::get_ahead;
use super::node::{Crowd, Role};
use super::table::{Spread, Table};
use super::watch::Watch;
use super::world::{Host, World};

/// Measures and prints both families.
pub(crate) fn measure(table: &mut Table) {
    for (is_ipv6, version) in [(false, "IPv4"), (true, "IPv6, one solicited-node group")] {
        let crowd = Crowd {
            profile: Profile::Normal,
            count: COUNT,
            is_ipv6,
        };
        let all: Vec<_> = (0..REPETITIONS).map(|_| takeover(crowd)).collect();
        let column = |pick: fn(&Takeover) -> f64| {
            let samples: Vec<f64> = all.iter().map(pick).collect();
            [Spread::of(&samples), None, None]
        };
        let what = format!("{COUNT} addresses, {version}: death to first announcement");
        table.add_spread(&what, Some(1100.0), column(|it| it.first));
        let what = "  first announcement to last";
        table.add_spread(what, Some(500.0), column(|it| it.last - it.first));
        let missing = all.iter().map(|it| f64::from(it.missing)).sum();
        table.add("  never announced", Some(0.0), [Some(missing), None, None]);
    }
    table.print("Many addresses: milliseconds, p50 / p99 / longest");
}

/// One takeover; milliseconds after the death.
struct Takeover {
    first: f64,
    last: f64,
    missing: u32,
}

fn takeover(crowd: Crowd) -> Takeover {
    let world = World::new().unwrap();
    let watch = Watch::new(&world.client, crowd.is_ipv6);
    let nodes = world
        .nodes
        .each_ref()
        .map(|host| Role::Crowd(crowd).start(host));
    let [owner, others @ ..] = world.nodes.each_ref().map(Host::mac);
    let all: BTreeSet<IpAddr> = desired::addresses(crowd).collect();
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            get_ahead();
            announced(&watch, &all, &[owner], clock() + START);
            // Its further announcements of each address are over then.
            std::thread::sleep(SETTLE);
            while watch.next().is_some() {}
            let death = clock();
            nodes[0].signal(Signal::SIGKILL);
            (death, announced(&watch, &all, &others, death + PATIENCE))
        });
        let (death, heard) = watching.join().unwrap();
        let since = |at: Option<Instant>| {
            let span = at.map(|at| at - death);
            span.map_or(f64::NAN, |span| span.as_secs_f64() * 1e3)
        };
        Takeover {
            first: since(heard.first),
            last: since(heard.last),
            missing: heard.missing,
        }
    })
}

struct Heard {
    first: Option<Instant>,
    last: Option<Instant>,
    missing: u32,
}

/// Listens until one of `macs` was said to have each of `all`, or until `end`.
fn announced(watch: &Watch, all: &BTreeSet<IpAddr>, macs: &[Mac], end: Instant) -> Heard {
    let mut missing = all.clone();
    let (mut first, mut last) = (None, None);
    while !missing.is_empty() && clock() < end {
        let Some(saying) = watch.next() else {
            std::thread::sleep(Duration::from_micros(200));
            continue;
        };
        if macs.contains(&saying.mac) && missing.remove(&saying.address) {
            first = first.or(Some(saying.at));
            last = Some(saying.at);
        }
    }
    Heard {
        first,
        last,
        missing: u32::try_from(missing.len()).unwrap(),
    }
}

const COUNT: u32 = 10_000;
const REPETITIONS: u32 = 5;
const START: Duration = Duration::from_secs(20);
const SETTLE: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_secs(6);
