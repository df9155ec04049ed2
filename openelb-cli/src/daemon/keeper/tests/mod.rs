//! The keeper's thread, step by step: what is durable, what is answered, what is announced.

mod prefix;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use openelb_announce::ownership::Standing;
use openelb_ipam::{Request, Time};
use openelb_k8s::bgp::Node;
use openelb_k8s::source::Runner;
use tokio::sync::oneshot;

use super::super::services::Services;
use super::super::speaker::{Conflict, News, Speaker};
use super::{Flow, Input, Keeping, MOVING, Wake};
use crate::config;
use crate::engine::{Answer, DrainStep, Engine, Owners, Question, ServiceState, StatusReport};
use crate::exit_code::{ExitCode, Failure};
use crate::store::{Batch, MemoryStore, Store, StoreError, Stored};

const NOW: Time = Time(1_000_000);

/// A store that counts its commits and fails after some of them.
struct Counting {
    store: MemoryStore,
    commits: Arc<AtomicUsize>,
    limit: usize,
}

impl Store for Counting {
    fn load(&mut self) -> Result<Stored, StoreError> {
        self.store.load()
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if self.commits.load(Ordering::SeqCst) >= self.limit {
            return Err(StoreError::Commit("no space left on device".to_owned()));
        }
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.store.commit(batch)
    }
}

struct Lab {
    keeping: Keeping,
    commits: Arc<AtomicUsize>,
}

impl Lab {
    /// A keeper with this configuration in force, whose store takes so many commits.
    fn new(yaml: &str, limit: usize) -> Self {
        let commits = Arc::new(AtomicUsize::new(0));
        let store = MemoryStore::default();
        let store = Counting {
            store,
            commits: Arc::clone(&commits),
            limit,
        };
        let mut engine = Engine::open(Box::new(store)).unwrap();
        let (mut services, _) = Services::new(Vec::new());
        services
            .put_in_force(configuration(yaml).unwrap(), &mut engine, NOW)
            .unwrap();
        engine.commit().unwrap();
        let speaker = Speaker::silent();
        Self {
            keeping: Keeping::new(engine, services, speaker, Runner::default()),
            commits,
        }
    }

    fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }

    /// Sends questions that arrive together and returns their answers.
    fn ask(&mut self, questions: Vec<Question>) -> Vec<Result<Answer, Failure>> {
        let (inputs, answers): (Vec<_>, Vec<_>) = questions
            .into_iter()
            .map(|question| {
                let (reply, answer) = oneshot::channel();
                (Input::Ask(question, reply), answer)
            })
            .unzip();
        assert_eq!(self.keeping.act(Wake::Inputs(inputs), NOW), Flow::Go);
        answers
            .into_iter()
            .map(|mut answer| answer.try_recv().expect("answered at once"))
            .collect()
    }

    fn conflict(&mut self, address: &str, is_lost: bool, now: Time) {
        let cause = "02:00:00:00:00:66 uses it on eth0".to_owned();
        let conflict = Conflict {
            address: address.parse().unwrap(),
            cause,
            is_lost,
        };
        self.keeping.act(Wake::News(News::Conflict(conflict)), now);
    }

    fn configure(&mut self, yaml: &str) {
        self.keeping.act(
            Wake::Inputs(vec![Input::Configure(Box::new(configuration(yaml)))]),
            NOW,
        );
    }

    fn status(&self, now: Time) -> StatusReport {
        self.keeping
            .services
            .status(&self.keeping.engine, &self.keeping.speaker, now)
    }

    fn announced(&self) -> Vec<IpAddr> {
        self.keeping
            .services
            .wanted(&self.keeping.engine)
            .announcements
            .into_keys()
            .collect()
    }
}

fn configuration(yaml: &str) -> Result<config::Config, config::InvalidConfig> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("openelb.yaml");
    std::fs::write(&path, yaml).unwrap();
    let node = Node {
        name: "node-a".to_owned(),
        ..Node::default()
    };
    config::load(&[path], &node)
}

