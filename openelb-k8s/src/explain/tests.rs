//! Explanations as people and programs read them.

use openelb_ipam::relative::Projection;
use openelb_ipam::{Ipam, Owner, Time};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::{Cluster, Explanation, Verdict, World, explain};
use crate::api::{
    AnnouncedAddress, AnnouncementState, DynamicPrefix, Eip, NodeAnnouncement, PrefixGeneration,
    Protocol,
};
use crate::cluster::{IpFamily, Service};
use crate::wish::{Serving, Wish, wish};
use crate::{names, pool};

const NOW: Time = Time(1_000);

/// A cluster in which the ledger knows what the test gave.
struct Stage {
    eips: Vec<Eip>,
    ipam: Ipam,
    announcements: Vec<NodeAnnouncement>,
}

impl Stage {
    fn new(eips: impl IntoIterator<Item = Eip>) -> Self {
        let eips: Vec<_> = eips.into_iter().collect();
        let specs: Vec<_> = eips.iter().flat_map(pool::spec).collect();
        let mut ipam = Ipam::new();
        let plan = ipam.plan_pools(&specs).unwrap();
        ipam.apply_pools(plan, NOW).unwrap();
        Self {
            eips,
            ipam,
            announcements: Vec::new(),
        }
    }

    fn give(&mut self, service: &Service) {
        let Wish::Ask(owner, request) = wish(service, None, &Serving::default()) else {
            panic!("{service:?} asks for nothing")
        };
        self.ipam.allocate(&owner, &request, NOW).unwrap();
    }

    fn announce(&mut self, node: &str, address: &str, state: AnnouncementState) {
        let mut announcement = NodeAnnouncement::new(node);
        announcement.status.addresses.push(AnnouncedAddress {
            address: address.to_owned(),
            service: "shop/web".to_owned(),
            eip: "edge".to_owned(),
            protocol: Protocol::Layer2,
            interface: "eth0".to_owned(),
            state,
            since: "2026-01-01T00:00:00Z".to_owned(),
            ..AnnouncedAddress::default()
        });
        self.announcements.push(announcement);
    }

    fn explain(&self, service: &Service) -> Explanation {
        let world = World {
            serving: &Serving::default(),
            ipam: &self.ipam,
            view: &Projection::default(),
            eips: &self.eips,
            namespace: None,
            announcements: &self.announcements,
        };
        explain(service, &world, NOW)
    }
}

fn default_eip(name: &str, address: &str) -> Eip {
    let mut eip = Eip::new(name, address);
    let annotations = &mut eip.metadata.annotations;
    annotations.insert(names::DEFAULT_EIP_ANNOTATION.to_owned(), "true".to_owned());
    eip
}

/// `shop/NAME`, which opts in and shows these addresses.
fn service(name: &str, shown: &[&str]) -> Service {
    let ingress: Vec<_> = shown.iter().map(|ip| json!({"ip": ip})).collect();
    read(&json!({
        "metadata": {
            "name": name, "namespace": "shop", "annotations": {"lb.kubesphere.io/v1alpha1": "openelb"},
        },
        "spec": {
            "type": "LoadBalancer", "clusterIPs": ["10.96.0.7"], "ipFamilies": ["IPv4"],
            "ports": [{"port": 80, "protocol": "TCP"}],
        },
        "status": {"loadBalancer": {"ingress": ingress}},
    }))
}

fn read(value: &Value) -> Service {
    Service::deserialize(value).unwrap()
}

