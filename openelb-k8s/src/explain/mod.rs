//! Why a Service has the address it has, or none: every pool, every question that was asked of it, and
//! what announces the address.
//!
//! [`explain()`] is pure, and answers with the words of the controller, because it asks the same
//! functions. [`Cluster`] makes its [`World`] out of listed objects.

mod announced;
mod cluster;
mod leaks;
#[cfg(feature = "client")]
mod live;
mod pools;
#[cfg(test)]
mod tests;
mod tree;

pub use announced::Announcement;
pub use cluster::Cluster;
pub use leaks::{Leak, Says, leaks};
#[cfg(feature = "client")]
pub use live::{LiveError, gather, live};
pub use pools::{Check, PoolAnswer};

use std::net::IpAddr;

use openelb_ipam::ipam::{Assigned, Grant, Granted};
use openelb_ipam::relative::Projection;
use openelb_ipam::{Explanation as Decision, Ipam, Owner, PoolName, Request, Time};
use serde::Serialize;

use crate::api::{Eip, NodeAnnouncement};
use crate::cluster::{Namespace, Service, ServiceType};
use crate::wish::{Refusal, Serving, Wish, is_marked, wish};
use crate::{follow, names, pool};

/// All that an explanation looks at.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// Which Services are this project's.
    pub serving: &'a Serving,
    /// Who has what, without plans for those who wait.
    pub ipam: &'a Ipam,
    /// How addresses that follow a prefix are shown; it has the prefixes of all pools.
    pub view: &'a Projection,
    /// The pools as written, also those that cannot be read.
    pub eips: &'a [Eip],
    /// The Namespace of the Service.
    pub namespace: Option<&'a Namespace>,
    /// What the nodes say that they announce.
    pub announcements: &'a [NodeAnnouncement],
}

/// Why a Service has what it has. Its text is a tree for people, its serde form is for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// `namespace/name`.
    pub service: String,
    /// One word.
    pub verdict: Verdict,
    /// One sentence.
    pub summary: String,
    /// The word of the refusal, if something is refused or missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What it asks for, part by part.
    pub asks: Vec<String>,
    /// The addresses that it has or would get.
    pub addresses: Vec<Address>,
    /// Every pool, in the order of their names.
    pub pools: Vec<PoolAnswer>,
    /// The nearest change that would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Explanation {
    /// Whether the Service has everything that it asks for.
    pub fn is_served(&self) -> bool {
        self.verdict == Verdict::Served
    }
}

/// How it stands with a Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Verdict {
    /// It is not this project's.
    NotOurs,
    /// It wants nothing any more; what it has is given back.
    Released,
    /// It has what it asks for.
    Served,
    /// It has an address, but only one of the two families that it prefers, or one that left its pool.
    Degraded,
    /// It would get what it asks for, and the controller has not written it.
    Unwritten,
    /// It does not get what it asks for.
    Refused,
}

/// An address of a Service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// The address.
    pub address: IpAddr,
    /// What stays of it when its prefix changes, such as `home/::10`; absent when it follows none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative: Option<String>,
    /// Its pool; absent when it is of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eip: Option<String>,
    /// How the Service comes to it: `keeps`, `gets`, `returns`, `shares`, or `shows` where it is only
    /// in the status.
    pub how: &'static str,
    /// Whether the status of the Service shows it.
    pub is_shown: bool,
    /// What the nodes do with it.
    pub announcements: Vec<Announcement>,
}

/// Explains a Service. Costs a look at every pool and every announcement.
pub fn explain(service: &Service, world: &World<'_>, now: Time) -> Explanation {
    let metadata = &service.metadata;
    let mut explanation = Explanation {
        service: format!("{}/{}", metadata.namespace, metadata.name),
        verdict: Verdict::NotOurs,
        summary: String::new(),
        reason: None,
        asks: Vec::new(),
        addresses: Vec::new(),
        pools: Vec::new(),
        next: None,
    };
    match wish(service, world.namespace, world.serving) {
        Wish::NotOurs => {
            let (why, next) = not_ours(service, world.serving);
            explanation.summary = format!("is not served here: {why}");
            explanation.next = next;
        }
        Wish::Nothing => {
            explanation.verdict = Verdict::Released;
            let (why, next) = not_ours(service, world.serving);
            explanation.summary = format!("gives back what it has: {why}");
            explanation.next = next;
        }
        Wish::Refused(refusal) => {
            explanation.verdict = Verdict::Refused;
            explanation.refuse(&refusal);
        }
        Wish::Ask(owner, request) => match world.read_request(request) {
            Ok(request) => explanation.ask(service, &owner, &request, world, now),
            Err(refusal) => {
                explanation.verdict = Verdict::Refused;
                explanation.refuse(&refusal);
            }
        },
    }
    explanation.add_shown(service, world);
    explanation.put_in_words(world.view);
    explanation
}