fn pool(address: &str) -> String {
    format!(
        "apiVersion: network.kubesphere.io/v1alpha2\nkind: Eip\nmetadata: {{name: edge}}\n\
         spec: {{address: {address}, protocol: layer2, interface: eth0, autoAssign: true}}\n"
    )
}

fn service(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: openelb.io/v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
    )
}

fn allocate(number: usize) -> Question {
    let owners = Owners::Named(vec![format!("manual//x{number}").parse().unwrap()]);
    Question::Allocate {
        owners,
        request: Box::new(Request::default()),
    }
}

fn addresses(list: &[&str]) -> Vec<IpAddr> {
    list.iter()
        .map(|address| address.parse().unwrap())
        .collect()
}

#[test]
fn a_hundred_questions_that_arrive_together_share_one_commit() {
    let mut lab = Lab::new(&pool("192.0.2.0/24"), usize::MAX);
    let before = lab.commits();
    let answers = lab.ask((0..100).map(allocate).collect());
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(lab.commits(), before + 1);
}

#[test]
fn questions_that_do_not_change_anything_cost_no_commit() {
    let mut lab = Lab::new(&pool("192.0.2.0/24"), usize::MAX);
    let before = lab.commits();
    let answers = lab.ask(vec![Question::Pools, Question::Status]);
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(lab.commits(), before);
}

#[test]
fn when_the_commit_fails_no_change_is_acknowledged_and_looking_still_works() {
    let mut lab = Lab::new(&pool("192.0.2.0/24"), 1);
    let answers = lab.ask(vec![allocate(1), Question::Pools, allocate(2)]);
    let codes: Vec<_> = answers
        .iter()
        .map(|answer| answer.as_ref().err().map(|failure| failure.code))
        .collect();
    assert_eq!(
        codes,
        [Some(ExitCode::ReadOnly), None, Some(ExitCode::ReadOnly)]
    );
    assert!(lab.status(NOW).read_only.is_some());
    let listed = lab
        .ask(vec![Question::List {
            pool: None,
            namespace: None,
        }])
        .remove(0)
        .unwrap();
    let Answer::Holdings(holdings) = listed else {
        panic!("another answer")
    };
    assert!(
        holdings.holders.is_empty(),
        "nothing that a restart would not show"
    );
}

#[test]
fn a_read_only_daemon_refuses_a_configuration_and_says_why() {
    let mut lab = Lab::new(
        &format!("{}{}", pool("192.0.2.0/24"), service("web", "")),
        1,
    );
    lab.ask(vec![allocate(1)]);
    lab.configure(&pool("198.51.100.0/24"));
    let status = lab.status(NOW);
    assert_eq!((status.config.loads, status.config.refusals), (1, 1));
    assert!(
        status.config.errors[0].contains("read-only"),
        "{:?}",
        status.config.errors
    );
    assert_eq!(
        lab.announced(),
        addresses(&["192.0.2.1"]),
        "what was announced stays"
    );
}

#[test]
fn metallb_80_a_conflict_before_announcing_moves_the_service_to_another_address() {
    let mut lab = Lab::new(
        &format!("{}{}", pool("192.0.2.0/24"), service("web", "")),
        usize::MAX,
    );
    assert_eq!(lab.announced(), addresses(&["192.0.2.1"]));
    lab.conflict("192.0.2.1", true, NOW);
    assert_eq!(lab.announced(), addresses(&["192.0.2.2"]));
    let status = lab.status(NOW);
    assert_eq!(status.conflicts, 1);
    assert!(
        status.problems[0].contains("02:00:00:00:00:66"),
        "{:?}",
        status.problems
    );
    assert_eq!(status.pools[0].families[0].quarantined, "1");
}