#[test]
fn a_served_service_is_explained_to_the_node_that_announces_it() {
    let mut stage = Stage::new([
        default_eip("edge", "192.0.2.0/24"),
        Eip::new("spare", "198.51.100.1"),
    ]);
    let web = service("web", &["192.0.2.1"]);
    stage.give(&web);
    stage.announce("node-b", "192.0.2.1", AnnouncementState::Standby);
    stage.announce("node-c", "192.0.2.1", AnnouncementState::Announced);
    let explanation = stage.explain(&web);
    assert!(explanation.is_served());
    assert_eq!(
        explanation.to_string(),
        "\
Service shop/web: Served, has what it asks for
├─ asks for IPv4 (SingleStack), ports TCP/80
├─ keeps 192.0.2.1 of Eip edge
│  ├─ node-c: Announced by layer2 at eth0 since 2026-01-01T00:00:00Z
│  └─ node-b: Standby by layer2 at eth0 since 2026-01-01T00:00:00Z
├─ Eip edge can serve it
│  ├─ yes valid: 192.0.2.0/24
│  ├─ yes open: gives addresses
│  ├─ yes alone: overlaps no older Eip
│  ├─ yes automatic: the default Eip
│  ├─ yes namespace: open to namespace shop
│  ├─ yes service: open to Service web
│  ├─ yes ipv4: has IPv4 addresses
│  └─ yes ipv4-free: 253 free of 254
└─ Eip spare refuses: automatic
   ├─ yes valid: 198.51.100.1
   ├─ yes open: gives addresses
   ├─ yes alone: overlaps no older Eip
   ├─ NO  automatic: serves only Services that name it: it is neither bound nor the default
   ├─ yes namespace: open to namespace shop
   ├─ yes service: open to Service web
   ├─ yes ipv4: has IPv4 addresses
   └─ yes ipv4-free: 1 free of 1"
    );
}

#[test]
fn the_station_that_has_an_address_is_named() {
    let mut stage = Stage::new([default_eip("edge", "192.0.2.0/24")]);
    let web = service("web", &["192.0.2.1"]);
    stage.give(&web);
    stage.announce("node-b", "192.0.2.1", AnnouncementState::Conflict);
    let entry = &mut stage.announcements[0].status.addresses[0];
    entry.reason = "AddressInUse".to_owned();
    entry.station = "02:00:00:00:00:66".to_owned();
    let text = stage.explain(&web).to_string();
    assert!(
        text.contains("node-b: Conflict by layer2 at eth0")
            && text.contains("because AddressInUse by 02:00:00:00:00:66"),
        "{text}"
    );
}

#[test]
fn an_address_that_no_node_announces_is_told_although_the_service_is_served() {
    let mut stage = Stage::new([default_eip("edge", "192.0.2.0/24")]);
    let web = service("web", &["192.0.2.1"]);
    stage.give(&web);
    let unreported = stage.explain(&web);
    assert!(unreported.is_served());
    assert!(
        unreported
            .summary
            .ends_with("no speaker reports what it announces"),
        "{unreported}"
    );
    stage.announce("node-a", "192.0.2.1", AnnouncementState::Waiting);
    let explanation = stage.explain(&web);
    assert!(explanation.is_served());
    assert!(
        explanation.summary.ends_with("no node announces 192.0.2.1"),
        "{explanation}"
    );
    assert!(explanation.next.unwrap().contains("endpoints"));
}

#[test]
fn every_pool_answers_and_the_first_no_counts() {
    let mut disabled = default_eip("a-disabled", "192.0.2.0/28");
    disabled.spec.disable = true;
    let mut bound = Eip::new("b-bound", "192.0.2.16/28");
    bound.spec.namespaces = vec!["other".to_owned()];
    let broken = Eip::new("c-broken", "192.0.2.0/33");
    let six = {
        let mut six = Eip::new("d-six", "2001:db8::/64");
        six.spec.namespaces = vec!["shop".to_owned()];
        six
    };
    let mut full = Eip::new("e-full", "192.0.2.64");
    full.spec.namespaces = vec!["shop".to_owned()];
    let younger = Eip::new("f-younger", "192.0.2.16/30");
    let mut stage = Stage::new([disabled, bound, broken, six, full, younger]);
    stage.give(&service("first", &[]));
    let explanation = stage.explain(&service("web", &[]));
    let first_no: Vec<_> = explanation
        .pools
        .iter()
        .map(|pool| (pool.eip.as_str(), pool.refused_by.unwrap()))
        .collect();
    assert_eq!(
        first_no,
        [
            ("a-disabled", "open"),
            ("b-bound", "namespace"),
            ("c-broken", "valid"),
            ("d-six", "ipv4"),
            ("e-full", "ipv4-free"),
            ("f-younger", "alone"),
        ]
    );
    assert_eq!(explanation.verdict, Verdict::Refused);
    assert_eq!(explanation.reason, Some("PoolExhausted"));
    assert!(explanation.next.unwrap().contains("Eip e-full"));
}

