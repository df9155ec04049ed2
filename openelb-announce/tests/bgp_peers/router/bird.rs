//! BIRD 2, spoken to through `birdc`.

use std::fmt::Write as _;

use super::description::{COMMUNITY, LARGE_COMMUNITY, MED};
use super::heard::{large_community, numbers};
use super::process::ask;
use super::{Description, Dialect, Family, Feature, Heard, Neighbor, Place, Remote, Session};

/// See the module.
pub(crate) struct Bird;

impl Dialect for Bird {
    fn programs(&self) -> &'static [(&'static str, &'static str)] {
        &[("bird", "bird2"), ("birdc", "bird2")]
    }

    fn lacks(&self, feature: Feature) -> Option<&'static str> {
        match feature {
            Feature::GracefulNotification => Some("BIRD 2.0 does not know RFC 8538"),
            Feature::Unnumbered => Some("BIRD 2.0 does not find neighbours by advertisements"),
            _ => None,
        }
    }

    fn configure(&self, place: &Place, description: &Description) {
        std::fs::write(place.scratch.file("bird.conf"), configuration(description)).unwrap();
    }

    fn commands(&self, place: &Place, _: &Description) -> Vec<String> {
        let directory = place.scratch.path().display();
        vec![format!(
            "bird -f -c {directory}/bird.conf -s {directory}/control -P {directory}/pid"
        )]
    }

    fn is_ready(&self, place: &Place, _: &Description) -> bool {
        birdc(place, "show status").is_some_and(|answer| answer.contains("Daemon is up"))
    }

    fn sessions(&self, place: &Place) -> Vec<Session> {
        let answer = birdc(place, "show protocols all").unwrap_or_default();
        // One paragraph a protocol; only BGP's name a neighbour.
        answer
            .split("\n\n")
            .filter_map(|words| {
                let neighbor = value(words, "Neighbor address:")?;
                let neighbor = neighbor.split('%').next()?.to_owned();
                let is_established = value(words, "BGP state:")? == "Established";
                Some(Session {
                    neighbor,
                    is_established,
                    words: words.to_owned(),
                })
            })
            .collect()
    }

    fn table(&self, place: &Place) -> Vec<Heard> {
        let neighbors = self.sessions(place);
        let answer = birdc(place, "show route all").unwrap_or_default();
        let mut table = Vec::new();
        let mut prefix = String::new();
        let mut path = String::new();
        for line in answer.lines() {
            if line.starts_with("Table ") || line.is_empty() {
                continue;
            }
            // "PREFIX  unicast [PROTOCOL ..." begins a prefix, "  unicast [..." a further path.
            if line.contains(" [") && !line.starts_with('\t') {
                table.extend(heard(&prefix, &path, &neighbors));
                path.clear();
                if let Some(first) = line.split_whitespace().next()
                    && !line.starts_with(' ')
                {
                    first.clone_into(&mut prefix);
                }
            }
            path.push_str(line);
            path.push('\n');
        }
        table.extend(heard(&prefix, &path, &neighbors));
        table
    }

    fn refresh(&self, place: &Place, neighbor: &Neighbor, _: Family) {
        let protocols = birdc(place, "show protocols all").unwrap();
        let name = protocols.split("\n\n").find_map(|words| {
            let address = value(words, "Neighbor address:")?;
            let names_it = address.split('%').next()? == neighbor.name();
            names_it.then(|| words.split_whitespace().next())?
        });
        birdc(place, &format!("reload in {}", name.unwrap())).unwrap();
    }
}

/// What `birdc` answers to one command, or nothing while it cannot be asked.
pub(crate) fn birdc(place: &Place, command: &str) -> Option<String> {
    let control = place.scratch.file("control");
    let mut words = vec!["birdc", "-s", &control];
    words.extend(command.split_whitespace());
    let answer = ask(&place.host, &words)?;
    // The greeting ends with the word "ready".
    let (_, answer) = answer.split_once(" ready.\n")?;
    Some(answer.to_owned())
}

