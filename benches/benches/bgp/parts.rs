//! What the codec and the tables cost by themselves, without sockets.

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use openelb_announce::bgp::message::{
    AttributeBlock, DecodeContext, Framer, LIMIT, Update, write_announcements,
};
use openelb_announce::bgp::rib::{AdjRibOut, Rib};
use openelb_announce::bgp::{AsPath, Asn, Attributes, FamilySet, NextHop, Nlri, Prefix};
use openelb_benches::memory;
use openelb_benches::meter::{repeated, timed};

use super::routes::{address, messages_of, route, routes, terms};
use super::table::{Goal, Table};

/// Adds all rows.
pub(crate) fn measure(table: &mut Table) {
    codec(table);
    marking(table);
    sizes(table);
}

fn codec(table: &mut Table) {
    let v6: Vec<Nlri> = (0..ROUTES)
        .map(|it| Prefix::host(address(it).into()).into())
        .collect();
    let v4 = (0..ROUTES).map(|it| Prefix::host(Ipv4Addr::from(0x0a00_0000 + it).into()).into());
    let v4: Vec<Nlri> = v4.collect();
    let ours = NextHop::v6(address(u32::MAX)).unwrap();
    let encode = per_route(&v6, ours);
    table.add(
        "encode a packed /128",
        "ns",
        Some(encode),
        Some(Goal::AtMost(2.5)),
    );
    let encode = per_route(&v4, NextHop::v4([192, 0, 2, 1].into()).unwrap());
    table.add(
        "encode a packed /32",
        "ns",
        Some(encode),
        Some(Goal::AtMost(3.0)),
    );
    let messages = messages_of(0..ROUTES, address(u32::MAX));
    let context = DecodeContext {
        four_octet_as: true,
        families: FamilySet::ALL,
        ebgp: true,
        ..DecodeContext::default()
    };
    let mut framer = Framer::new();
    let mut bodies = Vec::new();
    framer.feed(&messages);
    while let Some(message) = framer.next_message() {
        bodies.push(message.unwrap().body.to_vec());
    }
    let decode = repeated(BUDGET, || {
        let mut lengths = 0_u64;
        for body in &bodies {
            let update = Update::decode(body, &context).unwrap();
            for nlri in update.announced() {
                lengths += u64::from(black_box(nlri).prefix.length());
            }
        }
        lengths
    });
    let rate = f64::from(ROUTES) / decode * 1e3;
    table.add(
        "decode packed /128",
        "million/s",
        Some(rate),
        Some(Goal::AtLeast(200.0)),
    );
}

fn per_route(nlri: &[Nlri], next_hop: NextHop) -> f64 {
    let attributes = Attributes {
        as_path: AsPath::sequence([Asn(64_512)]),
        ..Attributes::default()
    };
    let block = AttributeBlock::new(&attributes, next_hop, true).unwrap();
    let mut out = Vec::with_capacity(1 << 17);
    let all = repeated(BUDGET, || {
        let mut rest = nlri.iter().copied();
        loop {
            // 16 messages to a write, as the driver does it.
            if out.len() > 60_000 {
                black_box(&out);
                out.clear();
            }
            if write_announcements(&mut out, LIMIT, &block, &mut rest).unwrap() == 0 {
                break;
            }
        }
    });
    all / f64::from(ROUTES)
}

/// A route that comes and goes, marked in each of 64 sessions.
fn marking(table: &mut Table) {
    let mut rib = Rib::new();
    drop(rib.replace(routes(0..ROUTES)));
    let new = || AdjRibOut::new(terms(64_512, address(u32::MAX)), &rib);
    let mut sessions: Vec<AdjRibOut> = (0..PEERS).map(|_| new()).collect();
    drain(&rib, &mut sessions);
    let mut number = 0;
    let mut state = (rib, sessions, None);
    let mut samples = Vec::new();
    for _ in 0..2_000 {
        number += 1;
        let (rib, sessions, changes) = &mut state;
        let next = route(ROUTES + number % 2);
        let gone = route(ROUTES + (number + 1) % 2).prefix;
        *changes = Some(rib.change(vec![next], &[gone]));
        let noted = timed(|| {
            for session in sessions.iter_mut() {
                session.note(rib, changes.as_ref().unwrap());
            }
        });
        samples.push(noted.as_secs_f64() * 1e9 / f64::from(PEERS) / 2.0);
        drain(rib, sessions);
    }
    let median = openelb_benches::meter::median(&mut samples);
    table.add(
        "mark a change, each of 64 peers",
        "ns",
        Some(median),
        Some(Goal::AtMost(10.0)),
    );
}

fn drain(rib: &Rib, sessions: &mut [AdjRibOut]) {
    let mut out = Vec::with_capacity(1 << 16);
    for session in sessions {
        while session.fill(rib, &mut out, 65_536).more {
            out.clear();
        }
        out.clear();
    }
}

fn sizes(table: &mut Table) {
    let (small, large) = (Size::measure(ROUTES), Size::measure(10 * ROUTES));
    let at_most = |most| Some(Goal::AtMost(most));
    let rows = [
        (
            "a route, shared by all peers, at 100,000",
            "B",
            small.shared,
            at_most(80.0),
        ),
        (
            "a route, shared by all peers, at 1,000,000",
            "B",
            large.shared,
            at_most(80.0),
        ),
        (
            "a route and further peer, at 1,000,000",
            "B",
            large.further,
            at_most(0.5),
        ),
        ("take a desired route, at 100,000", "ns", small.take, None),
        ("take a desired route, at 1,000,000", "ns", large.take, None),
        (
            "write a route from the table, at 100,000",
            "ns",
            small.write,
            None,
        ),
        (
            "write a route from the table, at 1,000,000",
            "ns",
            large.write,
            None,
        ),
    ];
    for (what, unit, value, goal) in rows {
        table.add(what, unit, Some(value), goal);
    }
    let ratio = (large.take + large.write) / (small.take + small.write);
    let what = "a route of 1,000,000 against one of 100,000, taken and written";
    table.add(what, "ratio", Some(ratio), at_most(2.0));
}

/// What one route of a table costs.
struct Size {
    shared: f64,
    further: f64,
    take: f64,
    write: f64,
}

impl Size {
    fn measure(count: u32) -> Self {
        let before = memory::live() as f64;
        let desired = routes(0..count);
        let mut rib = Rib::new();
        let mut changes = None;
        let take = processor_time(|| changes = Some(rib.replace(desired)));
        drop(changes);
        let shared = memory::live() as f64 - before;
        let before = memory::live() as f64;
        let mut session = AdjRibOut::new(terms(64_512, address(u32::MAX)), &rib);
        let mut out = Vec::with_capacity(1 << 16);
        let write = processor_time(|| {
            while session.fill(&rib, &mut out, 65_536).more {
                black_box(&out);
                out.clear();
            }
        });
        drop(out);
        let further = memory::live() as f64 - before;
        let each = |total: f64| total / f64::from(count);
        let nanoseconds = |span: Duration| each(span.as_secs_f64() * 1e9);
        Self {
            shared: each(shared),
            further: each(further),
            take: nanoseconds(take),
            write: nanoseconds(write),
        }
    }
}

/// How long this thread was on a processor for `work`: of long runs, other work on the machine takes
/// a greater part than of short ones, which would look as if the tables were not linear.
fn processor_time(work: impl FnOnce()) -> Duration {
    let now = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap());
    let start = now();
    work();
    now().saturating_sub(start)
}

const ROUTES: u32 = 100_000;
const PEERS: u32 = 64;
const BUDGET: Duration = Duration::from_millis(500);