#[test]
fn a_conflict_about_a_pinned_address_is_reported_and_it_returns_when_the_quarantine_ends() {
    let yaml = format!(
        "{}{}",
        pool("192.0.2.0/24"),
        service("web", "addresses: [192.0.2.9]")
    );
    let mut lab = Lab::new(&yaml, usize::MAX);
    lab.conflict("192.0.2.9", true, NOW);
    assert!(lab.announced().is_empty());
    let status = lab.status(NOW);
    assert_eq!(status.services[0].state, ServiceState::Waiting);
    assert!(
        status.services[0].detail.contains("AddressConflictOnWire"),
        "{:?}",
        status.services
    );

    let later = NOW + Duration::from_mins(5);
    lab.keeping.act(Wake::Deadline, later);
    assert_eq!(lab.announced(), addresses(&["192.0.2.9"]));
}

#[test]
fn a_conflict_about_an_elected_address_quarantines_nothing_as_it_may_be_with_the_owner() {
    let yaml = format!("{}{}{ELECTION}", pool("192.0.2.0/24"), service("web", ""));
    let mut lab = Lab::new(&yaml, usize::MAX);
    lab.keeping.act(Wake::Deadline, NOW);
    lab.conflict("192.0.2.1", true, NOW);
    assert_eq!(lab.announced(), addresses(&["192.0.2.1"]));
    let status = lab.status(NOW);
    assert_eq!(status.pools[0].families[0].quarantined, "0");
    assert!(
        status.problems[0].contains("conflict about 192.0.2.1"),
        "{:?}",
        status.problems
    );
}

#[test]
fn services_that_share_an_address_are_one_unit_and_stand_as_many_of_them_answer() {
    let shared = |name: &str, port: u16, more: &str| {
        let lines =
            format!("addresses: [192.0.2.9], sharingKey: blue, ports: [{{port: {port}}}]{more}");
        service(name, &lines)
    };
    let check = ", healthCheck: {protocol: TCP, port: 9}";
    let yaml = format!(
        "{}{}{}{}{ELECTION}",
        pool("192.0.2.0/24"),
        shared("dns", 53, check),
        shared("web", 80, check),
        service("alone", "addresses: [192.0.2.8]"),
    );
    let mut lab = Lab::new(&yaml, usize::MAX);
    let standing = |lab: &Lab| {
        let wanted = lab.keeping.services.wanted(&lab.keeping.engine);
        let units = wanted.contest.expect("an election").units;
        let names: Vec<_> = units
            .iter()
            .map(|unit| unit.group.name.to_string())
            .collect();
        assert_eq!(names, ["default", "service/default/dns"]);
        assert_eq!(units[1].services.len(), 2);
        units[1].group.standing
    };
    assert_eq!(
        standing(&lab),
        Standing::Excluded,
        "before the first verdict"
    );
    let hear = |lab: &mut Lab, name: &str, is_healthy| {
        let health = Input::Health {
            owner: format!("service/default/{name}").parse().unwrap(),
            is_healthy,
            detail: String::new(),
        };
        lab.keeping.act(Wake::Inputs(vec![health]), NOW);
    };
    let tier = |lab: &Lab| match standing(lab) {
        Standing::Excluded => None,
        Standing::Eligible { preference, .. } => Some(preference),
    };
    hear(&mut lab, "web", true);
    let half = tier(&lab).expect("one of them answers");
    hear(&mut lab, "dns", true);
    assert!(tier(&lab) > Some(half), "all of them answer");
    hear(&mut lab, "web", false);
    hear(&mut lab, "dns", false);
    assert_eq!(tier(&lab), None);
}

#[test]
fn a_conflict_that_is_defended_keeps_the_address_and_is_shown_for_a_while() {
    let mut lab = Lab::new(
        &format!("{}{}", pool("192.0.2.0/24"), service("web", "")),
        usize::MAX,
    );
    lab.conflict("192.0.2.1", false, NOW);
    assert_eq!(lab.announced(), addresses(&["192.0.2.1"]));
    assert_eq!(lab.status(NOW).problems.len(), 1);
    assert!(
        lab.status(NOW + Duration::from_mins(11))
            .problems
            .is_empty()
    );
}

