//! What a hundred thousand addresses take, in a process that does nothing else.

use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::time::Duration;

use openelb_announce::announcer::{Announcement, Announcer, Options, Owner};
use openelb_announce::claim::Probe;

use super::process::private_memory;
use super::table::{Goal, Table};
use super::world::World;

/// The argument with which this program is the process to be measured.
pub(crate) const ARGUMENT: &str = "--memory";

/// Adds what 100,000 addresses take.
pub(crate) fn measure(world: &World, table: &mut Table) {
    let program = std::env::current_exe().unwrap();
    let output = Command::new("ip")
        .args(["netns", "exec", &world.node.namespace])
        .arg(program)
        .args([ARGUMENT, "100000"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut megabytes = text
        .split_whitespace()
        .map(|number| number.parse().unwrap());
    let (before, after): (f64, f64) = (megabytes.next().unwrap(), megabytes.next().unwrap());
    let added = after - before;
    table.add(
        "memory of 100,000 IPv4 addresses",
        "MB",
        added,
        None,
        Goal::AtMost(10.0),
    );
    table.add(
        "private memory of the whole process then",
        "MB",
        after,
        None,
        Goal::None,
    );
}

/// Announces that many addresses here and prints the private memory before and after, in megabytes.
pub(crate) fn measure_here(arguments: &[String]) {
    let count: u32 = arguments.get(1).unwrap().parse().unwrap();
    let announcer = Announcer::start(Options::default()).unwrap();
    let before = megabytes();
    let first = Ipv4Addr::new(198, 18, 0, 1).to_bits();
    let desired = (first..first + count).map(|bits| Announcement {
        address: IpAddr::V4(Ipv4Addr::from_bits(bits)),
        // By prefix: names would be allocated, and given back, a hundred thousand times.
        interfaces: "192.0.2.0/24".parse().unwrap(),
        probe: Probe::Skip,
        owner: Owner::Sole,
    });
    announcer.announce(desired.collect()).unwrap();
    let frames = u64::from(count) * 2;
    let announcements = || {
        announcer
            .interfaces()
            .first()
            .map(|it| it.arp.announcements)
    };
    while announcements().is_none_or(|sent| sent < frames) {
        std::thread::sleep(Duration::from_secs(1));
    }
    println!("{before} {}", megabytes());
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a process has far less than 2^52 octets"
)]
fn megabytes() -> f64 {
    private_memory() as f64 / 1e6
}
