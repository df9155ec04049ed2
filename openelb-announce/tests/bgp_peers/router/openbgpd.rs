//! `OpenBGPD`, spoken to through `bgpctl`.

use std::fmt::Write as _;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::description::{COMMUNITY, LARGE_COMMUNITY, MED};
use super::heard::{community, large_community, numbers};
use super::process::{ask, ask_json};
use super::{Description, Dialect, Family, Feature, Heard, Neighbor, Place, Remote, Session};

/// See the module.
pub(crate) struct OpenBgpd;

impl Dialect for OpenBgpd {
    fn programs(&self) -> &'static [(&'static str, &'static str)] {
        &[("/usr/sbin/bgpd", "openbgpd"), ("bgpctl", "openbgpd")]
    }

    fn lacks(&self, feature: Feature) -> Option<&'static str> {
        match feature {
            Feature::Bfd => Some("OpenBGPD has no BFD"),
            Feature::Installs => Some("OpenBGPD on Linux does not write into the kernel's table"),
            Feature::ExtendedNextHop => Some("OpenBGPD 7.7 does not know RFC 8950"),
            Feature::Unnumbered => Some("OpenBGPD does not find neighbours by advertisements"),
            Feature::GracefulNotification => Some("OpenBGPD 7.7 does not know RFC 8538"),
            _ => None,
        }
    }

    fn configure(&self, place: &Place, description: &Description) {
        let path = place.scratch.file("bgpd.conf");
        let text = configuration(description, &place.scratch.file("control"));
        std::fs::write(&path, text).unwrap();
        // It refuses a file that others may read: there are passwords in it.
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        // Two of its three processes are confined to this directory; the package does not make it.
        std::fs::create_dir_all("/run/openbgpd").unwrap();
    }

    fn commands(&self, place: &Place, _: &Description) -> Vec<String> {
        let configuration = place.scratch.file("bgpd.conf");
        vec![format!("/usr/sbin/bgpd -d -v -f {configuration}")]
    }

    fn is_ready(&self, place: &Place, _: &Description) -> bool {
        bgpctl(place, &["show"]).is_some()
    }

    fn sessions(&self, place: &Place) -> Vec<Session> {
        let answer = bgpctl_json(place, &["show", "neighbor"]);
        let neighbors = answer["neighbors"].as_array().into_iter().flatten();
        neighbors
            .map(|neighbor| Session {
                neighbor: neighbor["remote_addr"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                is_established: neighbor["state"] == "Established",
                words: neighbor.to_string(),
            })
            .collect()
    }

    fn table(&self, place: &Place) -> Vec<Heard> {
        let answer = bgpctl_json(place, &["show", "rib", "detail"]);
        let routes = answer["rib"].as_array().into_iter().flatten();
        routes.filter_map(heard).collect()
    }

    fn refresh(&self, place: &Place, neighbor: &Neighbor, _: Family) {
        bgpctl(place, &["neighbor", &neighbor.name(), "refresh"]).unwrap();
    }
}

/// What `bgpctl` answers to one command, or nothing while it cannot be asked.
pub(crate) fn bgpctl(place: &Place, words: &[&str]) -> Option<String> {
    let control = place.scratch.file("control");
    ask(&place.host, &[&["bgpctl", "-s", &control], words].concat())
}

fn bgpctl_json(place: &Place, words: &[&str]) -> Value {
    let control = place.scratch.file("control");
    ask_json(
        &place.host,
        &[&["bgpctl", "-j", "-s", &control], words].concat(),
    )
}

fn configuration(description: &Description, control: &str) -> String {
    let Description { asn, router_id, .. } = description;
    let mut text = format!(
        "AS {asn}\nrouter-id {router_id}\nsocket \"{control}\"\nlog updates\nfib-update no\n"
    );
    let ((high, low), [large, one, two]) = (COMMUNITY, LARGE_COMMUNITY);
    for network in &description.networks {
        writeln!(
            text,
            "network {network} set {{ med {MED} community {high}:{low} \
             large-community {large}:{one}:{two} }}"
        )
        .unwrap();
    }
    for neighbor in &description.neighbors {
        describe(&mut text, neighbor);
    }
    text.push_str("allow from any\nallow to any\n");
    text
}

fn describe(text: &mut String, neighbor: &Neighbor) {
    let Remote::Address(address) = neighbor.remote else {
        panic!("OpenBGPD cannot find {}", neighbor.name());
    };
    let (asn, hold_time) = (neighbor.asn, neighbor.hold_time);
    writeln!(
        text,
        "neighbor {address} {{\n  remote-as {asn}\n  holdtime {hold_time}"
    )
    .unwrap();
    for family in Family::ALL {
        let name = if family == Family::Ipv4 {
            "IPv4"
        } else {
            "IPv6"
        };
        let kind = if neighbor.families.contains(&family) {
            "unicast"
        } else {
            "none"
        };
        writeln!(text, "  announce {name} {kind}").unwrap();
    }
    if let Some(password) = &neighbor.password {
        writeln!(text, "  tcp md5sig password \"{password}\"").unwrap();
    }
    if let Some(local) = neighbor.local {
        writeln!(text, "  local-address {local}").unwrap();
    }
    let extras = [
        (Feature::TtlSecurity, "ttl-security yes".to_owned()),
        (Feature::Multihop, format!("multihop {}", neighbor.hops)),
        (Feature::Passive, "passive".to_owned()),
        (Feature::AddPath, "announce add-path recv yes".to_owned()),
    ];
    for (feature, words) in extras {
        if neighbor.has(feature) {
            writeln!(text, "  {words}").unwrap();
        }
    }
    text.push_str("}\n");
}

fn heard(route: &Value) -> Option<Heard> {
    // Its own routes come from no neighbour: "0.0.0.0" or "::".
    let from: std::net::IpAddr = route["neighbor"]["remote_addr"].as_str()?.parse().ok()?;
    if from.is_unspecified() {
        return None;
    }
    let words = |name: &str| {
        let words = route[name].as_array().into_iter().flatten();
        words.filter_map(Value::as_str)
    };
    let number = |name: &str| u32::try_from(route[name].as_u64()?).ok();
    Some(Heard {
        prefix: route["prefix"].as_str()?.parse().ok()?,
        from: Some(from),
        next_hops: vec![route["exit_nexthop"].as_str()?.parse().ok()?],
        as_path: numbers(route["aspath"].as_str().unwrap_or_default()),
        communities: words("communities").map(community).collect(),
        large_communities: words("large_communities").map(large_community).collect(),
        // Absent is shown as 0.
        med: number("metric").filter(|med| *med != 0),
        local_pref: number("localpref"),
        is_stale: route["stale"] == true,
    })
}