#[test]
fn services_that_share_an_address_announce_it_once_and_only_the_last_withdraws_it() {
    let shared = |name, port| {
        service(
            name,
            &format!("addresses: [192.0.2.9], sharingKey: blue, ports: [{{port: {port}}}]"),
        )
    };
    let (http, https) = (shared("http", 80), shared("https", 443));
    let mut lab = Lab::new(
        &format!("{}{http}{https}", pool("192.0.2.0/24")),
        usize::MAX,
    );
    assert_eq!(lab.announced(), addresses(&["192.0.2.9"]));
    lab.configure(&format!("{}{https}", pool("192.0.2.0/24")));
    assert_eq!(lab.announced(), addresses(&["192.0.2.9"]));
    lab.configure(&pool("192.0.2.0/24"));
    assert!(lab.announced().is_empty());
}

#[test]
fn a_pool_that_is_not_announced_here_is_said_so() {
    let yaml = format!(
        "{}{}",
        pool("192.0.2.0/24").replace("layer2", "bgp"),
        service("web", "")
    );
    let lab = Lab::new(&yaml, usize::MAX);
    assert!(lab.announced().is_empty());
    let status = lab.status(NOW);
    assert_eq!(status.services[0].state, ServiceState::Allocated);
    assert_eq!(
        status.services[0].detail,
        "its pool is not announced by this daemon"
    );
}

#[test]
fn a_verdict_of_a_check_that_is_gone_changes_nothing() {
    let mut lab = Lab::new(
        &format!("{}{}", pool("192.0.2.0/24"), service("web", "")),
        usize::MAX,
    );
    let health = Input::Health {
        owner: "service/default/gone".parse().unwrap(),
        is_healthy: false,
        detail: String::new(),
    };
    lab.keeping.act(Wake::Inputs(vec![health]), NOW);
    assert_eq!(lab.announced(), addresses(&["192.0.2.1"]));
}

/// The same pool announced by BGP, with a speaker, and more lines for the pool.
fn routed_pool(more: &str) -> String {
    format!(
        "apiVersion: network.kubesphere.io/v1alpha2\nkind: Eip\nmetadata: {{name: edge}}\n\
         spec: {{address: '192.0.2.0/24, 2001:db8::/64', autoAssign: true, {more}}}\n---\n\
         apiVersion: network.kubesphere.io/v1alpha2\nkind: BgpConf\nmetadata: {{name: default}}\n\
         spec: {{as: 64512, routerId: 192.0.2.250}}\n"
    )
}

impl Lab {
    fn routes(&self) -> Vec<String> {
        let routes = self.keeping.services.routes(&self.keeping.engine);
        routes
            .iter()
            .map(|route| route.prefix.to_string())
            .collect()
    }

    fn health(&mut self, service: &str, is_healthy: bool) {
        let health = Input::Health {
            owner: format!("service/default/{service}").parse().unwrap(),
            is_healthy,
            detail: String::new(),
        };
        self.keeping.act(Wake::Inputs(vec![health]), NOW);
    }
}

const DUAL: &str = "ipFamilyPolicy: RequireDualStack";

#[test]
fn metallb_57_an_address_of_a_routed_pool_is_a_host_route_and_nothing_on_the_link() {
    let yaml = format!("{}{}", routed_pool(""), service("web", DUAL));
    let lab = Lab::new(&yaml, usize::MAX);
    assert_eq!(lab.routes(), ["192.0.2.1/32", "2001:db8::1/128"]);
    assert!(lab.announced().is_empty());
}

