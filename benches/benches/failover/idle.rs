//! What a hundred thousand addresses cost three nodes while nothing happens, and what an answer
//! takes meanwhile.

use std::time::Duration;

use openelb_announce::ownership::Profile;

use super::asker::Asker;
use super::contender::Contender;
use super::drill::Drill;
use super::node::{Crowd, Role};
use super::process::Process;
use super::table::{Spread, Table};
use super::world::{ADDRESSES, World};

/// Measures and prints processor time, and the latency of answers.
pub(crate) fn measure(table: &mut Table) {
    for profile in [Profile::Normal, Profile::Fast] {
        let crowd = Crowd {
            profile,
            count: COUNT,
            is_ipv6: false,
        };
        let shares = [
            (
                format!("{COUNT} addresses, {profile}"),
                Some(0.1),
                Role::Crowd(crowd),
            ),
            (
                format!("as many packets, {profile}"),
                None,
                Role::Floor(profile),
            ),
        ];
        for (who, goal, role) in shares {
            let what = format!("{who}: busiest node, % of a core").to_lowercase();
            table.add(&what, goal, [Some(processor_share(role)), None, None]);
        }
    }
    let world = World::new().unwrap();
    let drill = Drill::new(&world, Contender::Election(Profile::Fast));
    for address in ADDRESSES {
        let asker = Asker::new(&world.client, address.is_ipv6());
        let question = asker.question(address);
        let rounds = (0..QUESTIONS).filter_map(|_| {
            std::thread::sleep(Duration::from_micros(500));
            asker.round_trip(&question, address)
        });
        let samples: Vec<f64> = rounds.map(|took| took.as_secs_f64() * 1e3).collect();
        let kind = if address.is_ipv4() {
            "ARP reply"
        } else {
            "NS answer"
        };
        let what = format!("{kind} while a fast election runs, ms p50 / p99 / longest");
        table.add_spread(&what, None, [Spread::of(&samples), None, None]);
    }
    drop(drill);
    table.print("Nothing happens");
}

/// The processor time of the busiest of three nodes, in hundredths of a core.
fn processor_share(role: Role) -> f64 {
    let world = World::new().unwrap();
    let nodes = world.nodes.each_ref().map(|host| role.start(host));
    for _ in 0..MOST_WAITS {
        if used(&nodes, Duration::from_secs(2)) < QUIET {
            break;
        }
    }
    used(&nodes, SPAN)
}

fn used(nodes: &[Process; 3], span: Duration) -> f64 {
    let before = nodes.each_ref().map(Process::processor_time);
    std::thread::sleep(span);
    let after = nodes.iter().map(Process::processor_time);
    let shares = after.zip(before).map(|(after, before)| {
        let used = after.saturating_sub(before);
        used.as_secs_f64() / span.as_secs_f64() * 100.0
    });
    shares.fold(0.0, f64::max)
}

const COUNT: u32 = 100_000;
/// A hundred thousand addresses are announced at 20,000 frames a second, three times in two forms.
const MOST_WAITS: u32 = 30;
/// Announcing is over then.
const QUIET: f64 = 0.3;
const SPAN: Duration = Duration::from_secs(20);
const QUESTIONS: usize = 2000;