#[test]
fn who_names_a_pool_or_an_address_hears_of_what_only_the_ledger_knows() {
    let mut stage = Stage::new([default_eip("edge", "192.0.2.0/24")]);
    let mut first = service("first", &[]);
    first.spec.load_balancer_ip = "192.0.2.9".to_owned();
    stage.give(&first);
    let mut web = service("web", &[]);
    web.spec.load_balancer_ip = "192.0.2.9".to_owned();
    let annotations = &mut web.metadata.annotations;
    annotations.insert(names::POOL_ANNOTATION.to_owned(), "edge".to_owned());
    let explanation = stage.explain(&web);
    assert_eq!(explanation.reason, Some("SharingRefused"));
    let edge = &explanation.pools[0];
    assert_eq!(edge.refused_by, Some("sharing"));
    let names: Vec<_> = edge.checks.iter().map(|check| check.name).collect();
    assert_eq!(
        names,
        [
            "valid",
            "open",
            "alone",
            "named",
            "holds",
            "bound",
            "ipv4",
            "ipv4-free",
            "sharing"
        ]
    );
}

#[test]
fn a_service_that_is_not_ours_hears_how_to_become_it() {
    let stage = Stage::new([default_eip("edge", "192.0.2.0/24")]);
    let mut web = service("web", &["203.0.113.9"]);
    web.metadata.annotations.clear();
    let explanation = stage.explain(&web);
    assert_eq!(explanation.verdict, Verdict::NotOurs);
    assert!(
        explanation
            .summary
            .contains("no annotation lb.kubesphere.io/v1alpha1: openelb")
    );
    assert!(
        explanation
            .next
            .as_ref()
            .unwrap()
            .contains("spec.loadBalancerClass")
    );
    assert_eq!(
        (explanation.addresses[0].how, &explanation.addresses[0].eip),
        ("shows", &None)
    );
    web.spec.load_balancer_class = Some("example.com/other".to_owned());
    let foreign = stage.explain(&web);
    assert!(
        foreign
            .summary
            .contains("loadBalancerClass is example.com/other"),
        "{foreign}"
    );
    let mut plain = service("web", &[]);
    plain.spec.kind = crate::cluster::ServiceType::Other;
    plain.metadata.finalizers = vec![names::SERVICE_FINALIZER.to_owned()];
    assert_eq!(stage.explain(&plain).verdict, Verdict::Released);
}

#[test]
fn of_a_service_that_is_given_up_it_is_said_that_the_controller_may_know_better() {
    let stage = Stage::new([default_eip("edge", "192.0.2.0/24")]);
    let mut web = service("web", &["192.0.2.1"]);
    web.metadata.annotations.clear();
    web.metadata.finalizers = vec![names::SERVICE_FINALIZER.to_owned()];
    let explanation = stage.explain(&web);
    assert_eq!(explanation.verdict, Verdict::Released);
    let next = explanation.next.unwrap();
    assert!(next.contains("ask again with --serve-unclassed"), "{next}");
    // An API server refuses a class for a Service that is there already.
    assert!(
        next.contains("make it anew with spec.loadBalancerClass"),
        "{next}"
    );
}

#[test]
fn what_is_decided_and_not_written_is_told_apart_from_what_is_refused() {
    let mut stage = Stage::new([default_eip("edge", "192.0.2.0/24")]);
    let unwritten = stage.explain(&service("web", &[]));
    assert_eq!(
        (unwritten.verdict, unwritten.addresses[0].how),
        (Verdict::Unwritten, "gets")
    );
    let web = service("web", &["192.0.2.1"]);
    stage.give(&web);
    let mut moved = web.clone();
    moved.spec.load_balancer_ip = "203.0.113.1".to_owned();
    let refused = stage.explain(&moved);
    assert_eq!(
        (refused.verdict, refused.addresses[0].how),
        (Verdict::Refused, "keeps")
    );
    assert_eq!(refused.pools[0].refused_by, Some("holds"));
    let mut wrong = web;
    wrong.spec.load_balancer_ip = "nonsense".to_owned();
    let invalid = stage.explain(&wrong);
    assert_eq!(
        (invalid.verdict, invalid.reason),
        (Verdict::Refused, Some("InvalidAddress"))
    );
}

