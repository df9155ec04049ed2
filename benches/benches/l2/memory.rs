//! What a hundred thousand addresses take, in a process that does nothing else.

use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

use openelb_announce::announcer::{Announcer, Options};

use super::process::private_memory;
use super::table::{Goal, Table};
use super::world::{World, on_eth0};

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
    let megabytes: f64 = text.trim().parse().unwrap();
    table.add(
        "100,000 IPv4 addresses, private memory",
        "MB",
        megabytes,
        None,
        Goal::AtMost(10.0),
    );
}

/// Announces that many addresses here and prints what they take, in megabytes.
pub(crate) fn measure_here(arguments: &[String]) {
    let count: u32 = arguments.get(1).unwrap().parse().unwrap();
    let announcer = Announcer::start(Options::default()).unwrap();
    let first = Ipv4Addr::new(198, 18, 0, 1).to_bits();
    let addresses = (first..first + count).map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
    announcer.announce(on_eth0(addresses)).unwrap();
    // The status of each takes memory of its own while it is looked at; the counters do not.
    let frames = u64::from(count) * 2;
    while announcer
        .interfaces()
        .first()
        .is_none_or(|it| it.arp.announcements < frames)
    {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    #[expect(clippy::cast_precision_loss, reason = "megabytes")]
    let megabytes = private_memory() as f64 / 1e6;
    println!("{megabytes}");
}
