//! Steps about the allocation: made, repeated, withdrawn, cooling.

use std::net::IpAddr;

use serde_json::json;

use super::trouble::Trouble;
use super::{Outcome, Scenario, until};
use crate::lab::neighbor::{self, Resolution};
use crate::lab::plan::{self, NODE_A, NODE_B, POOL};

/// Node A's daemon starts with a pool and nothing else.
pub(super) fn define_pool(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    play.start(NODE_A, &plan::pool_only())?;
    let shown = play.node(NODE_A)?.ask(&["pool", "show", POOL])?;
    let [v4, v6] = plan::pool();
    Ok(Outcome {
        summary: format!("pool {POOL} is defined on {NODE_A}"),
        details: vec![format!("{v4} and {v6}, announced on layer 2, nothing used")],
        facts: json!({ "node": NODE_A, "pool": shown }),
    })
}

/// The configuration gains a service; it gets an address of each family.
pub(super) fn allocate(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    play.node(NODE_A)?
        .reload(&plan::with_service("Always", &[]))?;
    let pair = until("an address of each family for the service", || {
        let held = held(play)?;
        let dual = held.iter().any(IpAddr::is_ipv4) && held.iter().any(IpAddr::is_ipv6);
        let otherwise = format!("it holds {held:?}");
        Ok(dual.then_some(held).ok_or(otherwise))
    })?;
    if let Some(stray) = pair.iter().find(|address| !in_pool(**address)) {
        let expected = format!("addresses of pool {POOL}");
        return Err(Trouble::Unexpected {
            expected,
            seen: stray.to_string(),
        });
    }
    play.pair.clone_from(&pair);
    Ok(Outcome {
        summary: format!("{} has a dual-stack pair", owner()),
        details: vec![format!("{} from pool {POOL}", join(&pair))],
        facts: json!({ "owner": owner(), "addresses": pair, "pool": POOL }),
    })
}

/// The same wish again changes nothing: not even the generation of the state.
pub(super) fn repeat(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let node = play.node(NODE_A)?;
    let before = node.generation()?;
    node.reload(&plan::with_service("Always", &[]))?;
    let (held, after) = (held(play)?, node.generation()?);
    if held != play.pair || after != before {
        return Err(Trouble::Unexpected {
            expected: format!(
                "{} still holds {} at generation {before}",
                owner(),
                join(&play.pair)
            ),
            seen: format!("it holds {} at generation {after}", join(&held)),
        });
    }
    Ok(Outcome {
        summary: "the same configuration again changes nothing".to_owned(),
        details: vec![format!(
            "{}, state still at generation {after}",
            join(&held)
        )],
        facts: json!({ "owner": owner(), "addresses": held, "generation": after }),
    })
}

/// The service leaves both configurations; nobody answers for its addresses any more.
pub(super) fn withdraw(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    for name in [NODE_A, NODE_B] {
        play.node(name)?.reload(&plan::pool_only())?;
    }
    for &address in &play.pair {
        until(&format!("nobody answers for {address}"), || {
            let end = play.on_client(move || neighbor::resolve(address, super::PATIENCE))?;
            Ok(match end {
                Resolution::Unanswered => Ok(()),
                Resolution::Resolved(mac) => Err(format!("{mac} answers")),
            })
        })?;
    }
    Ok(Outcome {
        summary: format!(
            "{} is removed from both nodes and gone from the wire",
            owner()
        ),
        details: vec![format!(
            "{} no longer resolve at the client",
            join(&play.pair)
        )],
        facts: json!({ "unresolved": play.pair }),
    })
}

/// The addresses are back in the pool, resting before somebody else may have them.
pub(super) fn cool(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    for &address in &play.pair {
        let state = play.node(NODE_A)?.state_of(address)?;
        if state != "Cooling" {
            let expected = format!("{address} is cooling down");
            return Err(Trouble::Unexpected {
                expected,
                seen: state,
            });
        }
    }
    Ok(Outcome {
        summary: format!("the addresses are back in pool {POOL}, cooling down"),
        details: vec![
            "ten minutes before another owner may have them; theirs returns at once".to_owned(),
        ],
        facts: json!({ "addresses": play.pair, "state": "Cooling" }),
    })
}

/// What the service holds on node A, IPv4 first.
fn held(play: &Scenario<'_>) -> Result<Vec<IpAddr>, Trouble> {
    Ok(play.node(NODE_A)?.held_by(&owner())?)
}

fn in_pool(address: IpAddr) -> bool {
    plan::pool().iter().any(|prefix| prefix.contains(&address))
}

fn owner() -> String {
    format!("{}/{}", plan::NAMESPACE, plan::SERVICE)
}

fn join(addresses: &[IpAddr]) -> String {
    addresses
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" and ")
}
