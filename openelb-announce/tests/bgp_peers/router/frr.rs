//! FRR: `zebra`, `bfdd` and `bgpd`, spoken to through `vtysh`.

use std::fmt::Write as _;

use serde_json::Value;

use super::description::{COMMUNITY, LARGE_COMMUNITY, MED};
use super::heard::{community, large_community, numbers};
use super::process::ask;
use super::{Description, Dialect, Family, Feature, Heard, Neighbor, Place, Remote, Session};

/// See the module.
pub(crate) struct Frr;

impl Dialect for Frr {
    fn programs(&self) -> &'static [(&'static str, &'static str)] {
        &[
            (BGPD, "frr"),
            (ZEBRA, "frr"),
            (BFDD, "frr"),
            ("vtysh", "frr"),
        ]
    }

    fn lacks(&self, _: Feature) -> Option<&'static str> {
        None
    }

    fn configure(&self, place: &Place, description: &Description) {
        std::fs::write(place.scratch.file("bgpd.conf"), configuration(description)).unwrap();
        std::fs::write(place.scratch.file("bfdd.conf"), BFD).unwrap();
        let owner = nix::unistd::User::from_name("frr").unwrap();
        let owner = owner.expect("the package frr makes the user frr");
        let (user, group) = (owner.uid.as_raw(), owner.gid.as_raw());
        std::os::unix::fs::chown(place.scratch.path(), Some(user), Some(group)).unwrap();
    }

    fn commands(&self, place: &Place, description: &Description) -> Vec<String> {
        let directory = place.scratch.path().display();
        let common = |name: &str| {
            format!(
                "-P 0 -A 127.0.0.1 -z {directory}/zserv.api -i {directory}/{name}.pid \
                 --vty_socket {directory} --log stdout --log-level debugging"
            )
        };
        let mut commands = vec![format!(
            "{ZEBRA} {} -s 90000000 -f /dev/null",
            common("zebra")
        )];
        let mut neighbors = description.neighbors.iter();
        if neighbors.any(|neighbor| neighbor.has(Feature::Bfd)) {
            let common = common("bfdd");
            commands.push(format!(
                "{BFDD} {common} --bfdctl {directory}/bfdd.sock -f {directory}/bfdd.conf"
            ));
        }
        let kernel = if description.installs { "" } else { "-n" };
        let common = common("bgpd");
        commands.push(format!("{BGPD} {common} {kernel} -f {directory}/bgpd.conf"));
        commands
    }

    // Without it `bgpd` tries again only after ten seconds.
    fn inner_socket(&self, place: &Place) -> Option<String> {
        Some(place.scratch.file("zserv.api"))
    }

    fn is_ready(&self, place: &Place, _: &Description) -> bool {
        vtysh(place, "show bgp summary json").is_some_and(|answer| answer.contains('{'))
    }

    fn sessions(&self, place: &Place) -> Vec<Session> {
        let neighbors = vtysh_json(place, "show bgp neighbors json");
        let neighbors = neighbors.as_object().into_iter().flatten();
        neighbors
            .filter(|(_, details)| details.is_object())
            .map(|(neighbor, details)| Session {
                neighbor: neighbor.clone(),
                is_established: details["bgpState"] == "Established",
                words: details.to_string(),
            })
            .collect()
    }

    fn table(&self, place: &Place) -> Vec<Heard> {
        let tables = Family::ALL.map(|family| {
            vtysh_json(
                place,
                &format!("show bgp {} unicast json detail", family.word()),
            )
        });
        let routes = tables
            .iter()
            .filter_map(|table| table["routes"].as_object());
        routes
            .flatten()
            .flat_map(|(prefix, paths)| {
                // The first entry is about the prefix itself.
                let paths = paths.as_array().into_iter().flatten();
                paths.filter_map(|path| heard(prefix, path))
            })
            .collect()
    }

    fn count(&self, place: &Place) -> usize {
        let summaries = vtysh_json(place, "show bgp summary json");
        let summaries = summaries.as_object().into_iter().flatten();
        let peers = summaries.filter_map(|(_, summary)| summary["peers"].as_object());
        let counts = peers
            .flatten()
            .filter_map(|(_, peer)| peer["pfxRcd"].as_u64());
        usize::try_from(counts.sum::<u64>()).unwrap()
    }

    fn refresh(&self, place: &Place, neighbor: &Neighbor, family: Family) {
        let (family, neighbor) = (family.word(), neighbor.name());
        vtysh(
            place,
            &format!("clear bgp {family} unicast {neighbor} soft in"),
        )
        .unwrap();
    }
}

/// What `vtysh` answers to commands, one a line, or nothing while it cannot be asked.
pub(crate) fn vtysh(place: &Place, commands: &str) -> Option<String> {
    let directory = place.scratch.path().to_str().unwrap();
    let mut words = vec!["vtysh", "--vty_socket", directory];
    words.extend(commands.lines().flat_map(|command| ["-c", command]));
    ask(&place.host, &words)
}

