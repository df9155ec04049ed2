//! `GoBGP`, spoken to through the command `gobgp`.

use std::fmt::Write as _;

use serde_json::Value;

use super::description::{COMMUNITY, LARGE_COMMUNITY, MED};
use super::process::{ask, ask_json};
use super::{Description, Dialect, Family, Feature, Heard, Neighbor, Place, Session};

/// See the module.
pub(crate) struct GoBgp;

impl Dialect for GoBgp {
    fn programs(&self) -> &'static [(&'static str, &'static str)] {
        &[("gobgpd", "gobgpd"), ("gobgp", "gobgpd")]
    }

    fn lacks(&self, feature: Feature) -> Option<&'static str> {
        match feature {
            Feature::Bfd => Some("GoBGP 3 has no BFD"),
            Feature::Installs => Some("GoBGP writes into the kernel's table only through zebra"),
            Feature::Refresh => Some("GoBGP keeps all that it heard and asks nobody for it again"),
            Feature::Unnumbered => Some("only FRR is asked to find its neighbour"),
            _ => None,
        }
    }

    fn configure(&self, place: &Place, description: &Description) {
        std::fs::write(
            place.scratch.file("gobgpd.toml"),
            configuration(description),
        )
        .unwrap();
    }

    fn commands(&self, place: &Place, _: &Description) -> Vec<String> {
        let directory = place.scratch.path().display();
        vec![format!(
            "gobgpd -f {directory}/gobgpd.toml --api-hosts=127.0.0.1:50051 --pprof-disable -p"
        )]
    }

    fn is_ready(&self, place: &Place, description: &Description) -> bool {
        if ask(&place.host, &["gobgp", "global"]).is_none() {
            return false;
        }
        let ((high, low), [large, one, two]) = (COMMUNITY, LARGE_COMMUNITY);
        for network in &description.networks {
            let family = Family::of(network.addr()).word();
            let line = format!(
                "gobgp global rib add {network} origin igp med {MED} community {high}:{low} \
                 large-community {large}:{one}:{two} -a {family}"
            );
            place.host.sh(&line);
        }
        true
    }

    fn sessions(&self, place: &Place) -> Vec<Session> {
        let neighbors = ask_json(&place.host, &["gobgp", "-j", "neighbor"]);
        let neighbors = neighbors.as_array().into_iter().flatten();
        neighbors
            .map(|neighbor| Session {
                neighbor: neighbor["conf"]["neighbor_address"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                is_established: neighbor["state"]["session_state"] == ESTABLISHED,
                words: neighbor.to_string(),
            })
            .collect()
    }

    fn table(&self, place: &Place) -> Vec<Heard> {
        let tables: [Value; 2] = Family::ALL.map(|family| {
            let words = ["gobgp", "-j", "global", "rib", "-a", family.word()];
            let answer = ask(&place.host, &words).unwrap_or_default();
            serde_json::from_str(&without_companions(&answer)).unwrap_or_default()
        });
        let tables = tables.iter().filter_map(Value::as_object).flatten();
        tables
            .flat_map(|(prefix, paths)| {
                let paths = paths.as_array().into_iter().flatten();
                paths.filter_map(|path| heard(prefix, path))
            })
            .collect()
    }

    // Each path of its table comes with all those of the same UPDATE: for ten thousand that takes ten
    // seconds.
    fn count(&self, place: &Place) -> usize {
        let counts = Family::ALL.map(|family| {
            let words = [
                "gobgp",
                "-j",
                "global",
                "rib",
                "summary",
                "-a",
                family.word(),
            ];
            ask_json(&place.host, &words)["num_path"].as_u64()
        });
        let counts = counts.into_iter().map(Option::unwrap_or_default);
        usize::try_from(counts.sum::<u64>()).unwrap()
    }

    fn refresh(&self, _: &Place, neighbor: &Neighbor, _: Family) {
        panic!("GoBGP cannot ask {}", neighbor.name());
    }
}

fn configuration(description: &Description) -> String {
    let Description { asn, router_id, .. } = description;
    let mut text = format!(
        "[global.config]\nas = {asn}\nrouter-id = \"{router_id}\"\nport = 179\n\
         local-address-list = [\"0.0.0.0\", \"::\"]\n"
    );
    for neighbor in &description.neighbors {
        describe(&mut text, neighbor);
    }
    text
}

