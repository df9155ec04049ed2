//! Pods reach each other over routes that the nodes tell each other.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::{Value, json};

use super::serving::expect;
use super::traffic::{describe, finish_streams};
use crate::lab::clock::Stopwatch;
use crate::lab::host::Host;
use crate::lab::kubernetes::objects;
use crate::lab::kubernetes::plan::{self, NODES};
use crate::lab::kubernetes::pod::{self, Pod};
use crate::lab::kubernetes::stage::{self, Stage};
use crate::lab::plan::{CLIENT, PORT};
use crate::lab::probe::{self, Stream, StreamReport};
use crate::lab::scenario::trouble::Trouble;
use crate::lab::scenario::{Outcome, until};

/// The network is given; every node gets its prefixes. The second node lists IPv6 first, the third has
/// IPv6 alone and brings its prefix along.
pub(super) fn allocate(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    if let Some(missing) = pod::missing() {
        let act = format!("find {missing}; install containernetworking-plugins");
        let source = std::io::ErrorKind::NotFound.into();
        return Err(Trouble::Client { act, source });
    }
    let [_, second, third] = NODES;
    let [v4, v6] = plan::addresses(second);
    set_addresses(stage, second, &[v6, v4])?;
    let [_, v6] = plan::addresses(third);
    set_addresses(stage, third, &[v6])?;
    let own = json!({"spec": {"podCIDR": BROUGHT, "podCIDRs": [BROUGHT]}});
    stage::patch(&stage.plane, &["node", third], &own)?;
    stage.apply(NETWORK)?;
    let cidrs = wait_for_cidrs(stage)?;
    let is_brought = cidrs.get(third).is_some_and(|it| it == &[net(BROUGHT)]);
    expect(is_brought, "the prefix that the node brought", &cidrs)?;
    let network = until("every prefix is on record", || {
        let network = stage.read("podnetwork default")?;
        let used = network.pointer("/status/used").and_then(Value::as_object);
        let count = used.map_or(0, serde_json::Map::len);
        Ok((count == 5)
            .then_some(network)
            .ok_or_else(|| format!("{count} are")))
    })?;
    Ok(Outcome {
        summary: "every node has pod CIDRs: two of them of both families, one of IPv6 alone"
            .to_owned(),
        details: lines(&cidrs),
        facts: json!({ "cidrs": texts(&cidrs), "status": network.get("status") }),
    })
}

/// Every node's kernel has routes to the pods of all others, in every family.
pub(super) fn mesh(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let cidrs = cidrs(stage)?;
    for node in NODES {
        wait_for_routes(stage, node, &others(&cidrs, node))?;
    }
    Ok(Outcome {
        summary:
            "the nodes speak with each other, and each kernel has the routes to all others' pods"
                .to_owned(),
        details: Vec::new(),
        facts: json!({ "routes": NODES.map(|node| (node, others(&cidrs, node).len())) }),
    })
}

/// A pod on every node, attached by the bridge plugin with the configuration of a speaker.
pub(super) fn attach(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let cidrs = cidrs(stage)?;
    for node in NODES {
        let prefixes = cidrs.get(node).map(Vec::as_slice).unwrap_or_default();
        let attached = Pod::attach(node, &stage.station(node).host, prefixes, stage.files);
        stage
            .pods
            .push(attached.map_err(stage::io_trouble("attach a pod"))?);
    }
    let lines = stage
        .pods
        .iter()
        .map(|pod| format!("{:<4} {:?}", pod.node, pod.addresses));
    Ok(Outcome {
        summary: "a pod on every node has addresses of the node's prefixes".to_owned(),
        details: lines.collect(),
        facts: json!(NODES),
    })
}

/// Every pod is answered by every other, in every family that both have.
pub(super) fn reach(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let mut details = Vec::new();
    for (from, to, address) in pairs(&stage.pods) {
        let answer = until(
            &format!("the pod of {} answers {}", to.node, from.node),
            || {
                let asked = from.host.run(move || probe::ask(address, PORT, PATIENCE));
                Ok(asked.map_err(|error| format!("{address}: {error}")))
            },
        )?;
        expect(answer == to.node, "the answer of that pod", &answer)?;
        details.push(format!("{} -> {} at {address}", from.node, to.node));
    }
    Ok(Outcome {
        summary: format!("pods reach each other across nodes: {} ways", details.len()),
        facts: json!(details),
        details,
    })
}

