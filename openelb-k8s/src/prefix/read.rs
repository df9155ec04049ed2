//! The fields of a `DynamicPrefix`, one by one.

use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::Ipv6Net;
use openelb_announce::upstream::{RouteKind, Routes};
use openelb_ipam::dynamic_prefix::{Derivation, Part, Scope, Settings};

use super::Source;
use crate::api::{
    DnsSource, DynamicPrefixSpec, HttpSource, LeaseFormat, LeaseSource, PrefixScope, PrefixSource,
    PrefixSubnet, RouteSource, RouteType, RouterAdvertisementSource,
};
use crate::problem::{Reason, Remarks};
use crate::written;

/// How the prefix is followed; what cannot be right keeps its default and is remarked on.
pub(super) fn settings(spec: &DynamicPrefixSpec, remarks: &mut Remarks) -> Settings {
    let default = Settings::default();
    let subnet = spec.subnet.clone().unwrap_or_default();
    let derivation = derivation(&subnet, remarks);
    let hold_down = spec.hold_down.as_deref();
    let hold_down = written::duration("spec.holdDown", hold_down, LONGEST_HOLD_DOWN, remarks);
    let grace = written::duration("spec.grace", spec.grace.as_deref(), LONGEST_GRACE, remarks);
    let bounds = 0..=MOST_GENERATIONS;
    let generations = written::number("spec.generations", spec.generations, bounds, remarks);
    Settings {
        derivation,
        hold_down: hold_down.unwrap_or(default.hold_down),
        grace: grace.unwrap_or(default.grace),
        generations: generations.map_or(default.generations, |number: u8| number.into()),
        scope: match spec.scope {
            PrefixScope::GlobalFirst => Scope::GlobalFirst,
            PrefixScope::Global => Scope::Global,
            PrefixScope::UniqueLocal => Scope::UniqueLocal,
            PrefixScope::Any => Scope::Any,
        },
        ..default
    }
}

/// Every source; one that cannot be right is remarked on and left out.
pub(super) fn sources(written: &[PrefixSource], remarks: &mut Remarks) -> Vec<Source> {
    if written.is_empty() {
        let next = "write one, such as `address: {interface: wan0}`";
        remarks.invalid("spec.sources", "no source", next);
    }
    if written.len() > MOST_SOURCES {
        let message = format!("{} sources", written.len());
        remarks.invalid("spec.sources", message, format!("keep {MOST_SOURCES}"));
    }
    let reads_input = |source: &&PrefixSource| {
        let file = source.file.as_ref();
        file.is_some_and(|file| file.path == STANDARD_INPUT)
    };
    if written.iter().filter(reads_input).count() > 1 {
        let message = "standard input is listed twice";
        remarks.invalid("spec.sources", message, "remove one of them");
    }
    let sources = written.iter().enumerate();
    let read = sources.map(|(index, source)| self::source(index, source, remarks));
    read.collect::<Vec<_>>().into_iter().flatten().collect()
}

fn source(index: usize, written: &PrefixSource, remarks: &mut Remarks) -> Option<Source> {
    let key = format!("spec.sources[{index}]");
    let PrefixSource {
        address,
        route,
        router_advertisement,
        lease,
        http,
        dns,
        file,
        fixed,
    } = written;
    let mut found = Vec::new();
    if let Some(address) = address {
        let key = format!("{key}.address.interface");
        let read = interface(&key, &address.interface, remarks);
        found.push(read.map(|interface| Source::Address { interface }));
    }
    if let Some(route) = route {
        found.push(self::route(&key, route, remarks));
    }
    if let Some(advertisement) = router_advertisement {
        found.push(self::advertisement(&key, advertisement, remarks));
    }
    if let Some(lease) = lease {
        found.push(self::lease(&key, lease, remarks));
    }
    if let Some(http) = http {
        found.push(Some(self::http(&key, http, remarks)));
    }
    if let Some(dns) = dns {
        found.push(self::dns(&key, dns, remarks));
    }
    if let Some(file) = file {
        let key = format!("{key}.file.path");
        let path = path(&key, &file.path, remarks);
        let is_input = file.path == STANDARD_INPUT;
        found.push(path.map(|path| Source::File {
            path: Some(path).filter(|_| !is_input),
        }));
    }
    if let Some(fixed) = fixed {
        let key = format!("{key}.static.prefix");
        let prefix = prefix(&key, &fixed.prefix, remarks);
        found.push(prefix.map(|prefix| Source::Static { prefix }));
    }
    match found.len() {
        1 => found.pop().flatten(),
        0 => {
            remarks.invalid(key, "nothing says what to look at", KINDS);
            None
        }
        number => {
            let message = format!("{number} sources in one entry");
            remarks.invalid(key, message, "give each an entry of its own");
            None
        }
    }
}