#[test]
fn metallb_62_a_service_that_does_not_serve_is_withdrawn_until_it_does() {
    let check = format!("{DUAL}, healthCheck: {{protocol: TCP, port: 80}}");
    let yaml = format!("{}{}", routed_pool(""), service("web", &check));
    let mut lab = Lab::new(&yaml, usize::MAX);
    assert!(lab.routes().is_empty(), "the first check is under way");
    assert!(!lab.keeping.services.is_settled());
    lab.health("web", true);
    assert_eq!(lab.routes().len(), 2);
    assert!(lab.keeping.services.is_settled());
    lab.health("web", false);
    assert!(lab.routes().is_empty());
    assert!(lab.keeping.services.is_settled(), "a verdict is a verdict");
    for silent in ["announce: Standby", "announce: Never"] {
        lab.configure(&format!("{}{}", routed_pool(""), service("web", silent)));
        assert!(lab.routes().is_empty(), "{silent}");
    }
}

#[test]
fn metallb_59_and_65_the_last_service_of_a_prefix_withdraws_it() {
    let shared = |name, port| {
        service(
            name,
            &format!("addresses: [192.0.2.9], sharingKey: blue, ports: [{{port: {port}}}]"),
        )
    };
    let (http, https) = (shared("http", 80), shared("https", 443));
    for (more, prefix) in [
        ("", "192.0.2.9/32"),
        (
            "bgp: {advertisements: [{aggregationLength: 24}]}",
            "192.0.2.0/24",
        ),
    ] {
        let pool = routed_pool(more);
        let mut lab = Lab::new(&format!("{pool}{http}{https}"), usize::MAX);
        assert_eq!(lab.routes(), [prefix]);
        lab.configure(&format!("{pool}{https}"));
        assert_eq!(lab.routes(), [prefix]);
        lab.configure(&pool);
        assert!(lab.routes().is_empty());
    }
}

#[test]
fn an_address_that_is_not_durable_is_routed_to_nobody() {
    let mut lab = Lab::new(&routed_pool(""), 1);
    lab.ask(vec![allocate(1)]);
    assert!(lab.status(NOW).read_only.is_some());
    lab.configure(&format!("{}{}", routed_pool(""), service("web", DUAL)));
    assert!(lab.routes().is_empty());
}

#[test]
fn a_drain_that_another_node_ordered_goes_on_to_its_second_step_by_itself_unless_taken_back() {
    let ordered = |lab: &mut Lab, step| {
        let by = "node-b".to_owned();
        let order = Wake::News(News::Ordered { by, step });
        assert_eq!(lab.keeping.act(order, NOW), Flow::Go);
    };
    let yaml = format!("{}{}{ELECTION}", pool("192.0.2.0/24"), service("web", ""));
    let mut lab = Lab::new(&yaml, usize::MAX);
    lab.keeping.finish(Vec::new(), NOW);
    ordered(&mut lab, DrainStep::Announce);
    assert_eq!(lab.keeping.until_deadline(NOW), MOVING);
    ordered(&mut lab, DrainStep::Undo);
    assert!(lab.keeping.until_deadline(NOW) > MOVING);
    ordered(&mut lab, DrainStep::Announce);
    lab.keeping.act(Wake::Deadline, NOW + MOVING);
    assert!(lab.keeping.withdraw_at.is_none(), "it is done");
    assert!(lab.keeping.until_deadline(NOW + MOVING) > MOVING);
}

#[test]
fn a_daemon_whose_network_side_ends_by_itself_ends_too_and_says_why() {
    let mut lab = Lab::new(&pool("192.0.2.0/24"), usize::MAX);
    let why = "BGP is spoken no more (one of its tasks panicked)".to_owned();
    let ended = Wake::News(News::Ended { why: why.clone() });
    assert_eq!(lab.keeping.act(ended, NOW), Flow::Stop);
    let failure = lab.keeping.failure.expect("the process exits with it");
    assert_eq!((failure.code, failure.message), (ExitCode::Failed, why));
}

const ELECTION: &str = "---
apiVersion: network.kubesphere.io/v1alpha2
kind: Layer2Conf
metadata: {name: default}
spec: {insecureWithoutKey: true}
";