/// The router outside has every prefix in the table of its family, and no other.
pub(super) fn learn(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let cidrs = cidrs(stage)?;
    let all: BTreeSet<IpNet> = cidrs.values().flatten().copied().collect();
    let mut facts = BTreeMap::new();
    for (family, is_v4) in [("ipv4", true), ("ipv6", false)] {
        let wanted = all.iter().filter(|cidr| cidr.addr().is_ipv4() == is_v4);
        let wanted: BTreeSet<IpNet> = wanted.copied().collect();
        let seen = until(
            &format!("the router has {wanted:?} as {family} routes"),
            || {
                let table = stage.router.ask(&format!("show bgp {family} unicast"))?;
                let routes = table.get("routes").and_then(Value::as_object);
                let found = routes
                    .into_iter()
                    .flatten()
                    .filter_map(|(prefix, _)| prefix.parse().ok());
                let found: BTreeSet<IpNet> = found.collect();
                let pods = found
                    .into_iter()
                    .filter(is_of_pods)
                    .collect::<BTreeSet<_>>();
                Ok((pods == wanted)
                    .then_some(pods.len())
                    .ok_or_else(|| format!("{pods:?}")))
            },
        )?;
        facts.insert(family, seen);
    }
    Ok(Outcome {
        summary: "FRR has every pod CIDR in the table of its own family".to_owned(),
        details: Vec::new(),
        facts: json!(facts),
    })
}

/// The speaker of a node is killed and started again: nothing is lost meanwhile.
pub(super) fn restart(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let [_, node, _] = NODES;
    start_streams(stage, node)?;
    stage.kill_speaker(node);
    std::thread::sleep(AWAY);
    stage.start_speaker(node)?;
    let cidrs = cidrs(stage)?;
    let routes = wait_for_routes(stage, node, &others(&cidrs, node));
    // Long enough for whatever a speaker that starts could take away by mistake.
    std::thread::sleep(AWAY);
    let reports = finish_streams(stage)?;
    routes?;
    let lost = lost(&reports);
    expect(
        lost.values().all(|lost| *lost <= NOISE),
        "nothing lost while a speaker restarts",
        &lost,
    )?;
    Ok(Outcome {
        summary: format!(
            "the speaker of {node} was killed and started again: {} lost",
            in_words(&lost)
        ),
        details: reports.iter().map(describe).collect(),
        facts: json!({ "node": node, "lost_ms": lost, "streams": reports }),
    })
}

/// A node leaves the cluster and comes back: its routes and its record go and come, and nobody else
/// notices.
pub(super) fn leave(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let [first, node, third] = NODES;
    let before = cidrs(stage)?;
    start_streams(stage, node)?;
    let own = stage.streams.len();
    // What may notice: the pods that stay, and the client outside, which has both families.
    start_streams(stage, third)?;
    start_streams_outside(stage, first)?;
    stage.kubectl(&format!("delete node {node} --timeout=60s"))?;
    let mut left = before.clone();
    let had = left.remove(node).unwrap_or_default();
    let gone = wait_for_routes(stage, first, &others(&left, first));
    let freed = wait_until_freed(stage, node);
    stage.apply(&objects::node(node))?;
    let [v4, v6] = plan::addresses(node);
    set_addresses(stage, node, &[v6, v4])?;
    gone?;
    freed?;
    let after = wait_for_cidrs(stage)?;
    for name in NODES {
        wait_for_routes(stage, name, &others(&after, name))?;
    }
    expect(
        after.get(node) == Some(&had),
        "the lowest free prefixes",
        &after,
    )?;
    let reached = reach(stage);
    let reports = finish_streams(stage)?;
    reached?;
    let (own, others) = reports.split_at(own);
    let (missed, lost) = (lost(own), lost(others));
    expect(
        lost.values().all(|lost| *lost <= NOISE),
        "nothing lost between those that stay",
        &lost,
    )?;
    Ok(Outcome {
        summary: format!(
            "{node} left and came back: {} without its pod, others lost {}",
            in_words(&missed),
            in_words(&lost)
        ),
        details: reports.iter().map(describe).collect(),
        facts: json!({ "node": node, "missed_ms": missed, "lost_ms": lost, "streams": reports }),
    })
}