fn derivation(subnet: &PrefixSubnet, remarks: &mut Remarks) -> Derivation {
    let length = written::number("spec.subnet.length", subnet.length, 48..=128, remarks);
    let length = length.unwrap_or_else(|| Derivation::default().length);
    let keep = written::number("spec.subnet.keep", subnet.keep, 1..=127, remarks);
    let part = match (subnet.number, subnet.keep, subnet.override_bits.as_deref()) {
        (None, None, None) => Part::Whole,
        (Some(number), None, None) => Part::Number(number.into()),
        (None, Some(_), Some(bits)) => match (keep, bits.trim().parse::<Ipv6Addr>()) {
            (Some(keep), Ok(bits)) => Part::Override { keep, bits },
            (None, Ok(_)) => Part::Whole,
            (_, Err(_)) => {
                let message = format!("`{bits}` is no IPv6 address");
                let next = "write the bits where they belong, such as 0:0:0:cd::";
                remarks.invalid("spec.subnet.override", message, next);
                Part::Whole
            }
        },
        (Some(_), ..) => {
            let next = "write `number` alone, or `keep` and `override`";
            remarks.invalid("spec.subnet", "the part is named twice", next);
            Part::Whole
        }
        (None, ..) => {
            let message = "`keep` and `override` belong together";
            remarks.invalid("spec.subnet", message, "write both, or `number`");
            Part::Whole
        }
    };
    let derivation = Derivation { length, part };
    if let Err(error) = derivation.check() {
        remarks.invalid_text("spec.subnet", error);
    }
    derivation
}

fn route(key: &str, written: &RouteSource, remarks: &mut Remarks) -> Option<Source> {
    let interface = match &written.interface {
        Some(name) => Some(interface(&format!("{key}.route.interface"), name, remarks)?),
        None => None,
    };
    let at = format!("{key}.route.protocol");
    let protocol = written::number(&at, written.protocol, 1..=255, remarks);
    if written.kind == RouteType::Unicast && interface.is_none() && protocol.is_none() {
        let message = "every route of the table would be taken for the prefix";
        remarks.invalid(
            format!("{key}.route"),
            message,
            "name the interface or the protocol",
        );
        return None;
    }
    Some(Source::Route(Routes {
        kind: match written.kind {
            RouteType::Unreachable => RouteKind::Unreachable,
            RouteType::Blackhole => RouteKind::Blackhole,
            RouteType::Unicast => RouteKind::Unicast,
        },
        interface,
        table: written.table.unwrap_or(MAIN_TABLE),
        protocol,
    }))
}

fn advertisement(
    key: &str,
    written: &RouterAdvertisementSource,
    remarks: &mut Remarks,
) -> Option<Source> {
    let key = format!("{key}.routerAdvertisement");
    let interface = interface(&format!("{key}.interface"), &written.interface, remarks);
    let mut routers = Vec::new();
    for (index, text) in written.routers.iter().enumerate() {
        match text.trim().parse::<Ipv6Addr>() {
            Ok(router) if router.is_unicast_link_local() => routers.push(router),
            _ => {
                let message = format!("`{text}` is no link-local address");
                let next = "write the address that the router advertises from, such as fe80::1";
                remarks.invalid(format!("{key}.routers[{index}]"), message, next);
            }
        }
    }
    Some(Source::RouterAdvertisement {
        interface: interface?,
        routers,
    })
}

fn lease(key: &str, written: &LeaseSource, remarks: &mut Remarks) -> Option<Source> {
    let key = format!("{key}.lease");
    let name = match &written.interface {
        Some(name) => Some(interface(&format!("{key}.interface"), name, remarks)?),
        None => None,
    };
    let client = written.client.clone();
    let is_server = matches!(written.format, LeaseFormat::Kea | LeaseFormat::Dnsmasq);
    if client.is_some() && !is_server {
        let why = "a client's file holds only its own leases";
        remarks.ignored(false, format!("{key}.client"), why);
    }
    let usual = match (written.format, name) {
        (LeaseFormat::Dhcpcd, Some(name)) => Some(format!("/var/lib/dhcpcd/{name}.lease6")),
        (LeaseFormat::Dnsmasq, _) => Some("/var/lib/misc/dnsmasq.leases".to_owned()),
        (LeaseFormat::Kea, _) => Some("/var/lib/kea/kea-leases6.csv".to_owned()),
        _ => None,
    };
    let Some(path) = written.path.clone().or(usual) else {
        let next = match written.format {
            LeaseFormat::Dhcpcd => "write `path`, or `interface`",
            _ => "write `path`: the file that you have it written to",
        };
        remarks.invalid(key, "nothing says where the file is", next);
        return None;
    };
    Some(Source::Lease {
        format: written.format,
        path: self::path(&format!("{key}.path"), &path, remarks)?,
        client,
    })
}