fn describe(text: &mut String, neighbor: &Neighbor) {
    let (name, asn, hold_time) = (neighbor.name(), neighbor.asn, neighbor.hold_time);
    write!(
        text,
        "[[neighbors]]\n[neighbors.config]\nneighbor-address = \"{name}\"\npeer-as = {asn}\n"
    )
    .unwrap();
    if let Some(password) = &neighbor.password {
        writeln!(text, "auth-password = \"{password}\"").unwrap();
    }
    write!(
        text,
        "[neighbors.timers.config]\nconnect-retry = 1\nidle-hold-time-after-reset = 1\n\
         hold-time = {hold_time}\nkeepalive-interval = {}\n[neighbors.transport.config]\n",
        hold_time / 3
    )
    .unwrap();
    writeln!(text, "passive-mode = {}", neighbor.has(Feature::Passive)).unwrap();
    if let Some(local) = neighbor.local {
        writeln!(text, "local-address = \"{local}\"").unwrap();
    }
    if neighbor.has(Feature::TtlSecurity) {
        text.push_str("[neighbors.ttl-security.config]\nenabled = true\nttl-min = 255\n");
    }
    if neighbor.has(Feature::Multihop) {
        let hops = neighbor.hops;
        text.push_str("[neighbors.ebgp-multihop.config]\nenabled = true\n");
        writeln!(text, "multihop-ttl = {hops}").unwrap();
    }
    let is_graceful = neighbor.has(Feature::GracefulRestart);
    if is_graceful {
        let notification = neighbor.has(Feature::GracefulNotification);
        text.push_str("[neighbors.graceful-restart.config]\nenabled = true\nrestart-time = 120\n");
        writeln!(text, "notification-enabled = {notification}").unwrap();
    }
    for family in &neighbor.families {
        text.push_str("[[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\n");
        writeln!(text, "afi-safi-name = \"{}-unicast\"", family.word()).unwrap();
        if is_graceful {
            text.push_str("[neighbors.afi-safis.mp-graceful-restart.config]\nenabled = true\n");
        }
        if neighbor.has(Feature::AddPath) {
            text.push_str("[neighbors.afi-safis.add-paths.config]\nreceive = true\n");
        }
    }
}

/// The answer without the lists of prefixes in `MP_REACH_NLRI`: for every path `GoBGP` shows all those
/// that came in the same UPDATE, which for ten thousand routes is 80 MB.
fn without_companions(answer: &str) -> String {
    let mut parts = answer.split(r#""safi":1,"value":["#);
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, part) = part.split_once(']').unwrap();
        rest.push_str(r#""safi":1"#);
        rest.push_str(part);
    }
    rest
}

fn heard(prefix: &str, path: &Value) -> Option<Heard> {
    // Its own routes come from no neighbour.
    let from = path["neighbor-ip"].as_str()?.parse().ok()?;
    let attributes = path["attrs"].as_array()?;
    let attribute = |kind: u64| {
        attributes
            .iter()
            .find(|attribute| attribute["type"] == kind)
    };
    let number = |kind: u64, name: &str| u32::try_from(attribute(kind)?[name].as_u64()?).ok();
    let list = |kind: u64, name: &str| {
        let list = attribute(kind).and_then(|it| it[name].as_array().cloned());
        list.unwrap_or_default()
    };
    let next_hop = |kind: u64| attribute(kind)?["nexthop"].as_str()?.parse().ok();
    let large = list(32, "value");
    let large = large
        .iter()
        .map(|value| ["ASN", "LocalData1", "LocalData2"].map(|name| integer(&value[name])));
    let segments = list(2, "as_paths");
    let segments = segments
        .iter()
        .filter_map(|segment| segment["asns"].as_array());
    Some(Heard {
        prefix: prefix.parse().unwrap(),
        from: Some(from),
        next_hops: next_hop(3).or_else(|| next_hop(14)).into_iter().collect(),
        as_path: segments.flatten().map(integer).collect(),
        communities: list(8, "communities").iter().map(integer).collect(),
        large_communities: large.collect(),
        med: number(4, "metric"),
        local_pref: number(5, "value"),
        is_stale: path["stale"] == true,
    })
}

fn integer(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

const ESTABLISHED: u64 = 6;