/// The network goes: no node announces pods, and no kernel has routes to them.
pub(super) fn remove(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    stage.pods.clear();
    stage.kubectl("delete podnetwork default --timeout=60s")?;
    for node in NODES {
        wait_for_routes(stage, node, &BTreeSet::new())?;
        set_addresses(stage, node, &plan::addresses(node))?;
        stage::patch_status(
            &stage.plane,
            &["pod", &format!("web-{node}")],
            &objects::pod_status(node, true),
        )?;
    }
    Ok(Outcome {
        summary: "without the network no kernel has routes to pods".to_owned(),
        details: Vec::new(),
        facts: Value::Null,
    })
}

type Cidrs = BTreeMap<String, Vec<IpNet>>;

/// The pod CIDRs in the specifications of the nodes.
fn cidrs(stage: &Stage<'_>) -> Result<Cidrs, Trouble> {
    let list = stage.read("nodes")?;
    let nodes = list.get("items").and_then(Value::as_array);
    let of = |node: &Value| {
        let name = node.pointer("/metadata/name")?.as_str()?.to_owned();
        let cidrs = node.pointer("/spec/podCIDRs")?.as_array()?;
        let cidrs = cidrs.iter().filter_map(|it| it.as_str()?.parse().ok());
        Some((name, cidrs.collect()))
    };
    Ok(nodes.into_iter().flatten().filter_map(of).collect())
}

fn wait_for_cidrs(stage: &Stage<'_>) -> Result<Cidrs, Trouble> {
    until("every node has pod CIDRs", || {
        let found = cidrs(stage)?;
        let is_whole = NODES.iter().all(|node| found.contains_key(*node));
        Ok(is_whole
            .then_some(found.clone())
            .ok_or_else(|| format!("{found:?}")))
    })
}

fn others(cidrs: &Cidrs, node: &str) -> BTreeSet<IpNet> {
    let others = cidrs.iter().filter(|(name, _)| *name != node);
    others.flat_map(|(_, cidrs)| cidrs).copied().collect()
}

/// Waits until the kernel of a node has exactly these routes of ours.
fn wait_for_routes(
    stage: &Stage<'_>,
    node: &'static str,
    wanted: &BTreeSet<IpNet>,
) -> Result<(), Trouble> {
    until(
        &format!("the kernel of {node} has routes to {wanted:?}"),
        || {
            let read = stage.station(node).host.run(installed);
            let found = read.map_err(stage::io_trouble("read the routes of a kernel"))?;
            Ok((found == *wanted)
                .then_some(())
                .ok_or_else(|| format!("{found:?}")))
        },
    )
}

/// Waits until the record has nothing for a node.
fn wait_until_freed(stage: &Stage<'_>, node: &str) -> Result<(), Trouble> {
    until("the record of the node is gone", || {
        let network = stage.read("podnetwork default")?;
        let used = network.pointer("/status/used").and_then(Value::as_object);
        let mut owners = used.into_iter().flatten().map(|(_, owner)| owner);
        let is_there = owners.any(|owner| owner == node);
        Ok((!is_there)
            .then_some(())
            .ok_or_else(|| "it is there".to_owned()))
    })
}

/// The routes of the speaker in the kernel of the calling thread's host.
fn installed() -> std::io::Result<BTreeSet<IpNet>> {
    let mut found = BTreeSet::new();
    for family in ["-4", "-6"] {
        let mut command = Command::new("ip");
        command.args([family, "-j", "route", "show", "proto", PROTOCOL]);
        let output = command.output()?;
        let routes: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let destinations = routes.as_array().into_iter().flatten();
        let destinations =
            destinations.filter_map(|route| route.get("dst")?.as_str()?.parse::<IpNet>().ok());
        found.extend(destinations);
    }
    Ok(found)
}

/// Who can ask whom at which address.
fn pairs(pods: &[Pod]) -> Vec<(&Pod, &Pod, IpAddr)> {
    let all = pods
        .iter()
        .flat_map(|from| pods.iter().map(move |to| (from, to)));
    let different = all.filter(|(from, to)| from.node != to.node);
    let ways = different.flat_map(|(from, to)| {
        let both = to.addresses.iter();
        let both = both.filter(|address| from.address_like(**address).is_some());
        both.map(move |address| (from, to, *address))
    });
    ways.collect()
}

