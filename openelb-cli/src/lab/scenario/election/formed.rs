//! The step before all: the nodes start at once and share the services.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::trouble::Trouble;
use super::super::{Outcome, Scenario};
use super::watch::Watch;
use crate::lab::cluster;
use crate::lab::plan::CLIENT;

/// Every node starts with the same configuration. Each listens, then they share the services; both
/// addresses of a service have the same owner.
pub(super) fn form(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    cluster::make_key(play.files).map_err(|source| Trouble::Client {
        act: "make a key".to_owned(),
        source,
    })?;
    let config = play.configuration();
    let nodes = play.scene.nodes();
    for node in nodes {
        play.launch(node, &config)?;
    }
    for node in &mut play.nodes {
        node.wait_until_it_answers()?;
    }
    let watch = Watch::start(play, &[CLIENT])?;
    let mut shares: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for node in nodes {
        shares.insert(node, Vec::new());
    }
    for (service, [v4, v6]) in cluster::services() {
        let has = |node: &&&str| watch.is_answered_by(CLIENT, v4, play.mac(node));
        let owner = nodes.iter().find(has).copied().unwrap_or("a stranger");
        if !watch.is_answered_by(CLIENT, v6, play.mac(owner)) {
            return Err(Trouble::Unexpected {
                expected: format!("{owner} answers for {v4} and {v6} of {service}"),
                seen: format!("another answers for {v6}"),
            });
        }
        shares.entry(owner).or_default().push(service);
    }
    watch.finish()?;
    let lines = shares.iter().map(|(node, services)| {
        let services = if services.is_empty() {
            "nothing".to_owned()
        } else {
            services.join(", ")
        };
        format!("{node}  answers for {services}")
    });
    Ok(Outcome {
        summary: format!(
            "{} share {} services",
            nodes.join(", "),
            shares.values().flatten().count()
        ),
        details: lines.collect(),
        facts: json!({ "profile": play.profile().name(), "shares": shares }),
    })
}
