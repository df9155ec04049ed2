//! Many questions, many addresses, and storms of questions for others.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use openelb_announce::announcer::{Announcer, Counters, Options};
use openelb_announce::claim::RateLimit;

use super::asker::{Asker, now};
use super::process::{io_thread_time, io_thread_time_since};
use super::table::{Goal, Table};
use super::world::{Host, World, on_eth0, until_announced};

/// Adds reply rate, announcing ten thousand addresses, and an irrelevant storm.
pub(crate) fn measure(world: &World, table: &mut Table) {
    announcing(world, table);
    let options = Options::default();
    let announcer = world.node.announcer(options);
    let ours = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 100));
    announcer.announce(on_eth0([ours])).unwrap();
    until_announced(&announcer);
    replies(world, &announcer, ours, table);
    storm(world, &announcer, table);
}

fn announcing(world: &World, table: &mut Table) {
    let mut options = Options::default();
    // Unpaced: what it costs, not what a network is spared.
    options.machine.rate = RateLimit {
        per_second: 10_000_000,
        burst: 1_000_000,
    };
    let announcer = world.node.announcer(options);
    let desired = on_eth0(addresses(10_000));
    let (start, before) = (now(), io_thread_time());
    announcer.announce(desired.clone()).unwrap();
    // Each address is announced as a request and as a reply.
    while arp(&announcer).announcements < 20_000 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let took = milliseconds(now() - start);
    let busy = milliseconds(io_thread_time_since(before));
    table.add(
        "announce 10,000 IPv4 addresses, unpaced",
        "ms",
        took,
        None,
        Goal::AtMost(100.0),
    );

    table.add(
        "the same, I/O thread busy",
        "ms",
        busy,
        None,
        Goal::AtMost(100.0),
    );

    std::thread::sleep(Duration::from_millis(100));
    let before = io_thread_time();
    announcer.announce(desired).unwrap();
    announcer.status();
    let busy = milliseconds(io_thread_time_since(before));
    table.add(
        "same 10,000 again, I/O thread busy",
        "ms",
        busy,
        None,
        Goal::None,
    );
}

fn replies(world: &World, announcer: &Announcer, ours: IpAddr, table: &mut Table) {
    let asker = Asker::new(&world.client, false);
    let (answers, took) = flood(
        &world.client,
        &asker,
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    );
    let kernel = answers / took.as_secs_f64();

    let (before, busy_before) = (arp(announcer), io_thread_time());
    let (answers, took) = flood(&world.client, &asker, ours);
    let (after, busy) = (arp(announcer), io_thread_time_since(busy_before));
    let replies = float(after.replies - before.replies);
    let per_second = answers / took.as_secs_f64();
    table.add(
        "ARP replies per second, wall clock",
        "1/s",
        per_second,
        Some(kernel),
        Goal::None,
    );
    let of_one_core = replies / busy.as_secs_f64();
    let goal = Goal::AtLeast(100_000.0);
    table.add(
        "ARP replies per second of one core",
        "1/s",
        of_one_core,
        None,
        goal,
    );
    let cost = busy.as_secs_f64() * 1e6 / replies;
    table.add(
        "processor time per reply",
        "us",
        cost,
        None,
        Goal::AtMost(4.0),
    );
    let lost = float(after.dropped - before.dropped);
    table.add(
        "of the flood, dropped by a full queue",
        "frames",
        lost,
        None,
        Goal::None,
    );
}

fn storm(world: &World, announcer: &Announcer, table: &mut Table) {
    let asker = Asker::new(&world.client, false);
    let questions: Vec<_> = addresses(1000).map(|other| asker.question(other)).collect();
    let (before, busy_before) = (arp(announcer), io_thread_time());
    for _ in 0..150 {
        for question in &questions {
            asker.send(question);
        }
    }
    let busy = milliseconds(io_thread_time_since(busy_before));
    let passed = arp(announcer).received - before.received;
    table.add(
        "150,000 requests for others, processor time",
        "ms",
        busy,
        None,
        Goal::AtMost(3.0),
    );
    table.add(
        "150,000 requests for others, seen",
        "frames",
        float(passed),
        None,
        Goal::AtMost(0.5),
    );
}

/// Asks for `target` for a second, as fast as one thread can: how many answers came back.
fn flood(client: &Host, asker: &Asker, target: IpAddr) -> (f64, Duration) {
    let received = || -> u64 {
        client
            .sh("cat /sys/class/net/eth0/statistics/rx_packets")
            .trim()
            .parse()
            .unwrap()
    };
    let question = asker.question(target);
    let (before, start) = (received(), now());
    while now() - start < Duration::from_secs(2) {
        for _ in 0..100 {
            asker.send(&question);
        }
    }
    let took = now() - start;
    asker.drain();
    (float(received() - before), took)
}

fn arp(announcer: &Announcer) -> Counters {
    announcer
        .interfaces()
        .first()
        .map(|interface| interface.arp)
        .unwrap_or_default()
}

fn addresses(count: u32) -> impl Iterator<Item = IpAddr> {
    let first = Ipv4Addr::new(198, 18, 0, 1).to_bits();
    (first..first + count).map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)))
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a benchmark are far below 2^52"
)]
fn float(count: u64) -> f64 {
    count as f64
}