impl World<'_> {
    fn read_request(&self, request: Request) -> Result<Request, Refusal> {
        let ranges = |name: &str| {
            let mut pools = self.ipam.pools();
            let pool = pools.find(|pool| &**pool.name() == name);
            pool.map(|pool| pool.ranges().iter().copied().collect())
                .unwrap_or_default()
        };
        follow::read_request(request, self.view, ranges)
    }
}

impl Explanation {
    fn say(&mut self, summary: &str) {
        summary.clone_into(&mut self.summary);
    }

    fn refuse(&mut self, refusal: &Refusal) {
        self.reason = Some(refusal.reason.as_str());
        self.summary.clone_from(&refusal.message);
        self.next = Some(refusal.next_step().to_owned());
    }

    /// What the ledger says to the request, as a whole and pool by pool.
    fn ask(
        &mut self,
        service: &Service,
        owner: &Owner,
        request: &Request,
        world: &World<'_>,
        now: Time,
    ) {
        let decision = world.ipam.explain(owner, request, now);
        self.asks = asks(request);
        self.pools = pools::answers(owner, request, &decision, world);
        if let Some(refusal) = foreign(service, owner, world) {
            self.verdict = Verdict::Refused;
            self.refuse(&refusal);
            return;
        }
        match &decision.outcome {
            Ok(granted) => self.grant(service, granted, &decision, world),
            Err(error) => {
                self.verdict = Verdict::Refused;
                let refusal = Refusal::from(error);
                self.refuse(&refusal.beside_strangers(error, strangers(world.ipam)));
                let held = world.ipam.allocation(owner.key.as_str());
                let held = held.map(|held| held.addresses).unwrap_or_default();
                self.add(service, held.iter().map(|it| (it, "keeps")), world);
            }
        }
    }

    fn grant(
        &mut self,
        service: &Service,
        granted: &[Granted],
        decision: &Decision,
        world: &World<'_>,
    ) {
        let given = granted.iter().map(|it| {
            let how = match it.how {
                Grant::Keeps => "keeps",
                Grant::Gets => "gets",
                Grant::Returns => "returns",
                Grant::Shares => "shares",
            };
            (&it.assigned, how)
        });
        self.add(service, given, world);
        let is_written = self.addresses.iter().all(|address| address.is_shown);
        if let Some(unseen) = unseen(granted, world.view) {
            self.verdict = Verdict::Refused;
            self.refuse(&unseen);
        } else if !is_written {
            self.verdict = Verdict::Unwritten;
            self.say("would get what it asks for, and no controller has written it");
            self.next = Some("see whether the controller runs and leads".to_owned());
        } else if let Some(lack) = lack(granted, decision, world.ipam) {
            self.verdict = Verdict::Degraded;
            self.refuse(&lack);
        } else {
            self.verdict = Verdict::Served;
            self.say("has what it asks for");
            self.look_at_announcements(world.announcements);
        }
    }

    fn look_at_announcements(&mut self, nodes: &[NodeAnnouncement]) {
        if nodes.is_empty() {
            self.say("has what it asks for; no speaker reports what it announces");
            self.next = Some("see whether the speakers run".to_owned());
            return;
        }
        let silent = self.addresses.iter().find(|address| {
            let mut all = address.announcements.iter();
            !all.any(|it| it.state == "Announced")
        });
        if let Some(address) = silent {
            let address = address.address;
            self.summary = format!("has what it asks for, and no node announces {address}");
            let next =
                "see whether the Service has endpoints that serve, and whether the speakers run";
            self.next = Some(next.to_owned());
        }
    }

    fn add<'a>(
        &mut self,
        service: &Service,
        given: impl Iterator<Item = (&'a Assigned, &'static str)>,
        world: &World<'_>,
    ) {
        let shown: Vec<IpAddr> = service.shown().collect();
        for (given, how) in given {
            let seen = world.view.show(given.address);
            let addresses = seen.addresses().map(|address| Address {
                address,
                relative: seen.relative(),
                eip: Some(given.pool.to_string()),
                how,
                is_shown: shown.contains(&address),
                announcements: announced::of(&self.service, address, world.announcements),
            });
            self.addresses.extend(addresses);
        }
    }

    /// What the status shows beyond that: of somebody else, or about to go.
    fn add_shown(&mut self, service: &Service, world: &World<'_>) {
        for address in service.shown() {
            if self.addresses.iter().any(|known| known.address == address) {
                continue;
            }
            let known = world.view.read_address(address);
            self.addresses.push(Address {
                address,
                relative: world.view.show(known).relative(),
                eip: world.ipam.whois(known).pool.map(|pool| pool.to_string()),
                how: "shows",
                is_shown: true,
                announcements: announced::of(&self.service, address, world.announcements),
            });
        }
    }

    /// Nobody outside knows the ledger's form of an address.
    fn put_in_words(&mut self, view: &Projection) {
        let facts = self.pools.iter_mut().flat_map(|pool| &mut pool.checks);
        let facts = facts.map(|check| &mut check.fact);
        let own = self.asks.iter_mut().chain(&mut self.next);
        for text in own.chain([&mut self.summary]).chain(facts) {
            *text = pool::in_words(text, |address| view.show(address.into()).relative());
        }
    }
}

