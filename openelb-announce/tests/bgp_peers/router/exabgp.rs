//! `ExaBGP`: it keeps no table, but tells a process what it hears, so the table is made from that.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::Permissions;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;

use ipnet::IpNet;
use serde_json::Value;

use super::description::{COMMUNITY, LARGE_COMMUNITY, MED};
use super::heard::numbers;
use super::{Description, Dialect, Family, Feature, Heard, Neighbor, Place, Remote, Session};
use crate::world::sh;

/// See the module.
pub(crate) struct ExaBgp;

impl Dialect for ExaBgp {
    fn programs(&self) -> &'static [(&'static str, &'static str)] {
        &[("exabgp", "exabgp")]
    }

    fn lacks(&self, feature: Feature) -> Option<&'static str> {
        match feature {
            Feature::Bfd => Some("ExaBGP has no BFD"),
            Feature::Installs => Some("ExaBGP keeps no table"),
            Feature::GracefulRestart | Feature::GracefulNotification => {
                Some("ExaBGP keeps no table, so no stale routes")
            }
            Feature::Unnumbered => Some("ExaBGP does not find neighbours by advertisements"),
            _ => None,
        }
    }

    fn configure(&self, place: &Place, description: &Description) {
        let file = |name: &str| place.scratch.file(name);
        let (commands, said, script) = (file("commands"), file("said"), file("listen"));
        let listen = format!("#!/bin/sh\nexec 3<&0\ncat <&3 >>{said} &\nexec cat <>{commands}\n");
        std::fs::write(&script, listen).unwrap();
        std::fs::set_permissions(&script, Permissions::from_mode(0o700)).unwrap();
        sh(&format!("mkfifo {commands}"));
        let text = configuration(description, &script);
        std::fs::write(file("exabgp.conf"), text).unwrap();
    }

    fn commands(&self, place: &Place, _: &Description) -> Vec<String> {
        // A new process knows nothing of what the one before it was told.
        let _ = std::fs::remove_file(place.scratch.file("said"));
        let configuration = place.scratch.file("exabgp.conf");
        vec![format!(
            "env exabgp.daemon.user=root exabgp.log.level=INFO exabgp.log.all=true \
             exabgp.api.ack=false exabgp.tcp.port=179 exabgp.api.cli=false exabgp {configuration}"
        )]
    }

    fn is_ready(&self, place: &Place, _: &Description) -> bool {
        std::fs::exists(place.scratch.file("said")).unwrap()
    }

    fn sessions(&self, place: &Place) -> Vec<Session> {
        let mut sessions: BTreeMap<String, Session> = BTreeMap::new();
        for line in said(place) {
            let neighbor = line["neighbor"]["address"]["peer"].as_str();
            let neighbor = neighbor.unwrap_or_default().to_owned();
            let session = sessions.entry(neighbor.clone()).or_insert(Session {
                neighbor,
                is_established: false,
                words: String::new(),
            });
            match line["neighbor"]["state"].as_str() {
                Some("up") => session.is_established = true,
                Some("down") => session.is_established = false,
                _ => {}
            }
            if line["type"] != "update" {
                writeln!(session.words, "{line}").unwrap();
            }
        }
        sessions.into_values().collect()
    }

    fn table(&self, place: &Place) -> Vec<Heard> {
        let mut table: BTreeMap<(IpAddr, IpNet, u64), Heard> = BTreeMap::new();
        for line in said(place) {
            let Some(neighbor) = line["neighbor"]["address"]["peer"].as_str() else {
                continue;
            };
            let neighbor: IpAddr = neighbor.parse().unwrap();
            if line["neighbor"]["state"] == "down" {
                table.retain(|(from, ..), _| *from != neighbor);
            }
            let update = &line["neighbor"]["message"]["update"];
            for (_, nlri) in entries(&update["withdraw"]) {
                table.remove(&key(neighbor, nlri));
            }
            let mut is_new = BTreeMap::new();
            for (next_hop, nlri) in entries(&update["announce"]) {
                let key = key(neighbor, nlri);
                let next_hop: IpAddr = next_hop.unwrap().parse().unwrap();
                if is_new.insert(key, ()).is_none() {
                    table.insert(key, heard(key.1, neighbor, &update["attribute"]));
                }
                // A global and a link-local next hop are shown as if they were two.
                table.get_mut(&key).unwrap().next_hops.push(next_hop);
            }
        }
        table.into_values().collect()
    }

    fn refresh(&self, place: &Place, neighbor: &Neighbor, family: Family) {
        let (neighbor, family) = (neighbor.name(), family.word());
        command(
            place,
            &format!("neighbor {neighbor} announce route-refresh {family} unicast"),
        );
    }
}

/// Gives it a line of its own language, as a process that it runs.
pub(crate) fn command(place: &Place, line: &str) {
    std::fs::write(place.scratch.file("commands"), format!("{line}\n")).unwrap();
}

