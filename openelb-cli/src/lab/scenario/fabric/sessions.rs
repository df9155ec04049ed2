//! Steps about sessions and routes: the router starts, nodes peer with it, announce and withdraw.

use serde_json::{Value, json};

use super::super::trouble::Trouble;
use super::super::{Outcome, Scenario, until};
use super::join;
use crate::lab::fabric::{self, PEERS, TOR};
use crate::lab::plan::NODE_A;
use crate::lab::router::Router;

/// FRR starts on the router, and waits for the nodes.
pub(super) fn start_router(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let neighbors = fabric::neighbors(play.scene.nodes(), play.has_bfd());
    let tor = play.network.station(TOR).expect("the plan has a router");
    play.router = Some(Router::start(&tor.host, play.files, &neighbors)?);
    let bfd = if play.has_bfd() { ", with BFD" } else { "" };
    Ok(Outcome {
        summary: format!("FRR runs on {TOR}"),
        details: vec![format!("{} neighbors configured{bfd}", neighbors.len())],
        facts: json!({ "neighbors": neighbors.len(), "bfd": play.has_bfd() }),
    })
}

/// The daemons start without a service, and peer with the router over both families.
pub(super) fn establish(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let nodes = play.scene.nodes();
    for node in nodes {
        play.start(node, &fabric::without_service(node, play.has_bfd()))?;
    }
    wait_for_sessions(play)?;
    let mut details = Vec::new();
    for node in nodes {
        details.push(format!("{node}: {} established", PEERS.join(" and ")));
    }
    Ok(Outcome {
        summary: format!("{TOR} and the daemons peer over IPv4 and over IPv6"),
        details,
        facts: json!({ "nodes": nodes, "peers": PEERS }),
    })
}

/// The service enters every node's configuration; the router forwards to all of them.
pub(super) fn announce(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let nodes = play.scene.nodes();
    for node in nodes {
        let config = fabric::with_service(node, play.has_bfd());
        play.node(node)?.reload(&config)?;
    }
    play.pair = fabric::pair().to_vec();
    let routes = play.wait_for_next_hops(nodes.len())?;
    let mut facts = Vec::new();
    let mut details = Vec::new();
    for (address, hops) in routes {
        let paths = play.router()?.paths(address)?;
        details.push(format!("{address:<16} via {}", join(&hops)));
        facts.push(json!({ "address": address, "nextHops": hops, "paths": paths }));
    }
    Ok(Outcome {
        summary: format!(
            "the kernel of {TOR} forwards both addresses to {}",
            nodes.join(" and ")
        ),
        details,
        facts: json!({ "routes": facts }),
    })
}

/// The daemon tells the same: `openelb bgp peers`.
pub(super) fn show(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let report = play.node(NODE_A)?.ask(&["bgp", "peers"])?;
    let peers = report.get("peers").and_then(Value::as_array);
    let line = |peer: &Value| {
        let text = |key: &str| peer.get(key).and_then(Value::as_str).unwrap_or_default();
        let advertised = advertised(peer);
        let (name, remote, state) = (text("name"), text("remote"), text("state"));
        format!("{name}  {remote:<14} {state}, {advertised} route advertised")
    };
    let shown: Vec<_> = peers.into_iter().flatten().collect();
    if shown.len() != PEERS.len() || shown.iter().any(|peer| advertised(peer) != 1) {
        return Err(Trouble::Unexpected {
            expected: "two peers with one route advertised to each".to_owned(),
            seen: report.to_string(),
        });
    }
    Ok(Outcome {
        summary: "`openelb bgp peers` shows both sessions".to_owned(),
        details: shown.iter().map(|peer| line(peer)).collect(),
        facts: json!({ "peers": shown }),
    })
}

/// The service leaves the configuration; the router has no route to it any more.
pub(super) fn withdraw(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    for node in play.scene.nodes() {
        let config = fabric::without_service(node, play.has_bfd());
        play.node(node)?.reload(&config)?;
    }
    for address in fabric::pair() {
        until(&format!("{TOR} has no route to {address}"), || {
            let hops = play.next_hops(address)?;
            Ok(hops.map_or(Ok(()), |hops| Err(format!("it forwards to {hops:?}"))))
        })?;
    }
    wait_for_sessions(play)?;
    Ok(Outcome {
        summary: format!("{TOR} has no route to the service any more"),
        details: vec!["the sessions stay".to_owned()],
        facts: json!({ "unreachable": fabric::pair() }),
    })
}

/// The service is back in the configuration of every node.
pub(super) fn come_back(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    announce(play)
}

/// Waits until every session is up, BFD too where it watches.
pub(super) fn wait_for_sessions(play: &Scenario<'_>) -> Result<(), Trouble> {
    let nodes = play.scene.nodes().len();
    for address in fabric::pair() {
        until(&format!("{nodes} sessions like {address} at {TOR}"), || {
            let established = play.router()?.established(address)?;
            let all = (established == nodes).then_some(());
            Ok(all.ok_or_else(|| format!("{established} established")))
        })?;
    }
    if play.has_bfd() {
        until(&format!("BFD up on {TOR}"), || {
            let up = play.router()?.bfd_up()?;
            let all = (up == 2 * nodes).then_some(());
            Ok(all.ok_or_else(|| format!("{up} up")))
        })?;
    }
    Ok(())
}

/// How many routes a peer was sent.
fn advertised(peer: &Value) -> u64 {
    let families = peer.get("families").and_then(Value::as_array);
    let count = |family: &Value| family.get("advertised").and_then(Value::as_u64);
    families.into_iter().flatten().filter_map(count).sum()
}