/// What stands in the way of showing what was given.
fn unseen(granted: &[Granted], view: &Projection) -> Option<Refusal> {
    let mut given = granted.iter().map(|it| &it.assigned);
    let hidden = given.find(|it| view.show(it.address).addresses().next().is_none())?;
    let record = view.show(hidden.address).relative()?;
    Some(follow::unseen(view, hidden, &record))
}

/// The status shows addresses that nobody here gave, on a Service that was never served here: the
/// controller leaves it alone.
fn foreign(service: &Service, owner: &Owner, world: &World<'_>) -> Option<Refusal> {
    let ipam = world.ipam;
    if is_marked(service) || ipam.allocation(owner.key.as_str()).is_some() {
        return None;
    }
    let mut foreign: Vec<IpAddr> = service.shown().collect();
    foreign.retain(|address| !is_listed(world.view.read_address(*address), ipam));
    (!foreign.is_empty()).then(|| Refusal::foreign(&foreign))
}

/// What Services show of the pools that are not served here, with who shows it.
fn strangers(ipam: &Ipam) -> impl Iterator<Item = (PoolName, IpAddr, String)> {
    let rows = ipam.allocations();
    let rows = rows.filter(|row| row.owner.key.kind() == names::STRANGER_OWNER_KIND);
    rows.flat_map(|row| {
        let by = row.owner.key.name().to_owned();
        let claims = row.claims.into_iter();
        claims.map(move |claim| (claim.pool, claim.address, by.clone()))
    })
}

/// What a Service that is served does not have as it should be.
fn lack(granted: &[Granted], decision: &Decision, ipam: &Ipam) -> Option<Refusal> {
    let addresses = granted.iter().map(|it| it.assigned.address);
    let outside: Vec<_> = addresses.filter(|it| !is_listed(*it, ipam)).collect();
    Refusal::missing(decision)
        .or_else(|| (!outside.is_empty()).then(|| Refusal::orphaned(&outside)))
}

fn is_listed(address: IpAddr, ipam: &Ipam) -> bool {
    ipam.pools().any(|pool| pool.ranges().contains(address))
}

/// Why a Service is not served, and what would change that.
fn not_ours(service: &Service, serving: &Serving) -> (String, Option<String>) {
    let (opt_in, value) = (names::OPT_IN_ANNOTATION, names::OPT_IN_VALUE);
    if service.metadata.deletion_timestamp.is_some() {
        return ("it is being deleted".to_owned(), None);
    }
    if service.spec.kind != ServiceType::LoadBalancer {
        let next = "set spec.type to LoadBalancer".to_owned();
        return (
            "it is of another type than LoadBalancer".to_owned(),
            Some(next),
        );
    }
    match &service.spec.load_balancer_class {
        Some(class) if *class != serving.class => {
            let next = format!(
                "a class cannot be changed: make the Service anew with {}; if the controller \
                 serves {class}, ask again with --class {class}",
                serving.class
            );
            (format!("its loadBalancerClass is {class}"), Some(next))
        }
        None if !serving.serves(service) => {
            let next = format!(
                "annotate it with {opt_in}: {value}, or make it anew with spec.loadBalancerClass \
                 {}; if the controller has --serve-unclassed always, ask again with \
                 --serve-unclassed",
                serving.class
            );
            let why = format!("it has no loadBalancerClass and no annotation {opt_in}: {value}");
            (why, Some(next))
        }
        _ => ("it has no cluster IP".to_owned(), None),
    }
}

/// The parts of a request, each as a few words.
fn asks(request: &Request) -> Vec<String> {
    let mut asks = Vec::new();
    if let Ok(wanted) = request.wanted() {
        let families: Vec<_> = wanted.order().map(|family| family.to_string()).collect();
        asks.push(format!("{} ({:?})", families.join(" and "), request.policy));
    }
    asks.extend(
        request
            .addresses
            .iter()
            .map(|address| format!("address {address}")),
    );
    asks.extend(request.pool.iter().map(|pool| format!("Eip {pool}")));
    asks.push(format!("ports {}", request.ports));
    match &request.sharing {
        Some(sharing) if sharing.key.is_empty() => {
            asks.push("an address of its own (externalTrafficPolicy Local)".to_owned());
        }
        Some(sharing) => asks.push(format!("sharing under {sharing}")),
        None => {}
    }
    asks
}