#[test]
fn a_pair_that_lacks_a_family_is_degraded() {
    let mut stage = Stage::new([default_eip("edge", "192.0.2.0/24")]);
    let mut web = service("web", &["192.0.2.1"]);
    web.spec.cluster_ips.push("fd00::7".to_owned());
    web.spec.ip_families = vec![IpFamily::IPv4, IpFamily::IPv6];
    web.spec.ip_family_policy = Some(crate::cluster::IpFamilyPolicy::PreferDualStack);
    stage.give(&web);
    let explanation = stage.explain(&web);
    assert_eq!(explanation.verdict, Verdict::Degraded);
    assert_eq!(explanation.reason, Some("FamilyUnavailable"));
    assert!(!explanation.is_served());
}

#[test]
fn an_address_of_somebody_else_and_one_that_left_its_pool_are_told() {
    let mut stage = Stage::new([default_eip("edge", "192.0.2.0/24")]);
    let foreign = stage.explain(&service("web", &["203.0.113.9"]));
    assert_eq!(
        (foreign.verdict, foreign.reason),
        (Verdict::Refused, Some("ForeignAddress"))
    );
    let web = service("web", &["192.0.2.1"]);
    stage.give(&web);
    let plan = stage
        .ipam
        .plan_pools(&[pool::spec(&default_eip("edge", "192.0.2.128/25")).unwrap()]);
    stage.ipam.apply_pools(plan.unwrap(), NOW).unwrap();
    let orphaned = stage.explain(&web);
    assert_eq!(
        (orphaned.verdict, orphaned.reason),
        (Verdict::Degraded, Some("AddressOrphaned"))
    );
}

#[test]
fn programs_read_the_same_as_json() {
    let mut stage = Stage::new([default_eip("edge", "192.0.2.0/24")]);
    let web = service("web", &["192.0.2.1"]);
    stage.give(&web);
    stage.announce("node-a", "192.0.2.1", AnnouncementState::Announced);
    let value = serde_json::to_value(stage.explain(&web)).unwrap();
    assert_eq!(value["verdict"], "Served");
    assert_eq!(value["addresses"][0]["announcements"][0]["node"], "node-a");
    assert_eq!(
        value["pools"][0]["checks"][0],
        json!({"name": "valid", "isMet": true, "fact": "192.0.2.0/24"})
    );
    assert!(value["pools"][0].get("refusedBy").is_none() && value.get("next").is_none());
}

#[test]
fn a_quota_of_the_namespace_is_a_check_of_its_own() {
    let mut edge = default_eip("edge", "192.0.2.0/24");
    edge.spec.quota = Some(crate::api::Quota { per_namespace: 1 });
    let mut stage = Stage::new([edge]);
    stage.give(&service("first", &[]));
    let explanation = stage.explain(&service("web", &[]));
    assert_eq!(explanation.reason, Some("QuotaExceeded"));
    assert_eq!(explanation.pools[0].refused_by, Some("quota"));
    let owner: Owner = "service/shop/web".parse().unwrap();
    assert!(
        stage.ipam.allocation(owner.key.as_str()).is_none(),
        "nothing was given"
    );
}