fn configuration(description: &Description, script: &str) -> String {
    let mut text = format!("process table {{\n  run {script};\n  encoder json;\n}}\n");
    for neighbor in &description.neighbors {
        describe(&mut text, description, neighbor);
    }
    text
}

fn describe(text: &mut String, description: &Description, neighbor: &Neighbor) {
    let Remote::Address(address) = neighbor.remote else {
        panic!("ExaBGP cannot find {}", neighbor.name());
    };
    let local = neighbor
        .local
        .expect("ExaBGP has to be told its own address");
    let Description { asn, router_id, .. } = description;
    let (peer_as, hold_time) = (neighbor.asn, neighbor.hold_time);
    write!(
        text,
        "neighbor {address} {{\n  router-id {router_id};\n  local-address {local};\n  \
         local-as {asn};\n  peer-as {peer_as};\n  hold-time {hold_time};\n  listen 179;\n"
    )
    .unwrap();
    if let Some(password) = &neighbor.password {
        writeln!(text, "  md5-password '{password}';").unwrap();
    }
    if neighbor.has(Feature::TtlSecurity) {
        text.push_str("  incoming-ttl 255;\n  outgoing-ttl 255;\n");
    }
    if neighbor.has(Feature::Multihop) {
        writeln!(text, "  outgoing-ttl {};", neighbor.hops).unwrap();
    }
    if neighbor.has(Feature::Passive) {
        text.push_str("  passive true;\n");
    }
    text.push_str("  family {");
    for family in &neighbor.families {
        write!(text, " {} unicast;", family.word()).unwrap();
    }
    text.push_str(" }\n  capability { route-refresh enable;");
    if neighbor.has(Feature::AddPath) {
        text.push_str(" add-path receive;");
    }
    if neighbor.has(Feature::ExtendedNextHop) {
        text.push_str(" nexthop enable;");
    }
    text.push_str(" }\n");
    if neighbor.has(Feature::ExtendedNextHop) {
        text.push_str("  nexthop { ipv4 unicast ipv6; }\n");
    }
    text.push_str(
        "  api { processes [ table ]; neighbor-changes; \
         receive { parsed; open; update; notification; refresh; } }\n",
    );
    announce(text, description, neighbor);
    text.push_str("}\n");
}

fn announce(text: &mut String, description: &Description, neighbor: &Neighbor) {
    let ((high, low), [large, one, two]) = (COMMUNITY, LARGE_COMMUNITY);
    for family in &neighbor.families {
        writeln!(text, "  announce {{ {} {{", family.word()).unwrap();
        for network in &description.networks {
            if Family::of(network.addr()) == *family {
                writeln!(
                    text,
                    "    unicast {network} next-hop self med {MED} community [ {high}:{low} ] \
                     large-community [ {large}:{one}:{two} ];"
                )
                .unwrap();
            }
        }
        text.push_str("  } }\n");
    }
}

/// All that it has told the process, a message a line; the last may be half written.
fn said(place: &Place) -> Vec<Value> {
    let said = std::fs::read_to_string(place.scratch.file("said")).unwrap_or_default();
    said.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// The NLRI in a message, announced ones with their next hop.
fn entries(value: &Value) -> Vec<(Option<&str>, &Value)> {
    let mut entries = Vec::new();
    for (_, family) in value.as_object().into_iter().flatten() {
        entries.extend(
            family
                .as_array()
                .into_iter()
                .flatten()
                .map(|nlri| (None, nlri)),
        );
        for (next_hop, list) in family.as_object().into_iter().flatten() {
            let list = list.as_array().into_iter().flatten();
            entries.extend(list.map(|nlri| (Some(next_hop.as_str()), nlri)));
        }
    }
    entries
}

fn key(neighbor: IpAddr, nlri: &Value) -> (IpAddr, IpNet, u64) {
    let path = nlri["path-information"].as_str().unwrap_or_default();
    let path = numbers(path)
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    (
        neighbor,
        nlri["nlri"].as_str().unwrap().parse().unwrap(),
        path,
    )
}

fn heard(prefix: IpNet, neighbor: IpAddr, attributes: &Value) -> Heard {
    let list = |name: &str| attributes[name].as_array().into_iter().flatten();
    let number = |name: &str| u32::try_from(attributes[name].as_u64()?).ok();
    let integer = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    Heard {
        prefix,
        from: Some(neighbor),
        next_hops: Vec::new(),
        as_path: list("as-path").map(integer).collect(),
        communities: list("community")
            .map(|pair| integer(&pair[0]) << 16 | integer(&pair[1]))
            .collect(),
        large_communities: list("large-community")
            .map(|value| [0, 1, 2].map(|place| integer(&value[place])))
            .collect(),
        med: number("med"),
        local_pref: number("local-preference"),
        is_stale: false,
    }
}