fn http(key: &str, written: &HttpSource, remarks: &mut Remarks) -> Source {
    let key = format!("{key}.http");
    let mut urls = Vec::new();
    for (index, url) in written.urls.iter().enumerate() {
        let key = format!("{key}.urls[{index}]");
        let authority = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        if authority.is_none_or(|rest| rest.is_empty() || rest.contains(char::is_whitespace)) {
            let next = "write an address such as https://api6.ipify.org";
            remarks.invalid(key, format!("`{url}` is no web address"), next);
        } else if urls.contains(url) {
            let message = format!("`{url}` is listed twice");
            remarks.invalid(key, message, "ask another provider");
        } else {
            if url.starts_with("http://") {
                let message = "whoever is on the way can change the answer";
                remarks.add(Reason::Insecure, key, message, "write https://");
            }
            urls.push(url.clone());
        }
    }
    let at = format!("{key}.quorum");
    let quorum: Option<u8> = written::number(&at, written.quorum, 2..=MOST_URLS, remarks);
    let quorum = usize::from(quorum.unwrap_or(2));
    if written.urls.len() < quorum {
        let number = written.urls.len();
        let message = format!("{quorum} servers must agree, and {number} are asked");
        remarks.invalid(at, message, "name one more, of another provider, in `urls`");
    }
    Source::Http {
        urls,
        quorum,
        every: every(&key, written.every.as_deref(), remarks),
        length: length(&key, written.length, remarks),
    }
}

fn dns(key: &str, written: &DnsSource, remarks: &mut Remarks) -> Option<Source> {
    let key = format!("{key}.dns");
    let name = written.name.trim();
    let is_name = name
        .bytes()
        .all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(&octet));
    if name.is_empty() || name.len() > 253 || !is_name {
        let message = format!("`{name}` is no name");
        remarks.invalid(
            format!("{key}.name"),
            message,
            "write one such as host.example.org",
        );
        return None;
    }
    Some(Source::Dns {
        name: name.to_owned(),
        every: every(&key, written.every.as_deref(), remarks),
        length: length(&key, written.length, remarks),
    })
}

fn interface(key: &str, name: &str, remarks: &mut Remarks) -> Option<String> {
    let is_name = !name.is_empty()
        && name.len() <= LONGEST_INTERFACE
        && !name.contains(|letter: char| letter == '/' || letter.is_whitespace());
    if !is_name {
        let message = format!("`{name}` is no name of an interface");
        remarks.invalid(key, message, "write one that `ip link` shows, such as wan0");
    }
    is_name.then(|| name.to_owned())
}

fn path(key: &str, path: &str, remarks: &mut Remarks) -> Option<PathBuf> {
    let is_path = path.starts_with('/') || (path == STANDARD_INPUT && key.ends_with(".file.path"));
    if !is_path {
        let message = format!("`{path}` is no absolute path");
        remarks.invalid(key, message, "write one that starts with a slash");
    }
    is_path.then(|| PathBuf::from(path))
}

fn prefix(key: &str, text: &str, remarks: &mut Remarks) -> Option<Ipv6Net> {
    let prefix = text.trim().parse::<Ipv6Net>().ok();
    if prefix.is_none() {
        let message = format!("`{text}` is no IPv6 prefix");
        remarks.invalid(key, message, "write one such as 2001:db8::/56");
    }
    prefix.map(|prefix| prefix.trunc())
}

fn every(key: &str, text: Option<&str>, remarks: &mut Remarks) -> Duration {
    let key = format!("{key}.every");
    let every = written::duration(&key, text, LONGEST_INTERVAL, remarks).unwrap_or(INTERVAL);
    if every < SHORTEST_INTERVAL {
        let message = format!("every {every:?} is a burden to whoever is asked");
        remarks.invalid(
            key,
            message,
            format!("write at least {SHORTEST_INTERVAL:?}"),
        );
    }
    every
}

fn length(key: &str, written: Option<u32>, remarks: &mut Remarks) -> u8 {
    let key = format!("{key}.length");
    written::number(&key, written, 16..=128, remarks).unwrap_or(64)
}

const KINDS: &str = "write one of address, route, routerAdvertisement, lease, http, dns, file and \
                     static";
const STANDARD_INPUT: &str = "-";
const MAIN_TABLE: u32 = 254;
/// As the definition has it.
const MOST_SOURCES: usize = 16;
const MOST_URLS: u32 = 8;
const MOST_GENERATIONS: u32 = 16;
/// `IFNAMSIZ` less its final zero.
const LONGEST_INTERFACE: usize = 15;
/// An hour of doubt is as long as the grace itself.
const LONGEST_HOLD_DOWN: Duration = Duration::from_hours(1);
/// Longer than the valid lifetime of any delegation in use.
const LONGEST_GRACE: Duration = Duration::from_hours(24 * 30);
const INTERVAL: Duration = Duration::from_mins(5);
const SHORTEST_INTERVAL: Duration = Duration::from_secs(10);
const LONGEST_INTERVAL: Duration = Duration::from_hours(24);
