//! Every fault, for every contender, as one table.

use std::collections::BTreeMap;
use std::time::Duration;

use openelb_announce::ownership::Profile;

use super::contender::{Adverts, Contender};
use super::drill::{Drill, Fault, Outcome, Seen};
use super::table::{Spread, Table};
use super::world::World;

/// Measures and prints them.
pub(crate) fn measure(table: &mut Table) {
    let repetitions = std::env::var("OPENELB_REPETITIONS");
    let repetitions = repetitions.map_or(20, |text| text.parse().unwrap());
    let mut outcomes = Outcomes::new();
    // The slow ones mostly wait, so they wait together; the quick ones have the machine alone.
    std::thread::scope(|scope| {
        let lanes = SIDE_BY_SIDE.map(|lane| {
            let shares = (0..WORLDS).map(|place| (repetitions + place) / WORLDS);
            shares.map(move |share| scope.spawn(move || all_faults(lane, share)))
        });
        let threads: Vec<_> = lanes.into_iter().flatten().collect();
        for thread in threads {
            merge(&mut outcomes, thread.join().unwrap());
        }
    });
    merge(&mut outcomes, all_faults(&ALONE, repetitions));
    for profile in [Profile::Calm, Profile::Normal, Profile::Fast] {
        let name = format!("election, {profile:?}").to_lowercase();
        let election = [Some(Contender::Election(profile)), None, None];
        compare(table, &outcomes, &name, election);
    }
    for adverts in [SECOND, TENTH, HUNDREDTH] {
        let real_time = if adverts.real_time { ", real-time" } else { "" };
        let name = format!("VRRP {:?}{real_time}", adverts.interval());
        let all = [Contender::Vrrp, Contender::Keepalived, Contender::Frr];
        compare(table, &outcomes, &name, all.map(|it| Some(it(adverts))));
    }
    table.print("Failover: milliseconds without an answer, p50 / p99 / longest");
}

/// The outcome of each fault of each contender, by their names.
type Outcomes = BTreeMap<String, Outcome>;

fn merge(outcomes: &mut Outcomes, more: Outcomes) {
    for (name, outcome) in more {
        outcomes.entry(name).or_default().append(outcome);
    }
}

fn all_faults(contenders: &[Contender], repetitions: u32) -> Outcomes {
    let mut outcomes = Outcomes::new();
    for contender in contenders {
        if !contender.is_wanted() {
            continue;
        }
        let world = World::new().unwrap();
        let mut drill = Drill::new(&world, *contender);
        for fault in faults(*contender).iter().filter(|it| it.is_wanted()) {
            eprintln!("{contender:?} {fault:?}");
            let outcome = drill.repeat(*fault, repetitions);
            outcomes.insert(name(*contender, *fault), outcome);
        }
    }
    outcomes
}

fn faults(contender: Contender) -> &'static [Fault] {
    let all = &[
        Fault::Death,
        Fault::Freeze,
        Fault::Cut,
        Fault::Leave,
        Fault::Drain,
    ];
    match contender {
        Contender::Election(_) => all,
        // VRRP has no way to ask for a move but priority 0, which is how it leaves.
        Contender::Vrrp(_) | Contender::Keepalived(_) | Contender::Frr(_) => &all[..4],
    }
}

fn name(contender: Contender, fault: Fault) -> String {
    format!("{contender:?} {fault:?}")
}

fn compare(table: &mut Table, outcomes: &Outcomes, who: &str, trio: [Option<Contender>; 3]) {
    let none = Outcome::default();
    let [Some(ours), ..] = trio else { return };
    for fault in faults(ours) {
        let found = trio.map(|it| outcomes.get(&name(it?, *fault)));
        let found = found.map(|outcome| outcome.unwrap_or(&none));
        let is_planned = matches!(fault, Fault::Leave | Fault::Drain);
        let bound = if is_planned { PLANNED } else { ours.bound() };
        for (family, version) in ["IPv4", "IPv6"].into_iter().enumerate() {
            let seen = found.map(|outcome| &outcome.faults[family]);
            let back = found.map(|outcome| &outcome.returns[family]);
            if seen.iter().any(|seen| !seen.is_empty()) {
                let what = format!("{who}: {}, {version}", words(*fault));
                let goal = Some(bound.as_secs_f64() * 1e3);
                table.add_spread(&what, goal, seen.map(|seen| Spread::of(&seen.outages)));
                details(table, is_planned, seen, back);
            }
        }
    }
}

fn details(table: &mut Table, is_planned: bool, seen: [&Seen; 3], back: [&Seen; 3]) {
    if is_planned {
        let moves = seen.map(|seen| Spread::of(&seen.moves));
        table.add_spread("  until another node answers", None, moves);
        let lost = seen.map(|seen| total(seen, seen.lost));
        table.add("  datagrams lost, of all", Some(0.0), lost);
    }
    if seen.iter().any(|seen| seen.never > 0) {
        let never = seen.map(|seen| total(seen, seen.never));
        table.add("  nobody took over", Some(0.0), never);
    }
    if !back.iter().all(|seen| seen.is_empty()) {
        let outages = back.map(|seen| Spread::of(&seen.outages));
        table.add_spread("  when the node is back", None, outages);
        let misled = back.map(|seen| total(seen, seen.misled));
        table.add("  client left with a former owner", Some(0.0), misled);
    }
}

fn words(fault: Fault) -> &'static str {
    match fault {
        Fault::Death => "killed",
        Fault::Freeze => "frozen",
        Fault::Cut => "cut off",
        Fault::Leave => "ended in order",
        Fault::Drain => "drained",
    }
}

/// A count, if anything was measured at all.
fn total(seen: &Seen, count: u32) -> Option<f64> {
    (!seen.is_empty()).then_some(count.into())
}

pub(crate) const SECOND: Adverts = adverts(100, false);
pub(crate) const TENTH: Adverts = adverts(10, false);
pub(crate) const HUNDREDTH: Adverts = adverts(1, true);

const SIDE_BY_SIDE: [&[Contender]; 4] = [
    &[Contender::Election(Profile::Calm)],
    &[Contender::Vrrp(SECOND), Contender::Frr(TENTH)],
    &[Contender::Keepalived(SECOND)],
    &[
        Contender::Election(Profile::Normal),
        Contender::Vrrp(TENTH),
        Contender::Keepalived(TENTH),
    ],
];
/// Each of them in so many worlds at once, which share the repetitions.
const WORLDS: u32 = 2;
const ALONE: [Contender; 4] = [
    Contender::Election(Profile::Fast),
    Contender::Vrrp(HUNDREDTH),
    Contender::Keepalived(HUNDREDTH),
    Contender::Frr(HUNDREDTH),
];
const PLANNED: Duration = Duration::from_millis(5);

const fn adverts(centiseconds: u16, real_time: bool) -> Adverts {
    Adverts {
        centiseconds,
        real_time,
    }
}
