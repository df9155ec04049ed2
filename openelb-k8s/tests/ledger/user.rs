//! Users: they create, edit and delete whatever they may.

use std::net::IpAddr;

use openelb_k8s::api::{Eip, OnShrink};
use openelb_k8s::cluster::{IpFamily, IpFamilyPolicy, Namespace, Service, ServiceType};
use openelb_k8s::names;

use crate::dice::Dice;
use crate::judge::{Judge, records, shown};
use crate::objects::{annotate, service, set_families};
use crate::server::Server;

const NAMESPACES: [&str; 2] = ["blue", "red"];
const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const POOLS: [&str; 3] = ["one", "two", "three"];

/// What the pools may list. The first of each are apart from all others.
const RANGES: [[&str; 4]; 3] = [
    [
        "192.0.2.1-192.0.2.3",
        "192.0.2.1-192.0.2.6",
        "192.0.2.2-192.0.2.4, 2001:db8::1-2001:db8::2",
        "192.0.2.1-192.0.2.3, 2001:db8::1-2001:db8::4",
    ],
    [
        "198.51.100.1-198.51.100.2",
        "198.51.100.1-198.51.100.5",
        "198.51.100.2-198.51.100.3",
        "192.0.2.2-192.0.2.8",
    ],
    [
        "2001:db8:1::1-2001:db8:1::3",
        "203.0.113.1-203.0.113.3",
        "203.0.113.2-203.0.113.4, 2001:db8:1::1",
        "192.0.2.5-192.0.2.9, 198.51.100.1",
    ],
];

/// What other load balancers give.
const INTRUSIONS: [&str; 5] = [
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.6",
    "198.51.100.1",
    "2001:db8::1",
];

/// One act of some user; its story.
pub(crate) fn act(
    server: &mut Server,
    judge: &mut Judge,
    dice: &mut Dice,
    is_apart: bool,
) -> String {
    let key = format!("{}/{}", dice.pick(&NAMESPACES), dice.pick(&NAMES));
    if !dice.is_one_in(3) {
        return with_service(server, judge, dice, &key);
    }
    if dice.is_one_in(8) {
        let name = *dice.pick(&NAMESPACES);
        let mut namespace = Namespace::default();
        namespace.metadata.name = name.to_owned();
        if dice.is_one_in(2) {
            let labels = &mut namespace.metadata.labels;
            labels.insert("team".to_owned(), "x".to_owned());
        }
        server.put_namespace(namespace);
        return format!("namespace {name} is labelled");
    }
    let at = dice.below(POOLS.len());
    with_pool(server, judge, dice, at, is_apart)
}

fn with_service(server: &mut Server, judge: &mut Judge, dice: &mut Dice, key: &str) -> String {
    let Some(stored) = server.services.get(key) else {
        // What it is given from now on nobody asked to be taken away again, unless it comes from a
        // pool that goes: who has not heard of that may still record in a block of it.
        let mut pools = server.eips.values();
        if pools.all(|it| it.metadata.deletion_timestamp.is_none()) {
            judge.restless.remove(key);
        } else {
            judge.restless.insert(key.to_owned());
        }
        let new = new_service(dice, key);
        let story = format!(
            "{key} is created {:?} {:?}",
            new.spec.ip_families, new.metadata.annotations
        );
        server.create_service(new);
        return story;
    };
    judge.restless.insert(key.to_owned());
    if stored.service.metadata.deletion_timestamp.is_some() {
        if dice.is_one_in(12) {
            server.edit_service(key, |it| it.metadata.finalizers.clear());
            return format!("{key} has its finalizers stripped");
        }
        return String::new();
    }
    match dice.below(9) {
        0..=2 => {
            server.delete_service(key);
            format!("{key} is deleted")
        }
        3 => {
            server.edit_service(key, |it| {
                it.spec.kind = match it.spec.kind {
                    ServiceType::LoadBalancer => ServiceType::Other,
                    ServiceType::Other => ServiceType::LoadBalancer,
                };
            });
            format!("{key} changes its type")
        }
        4 => {
            let value = dice.is_one_in(2).then_some(names::OPT_IN_VALUE);
            server.edit_service(key, |it| annotate(it, names::OPT_IN_ANNOTATION, value));
            format!("{key} opts in: {value:?}")
        }
        5 => {
            let pool = dice.is_one_in(2).then(|| *dice.pick(&POOLS));
            server.edit_service(key, |it| annotate(it, names::POOL_ANNOTATION, pool));
            format!("{key} asks for pool {pool:?}")
        }
        6 => {
            let (families, policy) = families(dice);
            server.edit_service(key, |it| set_families(it, &families, policy));
            format!("{key} asks for {families:?} {policy:?}")
        }
        7 => {
            let class = *dice.pick(&[
                None,
                Some(names::LOAD_BALANCER_CLASS),
                Some("other.example/lb"),
            ]);
            server.edit_service(key, |it| {
                it.spec.load_balancer_class = class.map(str::to_owned);
            });
            format!("{key} is of class {class:?}")
        }
        _ if is_of_another(&stored.service) && !shown(&stored.service).is_empty() => {
            judge.exempt.retain(|(owner, _)| owner != key);
            server.edit_service(key, |it| it.status.load_balancer.ingress.clear());
            format!("{key} is left by its load balancer")
        }
        _ => {
            let label = dice.next() % 7;
            server.edit_service(key, |it| {
                it.metadata
                    .labels
                    .insert("any".to_owned(), label.to_string());
            });
            format!("{key} is labelled {label}")
        }
    }
}

