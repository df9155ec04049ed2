//! Our speaker on the same wire: the handle that a front end has, a thread, and real sockets.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use openelb_announce::announcer::speaker::{Speaker, SpeakerConfig, SpeakerOptions};
use openelb_announce::bgp::config::{Config, Peer, Remote, Settings};
use openelb_announce::bgp::{Asn, RouterId};
use openelb_benches::meter::{clock, median};

use super::contender::{Kind, identity};
use super::endpoint::{Identity, Injector, Sink};
use super::frr::{self, Frr};
use super::rivals::{
    IN_FRR, MEMORY, OCTETS, ONE_MEDIAN, ONE_SLOW, PACKING, ROUTES, SYNC, percentiles, sync_values,
};
use super::routes::{messages_of, route, routes};
use super::table::{Goal, Table};
use super::world::{ANNOUNCER, World};

/// The argument with which this program is the process whose memory is measured.
pub(crate) const ARGUMENT: &str = "--memory";

/// Adds our values and their goals.
pub(crate) fn measure(world: &World, table: &mut Table) {
    towards_a_sink(world, table, ROUTES, &SMALL);
    towards_a_sink(world, table, 10 * ROUTES, &LARGE);
    resident_memory(world, table);
    if Frr::is_installed() {
        towards_frr(world, table);
    } else {
        eprintln!("MISSING FRR: nothing is measured towards it; install frr");
    }
}

/// Adds the rows that compare with the others, once they have been measured.
pub(crate) fn compare(table: &mut Table) {
    let at_most = |most| Some(Goal::AtMost(most));
    let ours = table.ours(ONE_MEDIAN);
    let against = |other: Option<f64>| Some(ours? / other?);
    let bird = against(table.other(Kind::Bird, ONE_MEDIAN));
    table.add(
        "one more address against BIRD's configure, median",
        "ratio",
        bird,
        at_most(0.02),
    );
    let gobgp = against(table.other(Kind::GoBgp, ONE_MEDIAN));
    table.add(
        "one more address against GoBGP, median",
        "ratio",
        gobgp,
        at_most(1.0),
    );
}

