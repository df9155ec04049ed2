//! The step about a stranger: a host that claims the service's addresses is seen and answered.

use std::net::{IpAddr, UdpSocket};

use ipnet::IpNet;
use serde_json::json;

use super::trouble::Trouble;
use super::{Outcome, Scenario, presence, until};
use crate::lab::plan::{self, NODE_B, STRANGER};
use crate::lab::station::{Check, Station};

/// The stranger takes the service's addresses. IPv4 has no check that a kernel makes, so it speaks
/// and is contradicted; for IPv6 its kernel asks first and is told.
pub(super) fn contest(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let stranger = play
        .network
        .station(STRANGER)
        .expect("the plan has a stranger");
    let mut details = Vec::new();
    let mut facts = Vec::new();
    for &address in &play.pair {
        let defended = match address {
            IpAddr::V4(_) => speak(play, stranger, address)?,
            IpAddr::V6(_) => ask_first(stranger, address)?,
        };
        stranger.disown(address)?;
        presence::leads_to(play, address, NODE_B)?;
        details.push(format!("{address:<13} {defended}"));
        facts.push(json!({ "address": address, "defended": defended }));
    }
    let reached = presence::reached(play, NODE_B)?;
    Ok(Outcome {
        summary: format!("{STRANGER} claims both addresses and does not get them"),
        details,
        facts: json!({ "claims": facts, "reached": reached }),
    })
}

/// The stranger uses an IPv4 address; the daemon sees it, defends the address and says so.
fn speak(play: &Scenario<'_>, stranger: &Station, address: IpAddr) -> Result<String, Trouble> {
    stranger.own(IpNet::from(address), Check::Skip)?;
    let client = plan::address_of(play.network, plan::CLIENT, address);
    let client = client.expect("the client has an address of either family");
    let spoken = stranger.host.run(move || {
        // To reach the client its kernel asks for the client, in the name of the address.
        UdpSocket::bind((address, 0))?.send_to(&[0], (client, plan::PORT))
    });
    spoken.map_err(|source| Trouble::Client {
        act: format!("speak as {address}"),
        source,
    })?;
    let mac = stranger.plan.mac.to_string();
    until(
        &format!("{NODE_B} reports that {mac} uses {address}"),
        || {
            let state = play.node(NODE_B)?.announcement_of(address)?;
            let is_named = state.contains(&mac).then_some(());
            Ok(is_named.ok_or_else(|| format!("it reports: {state}")))
        },
    )?;
    Ok(format!(
        "{NODE_B} saw {mac} use it, defended it and reports it"
    ))
}

/// The stranger's kernel asks before it uses an IPv6 address, and gives it up.
fn ask_first(stranger: &Station, address: IpAddr) -> Result<String, Trouble> {
    stranger.set_sysctl("ipv6/conf/eth0/accept_dad", "1")?;
    stranger.own(IpNet::from(address), Check::Duplicates)?;
    until("the stranger's kernel finds a duplicate", || {
        let is_duplicate = stranger.is_duplicate(address)?.then_some(());
        Ok(is_duplicate.ok_or_else(|| "it does not".to_owned()))
    })?;
    Ok(format!(
        "the stranger's kernel asked, {NODE_B} answered, it gave up (DAD failed)"
    ))
}
