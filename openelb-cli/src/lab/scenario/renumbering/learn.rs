//! The node learns the prefix from a router, and a download begins.

use serde_json::json;

use super::super::trouble::Trouble;
use super::super::{Outcome, PATIENCE, Scenario, until};
use super::{A, Addresses, DOWNLOADS, client, configuration, offered, served};
use crate::lab::download::Download;
use crate::lab::plan::{ISP, NODE_A};
use crate::lab::provider::Provider;

/// The provider advertises A; after the hold-down the service has an address in it.
pub(super) fn learn(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let host = &play.station(ISP).host;
    let provider = Provider::start(host, play.files, &[offered(A)]);
    play.renumbering.provider = Some(provider.map_err(client("start radvd".to_owned()))?);
    play.start(NODE_A, &configuration())?;
    let address = served(A);
    until("an address of the first prefix, announced", || {
        let Addresses { current, .. } = play.addresses()?;
        let state = play.node(NODE_A)?.announcement_of(address.into())?;
        let is_there = current == Some(address.into()) && state == "announced";
        Ok(is_there
            .then_some(())
            .ok_or_else(|| format!("it has {current:?}, {state}")))
    })?;
    let name = play.greeted(address)?;
    Ok(Outcome {
        summary: format!("{NODE_A} learned {A} from the router, and the service is {address}"),
        details: vec![format!(
            "pinned as ::1000; the client connects and meets {name}"
        )],
        facts: json!({ "prefix": A, "address": address, "reached": name }),
    })
}

/// The client downloads from the address.
pub(super) fn download(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let address = served(A);
    let started = play.on_client(move || Download::start(address.into(), DOWNLOADS, PATIENCE));
    let started = started.map_err(client(format!("download from {address}")))?;
    play.renumbering.download = Some(started);
    let octets = play.goes_on()?;
    Ok(Outcome {
        summary: format!("the client downloads from {address}"),
        details: vec!["over one connection that is open from here on".to_owned()],
        facts: json!({ "address": address, "octets": octets }),
    })
}