fn configuration(description: &Description) -> String {
    let mut text = String::new();
    let router_id = description.router_id;
    write!(
        text,
        "log stderr all;\nrouter id {router_id};\nprotocol device {{}}\n\
         protocol direct {{ ipv4; ipv6; }}\nprotocol bfd {{ interface \"*\" {{ interval 300 ms; \
         multiplier 3; }}; }}\n"
    )
    .unwrap();
    for family in Family::ALL {
        let word = family.word();
        let number = if family == Family::Ipv4 { 4 } else { 6 };
        writeln!(text, "protocol static s{number} {{ {word};").unwrap();
        for network in &description.networks {
            if Family::of(network.addr()) == family {
                writeln!(text, "  route {network} blackhole;").unwrap();
            }
        }
        text.push_str("}\n");
        if description.installs {
            let export = "export where source = RTS_BGP";
            writeln!(
                text,
                "protocol kernel k{number} {{ merge paths on; {word} {{ {export}; }}; }}"
            )
            .unwrap();
        }
    }
    let (high, low) = COMMUNITY;
    let [large, one, two] = LARGE_COMMUNITY;
    writeln!(
        text,
        "filter mark {{ if source != RTS_STATIC then reject; bgp_community.add(({high},{low})); \
         bgp_large_community.add(({large},{one},{two})); bgp_med = {MED}; accept; }}"
    )
    .unwrap();
    for (place, neighbor) in description.neighbors.iter().enumerate() {
        describe(&mut text, description.asn, neighbor, place);
    }
    text
}

fn describe(text: &mut String, asn: u32, neighbor: &Neighbor, place: usize) {
    let Remote::Address(address) = neighbor.remote else {
        panic!("BIRD cannot find {}", neighbor.name());
    };
    let hold_time = neighbor.hold_time;
    writeln!(text, "protocol bgp n{place} {{").unwrap();
    match neighbor.local {
        Some(local) => writeln!(text, "  local {local} as {asn};").unwrap(),
        None => writeln!(text, "  local as {asn};").unwrap(),
    }
    writeln!(text, "  neighbor {address} as {};", neighbor.asn).unwrap();
    writeln!(
        text,
        "  hold time {hold_time}; keepalive time {};",
        hold_time / 3
    )
    .unwrap();
    text.push_str("  connect retry time 1; connect delay time 1; error wait time 1, 2;\n");
    if let Some(password) = &neighbor.password {
        writeln!(text, "  password \"{password}\";").unwrap();
    }
    let extras = [
        (Feature::TtlSecurity, "ttl security on;".to_owned()),
        (Feature::Multihop, format!("multihop {};", neighbor.hops)),
        (Feature::Passive, "passive on;".to_owned()),
        (Feature::Bfd, "bfd graceful;".to_owned()),
        (Feature::GracefulRestart, "graceful restart on;".to_owned()),
    ];
    for (feature, words) in extras {
        if neighbor.has(feature) {
            writeln!(text, "  {words}").unwrap();
        }
    }
    for family in &neighbor.families {
        write!(
            text,
            "  {} {{ import all; export filter mark;",
            family.word()
        )
        .unwrap();
        text.push_str(" next hop self;");
        if neighbor.has(Feature::AddPath) {
            text.push_str(" add paths rx;");
        }
        if neighbor.has(Feature::ExtendedNextHop) {
            text.push_str(" extended next hop on;");
        }
        text.push_str(" };\n");
    }
    text.push_str("}\n");
}

/// One path, if a neighbour said it.
fn heard(prefix: &str, path: &str, neighbors: &[Session]) -> Option<Heard> {
    let protocol = path.split_once(" [")?.1.split_whitespace().next()?;
    let is_its = |session: &&Session| session.words.split_whitespace().next() == Some(protocol);
    let session = neighbors.iter().find(is_its)?;
    let number = |name| value(path, name)?.parse().ok();
    let next_hops = value(path, "BGP.next_hop:").unwrap_or_default();
    Some(Heard {
        prefix: prefix.parse().ok()?,
        from: session.neighbor.parse().ok(),
        next_hops: next_hops
            .split_whitespace()
            .map(|address| address.parse().unwrap())
            .collect(),
        as_path: numbers(&value(path, "BGP.as_path:").unwrap_or_default()),
        communities: numbers(&value(path, "BGP.community:").unwrap_or_default())
            .chunks_exact(2)
            .map(|pair| pair[0] << 16 | pair[1])
            .collect(),
        large_communities: value(path, "BGP.large_community:")
            .unwrap_or_default()
            .split_inclusive(')')
            .map(large_community)
            .collect(),
        med: number("BGP.med:"),
        local_pref: number("BGP.local_pref:"),
        // "(100s)": the letter of a stale route behind its preference.
        is_stale: path.lines().next()?.contains("s) ") || path.lines().next()?.contains("s/"),
    })
}

/// What stands behind a name at the beginning of a line.
fn value(words: &str, name: &str) -> Option<String> {
    let mut lines = words.lines();
    let rest = lines.find_map(|line| line.trim_start().strip_prefix(name))?;
    Some(rest.trim().to_owned())
}