#[test]
fn a_cluster_is_explained_by_its_records_and_nobody_who_waits_is_planned_for() {
    let mut edge = default_eip("edge", "192.0.2.0/24");
    let record = |address: &str, owner: &str| (address.to_owned(), owner.to_owned());
    edge.status.used = [
        record("192.0.2.1", "shop/web"),
        record("192.0.2.2", "shop/unwritten"),
    ]
    .into();
    let mut web = service("web", &["192.0.2.1"]);
    web.metadata.finalizers = vec![names::SERVICE_FINALIZER.to_owned()];
    let cluster = Cluster {
        eips: vec![edge],
        services: vec![
            service("a-waiter", &[]),
            service("unwritten", &[]),
            web,
            service("z-waiter", &[]),
        ],
        ..Cluster::default()
    };
    let told = |name: &str| {
        let service = cluster.service("shop", name).unwrap();
        let explanation = cluster.explain(service, &Serving::default(), NOW);
        let first = &explanation.addresses[0];
        format!("{:?}: {} {}", explanation.verdict, first.how, first.address)
    };
    assert_eq!(told("web"), "Served: keeps 192.0.2.1");
    assert_eq!(told("unwritten"), "Unwritten: keeps 192.0.2.2");
    assert_eq!(
        told("z-waiter"),
        "Unwritten: gets 192.0.2.3",
        "whoever else waits"
    );
    assert!(cluster.service("shop", "none").is_none());
}

/// `shop/web` of an Eip that follows `home`, on record.
fn following(prefix: Option<&str>, shown: &[&str]) -> (Cluster, Service) {
    let mut edge = default_eip("edge", "home/::1000-::1fff");
    edge.status.used = [("home/::1000".to_owned(), "shop/web".to_owned())].into();
    let mut web = service("web", shown);
    web.spec.ip_families = vec![IpFamily::IPv6];
    web.spec.cluster_ips = vec!["fd00::7".to_owned()];
    web.metadata.finalizers = vec![names::SERVICE_FINALIZER.to_owned()];
    let mut home = DynamicPrefix::new("home", Vec::new());
    home.status.preferred = prefix.map(|prefix| PrefixGeneration {
        prefix: prefix.to_owned(),
        ..PrefixGeneration::default()
    });
    let cluster = Cluster {
        eips: vec![edge],
        services: vec![web.clone()],
        prefixes: vec![home],
        ..Cluster::default()
    };
    (cluster, web)
}

#[test]
fn an_address_that_follows_a_prefix_is_explained_as_it_is_shown_and_nowhere_in_the_ledgers_form() {
    let (cluster, web) = following(Some("2001:db8:a::/64"), &["2001:db8:a::1000"]);
    let explanation = cluster.explain(&web, &Serving::default(), NOW);
    let text = explanation.to_string();
    assert!(explanation.is_served(), "{text}");
    assert!(
        text.contains("keeps 2001:db8:a::1000 (home/::1000) of Eip edge"),
        "{text}"
    );
    assert!(text.contains("yes valid: home/::1000"), "{text}");
    assert_eq!(ledgers_form(&text), None, "{text}");
}

#[test]
fn an_address_whose_prefix_is_not_known_or_taken_says_so() {
    let (mut cluster, web) = following(None, &[]);
    let explain = |cluster: &Cluster| cluster.explain(&web, &Serving::default(), NOW);
    let explanation = explain(&cluster);
    assert_eq!(explanation.reason, Some("PrefixUnknown"));
    assert!(
        explanation
            .summary
            .starts_with("has home/::1000, and prefix home is not known yet"),
        "{explanation}"
    );
    let taken = |name: &str, since: &str| {
        let mut object = DynamicPrefix::new(name, Vec::new());
        object.status.preferred = Some(PrefixGeneration {
            prefix: "2001:db8:a::/64".into(),
            since: since.into(),
            ..PrefixGeneration::default()
        });
        object
    };
    cluster.prefixes = vec![
        taken("home", "2026-01-02T00:00:00Z"),
        taken("office", "2026-01-01T00:00:00Z"),
    ];
    let explanation = explain(&cluster);
    assert!(
        explanation.summary.contains("which is also that of office"),
        "{explanation}"
    );
    assert_eq!(ledgers_form(&explanation.to_string()), None);
}

/// The first address of the ledger's own in a text.
fn ledgers_form(text: &str) -> Option<&str> {
    let mut words = text.split(|c: char| !c.is_ascii_hexdigit() && c != ':');
    words.find(|word| word.parse().is_ok_and(openelb_ipam::relative::is_ledger))
}