fn new_service(dice: &mut Dice, key: &str) -> Service {
    let (namespace, name) = key.split_once('/').unwrap();
    let (families, policy) = families(dice);
    let mut service = service(namespace, name, &families);
    set_families(&mut service, &families, policy);
    service.spec.ports[0].port = *dice.pick(&[80, 81, 82]);
    match dice.below(6) {
        0 => annotate(&mut service, names::SHARING_ANNOTATION, Some("k")),
        1 => annotate(&mut service, names::ADDRESS_ANNOTATION, Some("192.0.2.2")),
        2 => annotate(
            &mut service,
            names::ADDRESS_ANNOTATION,
            Some("198.51.100.2"),
        ),
        3 => annotate(
            &mut service,
            names::POOL_ANNOTATION,
            Some(*dice.pick(&POOLS)),
        ),
        _ => {}
    }
    service
}

fn families(dice: &mut Dice) -> (Vec<IpFamily>, IpFamilyPolicy) {
    use IpFamily::{IPv4, IPv6};
    match dice.below(6) {
        0 => (vec![IPv6], IpFamilyPolicy::SingleStack),
        1 => (vec![IPv4, IPv6], IpFamilyPolicy::RequireDualStack),
        2 => (vec![IPv6, IPv4], IpFamilyPolicy::PreferDualStack),
        _ => (vec![IPv4], IpFamilyPolicy::SingleStack),
    }
}

/// A Service of another load balancer, and an address of a pool that nobody has.
pub(crate) fn intrusion(server: &Server, dice: &mut Dice) -> Option<(String, IpAddr)> {
    let services = server.services.iter();
    let others = services
        .filter(|(_, stored)| is_of_another(&stored.service) && shown(&stored.service).is_empty());
    let others: Vec<&String> = others.map(|(key, _)| key).collect();
    if others.is_empty() {
        return None;
    }
    let key = (*dice.pick(&others)).clone();
    let address: IpAddr = dice.pick(&INTRUSIONS).parse().unwrap();
    let is_recorded = records(server).iter().any(|(at, _)| *at == address);
    let mut services = server.services.values();
    let is_shown = services.any(|it| shown(&it.service).contains(&address));
    (!is_recorded && !is_shown).then_some((key, address))
}

/// Whether a Service is another load balancer's, and no controller of ours ever touched it.
fn is_of_another(service: &Service) -> bool {
    let (metadata, spec) = (&service.metadata, &service.spec);
    let is_marked =
        !metadata.finalizers.is_empty() || metadata.labels.contains_key(names::POOL_LABEL);
    let is_ours = match spec.load_balancer_class.as_deref() {
        Some(class) => class == names::LOAD_BALANCER_CLASS,
        None => metadata.annotations.contains_key(names::OPT_IN_ANNOTATION),
    };
    spec.kind == ServiceType::LoadBalancer && !is_marked && !is_ours
}

fn with_pool(
    server: &mut Server,
    judge: &mut Judge,
    dice: &mut Dice,
    at: usize,
    is_apart: bool,
) -> String {
    let name = POOLS[at];
    let range = if is_apart {
        RANGES[at][dice.below(2)]
    } else {
        *dice.pick(&RANGES[at])
    };
    // Who names a pool or an address may get it only now, and leaves what it had.
    for (key, stored) in &server.services {
        let annotations = &stored.service.metadata.annotations;
        let names = [names::POOL_ANNOTATION, names::ADDRESS_ANNOTATION];
        if names.iter().any(|it| annotations.contains_key(it)) {
            judge.restless.insert(key.clone());
        }
    }
    let Some(eip) = server.eips.get(name) else {
        let mut eip = Eip::new(name, range);
        if dice.is_one_in(2) {
            let key = names::DEFAULT_EIP_ANNOTATION.to_owned();
            eip.metadata.annotations.insert(key, "true".to_owned());
        }
        if dice.is_one_in(3) {
            eip.spec.namespaces.push("blue".to_owned());
        }
        if dice.is_one_in(4) {
            eip.spec
                .namespace_selector
                .insert("team".to_owned(), "x".to_owned());
        }
        server.create_eip(eip);
        return format!("Eip {name} is created: {range}");
    };
    if eip.metadata.deletion_timestamp.is_some() {
        return String::new();
    }
    match dice.below(7) {
        0 => {
            disturb(server, judge);
            server.delete_eip(name);
            format!("Eip {name} is deleted")
        }
        1 => {
            server.edit_eip(name, |it| it.spec.disable = !it.spec.disable);
            format!("Eip {name} is disabled, or no more")
        }
        2 => {
            disturb(server, judge);
            server.edit_eip(name, |it| {
                it.spec.on_shrink = match it.spec.on_shrink {
                    OnShrink::Retain => OnShrink::Reassign,
                    OnShrink::Reassign => OnShrink::Drain,
                    OnShrink::Drain => OnShrink::Retain,
                };
            });
            format!("Eip {name} has another policy")
        }
        3 => {
            let key = names::DEFAULT_EIP_ANNOTATION;
            server.edit_eip(name, |it| {
                if it.metadata.annotations.remove(key).is_none() {
                    it.metadata
                        .annotations
                        .insert(key.to_owned(), "true".to_owned());
                }
            });
            format!("Eip {name} is the default, or no more")
        }
        _ => {
            if eip.spec.on_shrink != OnShrink::Retain {
                disturb(server, judge);
            }
            server.edit_eip(name, |it| it.spec.address = range.to_owned());
            format!("Eip {name} lists {range}")
        }
    }
}

/// What has addresses of a pool may be moved by what happens to the pool, and so may what is given
/// some by a controller that has not heard of it yet.
///
/// All do, because a record may be of one pool and the range of another.
fn disturb(server: &Server, judge: &mut Judge) {
    judge.restless.extend(server.services.keys().cloned());
    judge
        .restless
        .extend(records(server).into_iter().map(|(_, key)| key));
}