/// The first pod begins to ask the pod of a node at each of its addresses.
fn start_streams(stage: &mut Stage<'_>, node: &str) -> Result<(), Trouble> {
    let clock = stage.clock;
    let ways = pairs(&stage.pods);
    let ways = ways
        .into_iter()
        .filter(|(from, to, _)| from.node == NODES[0] && to.node == node);
    let streams = ways.map(|(from, _, address)| start_stream(&from.host, address, clock));
    let streams: Vec<_> = streams.collect::<Result<_, _>>()?;
    stage.streams.extend(streams);
    Ok(())
}

/// The client begins to ask the pod of a node at each of its addresses, through the router.
fn start_streams_outside(stage: &mut Stage<'_>, node: &str) -> Result<(), Trouble> {
    let clock = stage.clock;
    let client = &stage.station(CLIENT).host;
    let of_node = stage.pods.iter().filter(|pod| pod.node == node);
    let addresses = of_node.flat_map(|pod| &pod.addresses);
    let streams = addresses.map(|address| start_stream(client, *address, clock));
    let streams: Vec<_> = streams.collect::<Result<_, _>>()?;
    stage.streams.extend(streams);
    Ok(())
}

fn start_stream(from: &Host, address: IpAddr, clock: Stopwatch) -> Result<Stream, Trouble> {
    let started = from.run(move || Stream::start(address, PORT, INTERVAL, clock));
    let act = format!("ask {address}");
    started.map_err(|source| Trouble::Client { act, source })
}

fn in_words(lost: &BTreeMap<&'static str, u64>) -> String {
    let words = lost.iter().map(|(family, lost)| {
        let family = family.replace("ip", "IP");
        format!("{lost} ms over {family}")
    });
    words.collect::<Vec<_>>().join(" and ")
}

/// The most that a stream of each family lost, in milliseconds.
fn lost(reports: &[StreamReport]) -> BTreeMap<&'static str, u64> {
    let mut most = BTreeMap::new();
    for report in reports {
        let family = if report.address.is_ipv4() {
            "ipv4"
        } else {
            "ipv6"
        };
        let lost = report.lost as u64 * report.interval_us / 1_000;
        let most = most.entry(family).or_insert(lost);
        *most = lost.max(*most);
    }
    most
}

fn set_addresses(stage: &Stage<'_>, node: &str, addresses: &[IpAddr]) -> Result<(), Trouble> {
    let mut status = objects::node_status(node);
    let internal = |address: &IpAddr| json!({"type": "InternalIP", "address": address});
    let addresses: Vec<_> = addresses.iter().map(internal).collect();
    if let Some(written) = status.pointer_mut("/status/addresses") {
        *written = json!(addresses);
    }
    stage::patch_status(&stage.plane, &["node", node], &status)?;
    Ok(())
}

fn is_of_pods(cidr: &IpNet) -> bool {
    [V4, V6].map(net).iter().any(|range| range.contains(cidr))
}

fn lines(cidrs: &Cidrs) -> Vec<String> {
    let lines = cidrs
        .iter()
        .map(|(node, cidrs)| format!("{node:<4} {cidrs:?}"));
    lines.collect()
}

fn texts(cidrs: &Cidrs) -> BTreeMap<&str, Vec<String>> {
    let texts = |cidrs: &Vec<IpNet>| cidrs.iter().map(ToString::to_string).collect();
    cidrs
        .iter()
        .map(|(node, cidrs)| (node.as_str(), texts(cidrs)))
        .collect()
}

fn net(text: &str) -> IpNet {
    text.parse().expect("the prefixes of the plan are prefixes")
}

const V4: &str = "10.250.0.0/16";
const V6: &str = "fd00:10:250::/56";

/// What the third node has from elsewhere.
const BROUGHT: &str = "fd00:10:250:33::/64";

const NETWORK: &str = "---\n\
    apiVersion: network.kubesphere.io/v1alpha2\n\
    kind: PodNetwork\n\
    metadata: {name: default}\n\
    spec:\n  \
      ranges: [10.250.0.0/16, 'fd00:10:250::/56']\n  \
      mesh: {enabled: true}\n  \
      kernelRoutes: {enabled: true}\n";

/// Under which the speakers' routes are in the kernel.
const PROTOCOL: &str = "112";

const PATIENCE: Duration = Duration::from_secs(1);
const INTERVAL: Duration = Duration::from_millis(1);

/// Long enough that every peer notices.
const AWAY: Duration = Duration::from_secs(2);

/// A machine that is busy drops datagrams by itself, in milliseconds of questions.
const NOISE: u64 = 20;
