//! How long one answer takes on an idle host.

use std::net::IpAddr;
use std::time::Duration;

use openelb_announce::announcer::Options;

use super::asker::Asker;
use super::table::{Goal, Table};
use super::world::{World, on_eth0, until_announced};

/// Adds the median and the 99th percentile of both families.
pub(crate) fn measure(world: &World, table: &mut Table) {
    for (name, ours, kernels) in [
        ("ARP reply", "192.0.2.100", "192.0.2.1"),
        ("NS answer", "2001:db8::100", "2001:db8::1"),
    ] {
        let (ours, kernels): (IpAddr, IpAddr) = (ours.parse().unwrap(), kernels.parse().unwrap());
        let announcer = world.node.announcer(Options::default());
        announcer.announce(on_eth0([ours])).unwrap();
        until_announced(&announcer);
        let asker = Asker::new(&world.client, ours.is_ipv6());
        // Both are measured in turns, so that other work on this machine hits both alike.
        let questions = [ours, kernels].map(|target| (asker.question(target), target));
        let mut samples = [Vec::new(), Vec::new()];
        for _ in 0..QUESTIONS {
            for ((question, target), samples) in questions.iter().zip(&mut samples) {
                samples.extend(asker.round_trip(question, *target));
                std::thread::sleep(Duration::from_micros(500));
            }
        }
        let [ours, kernels] = samples.map(|mut samples| {
            samples.sort_unstable();
            [50, 99].map(|percent| percentile(&samples, percent))
        });
        for (part, goal, percent) in [(0, 50.0, 50), (1, 300.0, 99)] {
            let (measured, kernel) = (ours.get(part).copied(), kernels.get(part).copied());
            let what = format!("{name}, round trip, percentile {percent}");
            table.add(
                &what,
                "us",
                measured.unwrap_or(f64::NAN),
                kernel,
                Goal::AtMost(goal),
            );
        }
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let place = sorted.len() * percent / 100;
    sorted
        .get(place.min(sorted.len().saturating_sub(1)))
        .map_or(f64::NAN, |sample| sample.as_secs_f64() * 1e6)
}

const QUESTIONS: usize = 2000;