/// The rows of a first synchronisation, with their goals.
struct Rows {
    span: (&'static str, f64),
    octets: Option<(&'static str, f64)>,
}

const SMALL: Rows = Rows {
    span: (SYNC, 20.0),
    octets: Some((OCTETS, 1.8)),
};
const LARGE: Rows = Rows {
    span: ("1,000,000 /128 to a sink, from session to last route", 60.0),
    octets: None,
};

/// A speaker for receivers 1 to `peers`, which dial it, with `count` routes.
fn speaker(world: &World, peers: u16, count: u32) -> Speaker {
    let start = || Speaker::start(SpeakerOptions::default()).unwrap();
    let speaker = world.announcer.run(start);
    speaker.announce(routes(0..count)).unwrap();
    speaker.synced().unwrap();
    speaker.configure(config(peers)).unwrap();
    speaker
}

fn config(peers: u16) -> SpeakerConfig {
    let router_id: RouterId = "10.0.0.1".parse().unwrap();
    let mut config = Config::new(Asn(64_512), router_id);
    config.listen = vec![(ANNOUNCER, 179).into()];
    let peer = |number| Peer {
        name: format!("receiver{number}").into(),
        remote: Remote::from(identity(number).address),
        settings: Settings {
            passive: true,
            ..Settings::default()
        },
    };
    config.peers = (1..=peers).map(peer).collect();
    config.into()
}

fn dial(world: &World, number: u16) -> Sink {
    Sink::dial(&world.receiver, identity(number), ANNOUNCER)
}

fn towards_a_sink(world: &World, table: &mut Table, count: u32, rows: &Rows) {
    let speaker = speaker(world, 1, count);
    let sink = dial(world, 1);
    let Ok(seen) = sink.wait(count.into(), PATIENCE) else {
        eprintln!("openelb: {:?} of {count} after {PATIENCE:?}", sink.seen());
        return;
    };
    let [span, octets, packing] = sync_values(&seen);
    let (what, most) = rows.span;
    table.add(what, "ms", Some(span), Some(Goal::AtMost(most)));
    let Some((what, most)) = rows.octets else {
        return;
    };
    table.add(what, "MB", Some(octets), Some(Goal::AtMost(most)));
    // The receiver is on the link, so the next hop has 32 octets (RFC 2545) and a message holds 236
    // routes: 424 messages at least.
    let most = f64::from(ROUTES) / 424.0;
    table.add(PACKING, "routes", Some(packing), Some(Goal::AtLeast(most)));
    one_more(&speaker, &sink, table);
}

/// One more route, many times; from the call of the handle to the sink's read.
fn one_more(speaker: &Speaker, sink: &Sink, table: &mut Table) {
    let mut samples = Vec::new();
    for number in ROUTES..ROUTES + ADDITIONS {
        let before = clock();
        speaker.change(vec![route(number)], Vec::new()).unwrap();
        let seen = sink.wait(u64::from(number) + 1, PATIENCE).unwrap();
        let span = seen.last.map(|last| last.saturating_duration_since(before));
        samples.extend(span.map(milliseconds));
        std::thread::sleep(Duration::from_millis(2));
    }
    let [middle, slow] = percentiles(&mut samples);
    table.add(ONE_MEDIAN, "ms", Some(middle), None);
    table.add(ONE_SLOW, "ms", Some(slow), Some(Goal::AtMost(1.0)));
}

/// A process of its own announces to four sinks; what it occupies then.
fn resident_memory(world: &World, table: &mut Table) {
    let mut child = Command::new("ip")
        .args(["netns", "exec", &world.announcer.namespace])
        .arg(std::env::current_exe().unwrap())
        .arg(ARGUMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let sinks: Vec<Sink> = (1..=4).map(|number| dial(world, number)).collect();
    let complete = |sink: &Sink| sink.wait(ROUTES.into(), PATIENCE).is_ok();
    let measured = sinks.iter().all(complete).then(|| reply(&mut child));
    drop((child.kill(), child.wait()));
    table.add(MEMORY, "MiB", measured, Some(Goal::AtMost(20.0)));
}

/// Asks the process what it occupies.
fn reply(child: &mut Child) -> f64 {
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "now").unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    line.trim().parse().unwrap()
}

/// Announces to four peers and, when asked, prints the resident memory of this process in MiB.
pub(crate) fn measure_here() {
    let speaker = Speaker::start(SpeakerOptions::default()).unwrap();
    speaker.announce(routes(0..ROUTES)).unwrap();
    speaker.synced().unwrap();
    speaker.configure(config(4)).unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    println!("{}", super::world::resident(std::process::id()));
    drop(speaker);
}

fn towards_frr(world: &World, table: &mut Table) {
    // In turns, so that other work on this machine hits both alike.
    let (mut limits, mut spans) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        limits.extend(receivers_limit(world));
        spans.extend(received_span(world, ROUTES));
    }
    let middle = |samples: &mut Vec<f64>| (samples.len() == TURNS).then(|| median(samples));
    let (limit, span) = (middle(&mut limits), middle(&mut spans));
    let at_most = |most| Some(Goal::AtMost(most));
    table.add(
        "the same, written by a plain socket: FRR's own limit",
        "ms",
        limit,
        None,
    );
    table.add(IN_FRR, "ms", span, None);
    let ratio = span.zip(limit).map(|(span, limit)| span / limit);
    table.add(
        "last route in FRR against FRR's own limit",
        "ratio",
        ratio,
        at_most(1.1),
    );
    let services = many_services(world);
    table.add(
        "from 1 to 5,000 services, visible in FRR",
        "ms",
        services,
        at_most(1000.0),
    );
}

/// What FRR needs when messages are simply there.
fn receivers_limit(world: &World) -> Option<f64> {
    let std::net::IpAddr::V6(next_hop) = ANNOUNCER else {
        return None;
    };
    let frr = Frr::start(world);
    let me = Identity {
        address: ANNOUNCER,
        asn: 64_514,
    };
    let target = identity(frr::NUMBER).address;
    let messages = messages_of(0..ROUTES, next_hop);
    let mut injector = Injector::dial(&world.announcer, me, target);
    let before = clock();
    injector.send(&messages);
    let received = frr.wait(ROUTES.into(), PATIENCE)?;
    Some(milliseconds(received.complete - before))
}

fn received_span(world: &World, count: u32) -> Option<f64> {
    let speaker = speaker(world, frr::NUMBER, count);
    let frr = Frr::start(world);
    let received = frr.wait(count.into(), PATIENCE)?;
    drop(speaker);
    Some(milliseconds(received.complete - received.established))
}

/// From the call of the handle until FRR has all of them.
fn many_services(world: &World) -> Option<f64> {
    let speaker = speaker(world, frr::NUMBER, 1);
    let frr = Frr::start(world);
    frr.wait(1, PATIENCE)?;
    let before: Instant = clock();
    speaker.announce(routes(0..SERVICES)).unwrap();
    let received = frr.wait(SERVICES.into(), PATIENCE)?;
    Some(milliseconds(received.complete - before))
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

const ADDITIONS: u32 = 500;
const SERVICES: u32 = 5_000;
const TURNS: usize = 3;
const PATIENCE: Duration = Duration::from_mins(1);