fn vtysh_json(place: &Place, command: &str) -> Value {
    let answer = vtysh(place, command).unwrap_or_default();
    serde_json::from_str(&answer).unwrap_or_default()
}

fn configuration(description: &Description) -> String {
    let mut text = String::from("debug bgp neighbor-events\n");
    let Description { asn, router_id, .. } = description;
    write!(
        text,
        "router bgp {asn}\n bgp router-id {router_id}\n no bgp ebgp-requires-policy\n \
         no bgp default ipv4-unicast\n no bgp network import-check\n bgp log-neighbor-changes\n"
    )
    .unwrap();
    let any = |feature| description.neighbors.iter().any(|it| it.has(feature));
    if any(Feature::GracefulRestart) {
        text.push_str(" bgp graceful-restart\n");
        // Its kernel goes on forwarding, and it says so when it is back.
        text.push_str(" bgp graceful-restart preserve-fw-state\n");
    }
    if any(Feature::GracefulNotification) {
        text.push_str(" bgp graceful-restart notification\n");
    }
    for neighbor in &description.neighbors {
        describe(&mut text, neighbor);
    }
    for family in Family::ALL {
        writeln!(text, " address-family {} unicast", family.word()).unwrap();
        text.push_str("  maximum-paths 16\n");
        for neighbor in &description.neighbors {
            activate(&mut text, neighbor, family);
        }
        for network in &description.networks {
            if Family::of(network.addr()) == family {
                writeln!(text, "  network {network} route-map MARK").unwrap();
            }
        }
        text.push_str(" exit-address-family\n");
    }
    let (high, low) = COMMUNITY;
    let [large, one, two] = LARGE_COMMUNITY;
    write!(
        text,
        "route-map MARK permit 10\n set community {high}:{low}\n \
         set large-community {large}:{one}:{two}\n set metric {MED}\n"
    )
    .unwrap();
    text
}

fn describe(text: &mut String, neighbor: &Neighbor) {
    let (name, asn, hold_time) = (neighbor.name(), neighbor.asn, neighbor.hold_time);
    match neighbor.remote {
        Remote::Address(_) => writeln!(text, " neighbor {name} remote-as {asn}"),
        Remote::Interface(_) => writeln!(text, " neighbor {name} interface remote-as {asn}"),
    }
    .unwrap();
    writeln!(text, " neighbor {name} timers connect 1").unwrap();
    writeln!(
        text,
        " neighbor {name} timers {} {hold_time}",
        hold_time / 3
    )
    .unwrap();
    if let Some(password) = &neighbor.password {
        writeln!(text, " neighbor {name} password {password}").unwrap();
    }
    if let Some(local) = neighbor.local {
        writeln!(text, " neighbor {name} update-source {local}").unwrap();
    }
    let extras = [
        (Feature::TtlSecurity, "ttl-security hops 1".to_owned()),
        (
            Feature::Multihop,
            format!("ebgp-multihop {}", neighbor.hops),
        ),
        (Feature::Passive, "passive".to_owned()),
        (Feature::Bfd, "bfd profile swift".to_owned()),
        (
            Feature::ExtendedNextHop,
            "capability extended-nexthop".to_owned(),
        ),
    ];
    for (feature, words) in extras {
        if neighbor.has(feature) {
            writeln!(text, " neighbor {name} {words}").unwrap();
        }
    }
}

fn activate(text: &mut String, neighbor: &Neighbor, family: Family) {
    let name = neighbor.name();
    if neighbor.families.contains(&family) {
        writeln!(text, "  neighbor {name} activate").unwrap();
        // FRR offers to receive several paths unless it is told not to.
        if !neighbor.has(Feature::AddPath) {
            writeln!(text, "  neighbor {name} disable-addpath-rx").unwrap();
        }
    }
}

fn heard(prefix: &str, path: &Value) -> Option<Heard> {
    let next_hops = path["nexthops"].as_array()?.iter();
    let next_hops = next_hops.filter_map(|next_hop| next_hop["ip"].as_str()?.parse().ok());
    let listed = |name: &str| path[name]["string"].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| u32::try_from(path[name].as_u64()?).ok();
    Some(Heard {
        prefix: prefix.parse().unwrap(),
        from: path["peer"]["peerId"].as_str()?.parse().ok(),
        next_hops: next_hops.collect(),
        as_path: numbers(&listed("aspath")),
        communities: listed("community")
            .split_whitespace()
            .map(community)
            .collect(),
        large_communities: listed("largeCommunity")
            .split_whitespace()
            .map(large_community)
            .collect(),
        med: number("metric").or_else(|| number("med")),
        local_pref: number("locPrf").or_else(|| number("localpref")),
        is_stale: path["stale"] == true,
    })
}

const ZEBRA: &str = "/usr/lib/frr/zebra";
const BFDD: &str = "/usr/lib/frr/bfdd";
const BGPD: &str = "/usr/lib/frr/bgpd";
/// 300 ms, three times.
const BFD: &str = "\
bfd
 profile swift
  detect-multiplier 3
  receive-interval 300
  transmit-interval 300
";
