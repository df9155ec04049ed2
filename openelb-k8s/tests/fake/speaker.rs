//! The speaker as it is, between the fake server and a router that listens: whatever becomes of the
//! API server, nothing is withdrawn that is still to be announced, and what happened meanwhile is
//! caught up with.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::IpAddr;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use openelb_announce::announcer::speaker::{Speaker, SpeakerConfig, SpeakerOptions};
use openelb_announce::bgp::Asn;
use openelb_announce::bgp::Community;
use openelb_announce::bgp::config::{Config, Peer, Remote, Settings};
use openelb_announce::bgp::status::EndedBy;
use openelb_k8s::envtest::Netns;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::server::{Fake, Fault, Verb};

#[test]
fn without_the_api_server_announcements_go_on_and_what_happened_is_caught_up_with() {
    let Some(world) = World::start("cut", |_| {}) else {
        return;
    };
    world.serve("stays", "192.0.2.1");
    world.serve("goes", "192.0.2.2");
    world.until(&["192.0.2.1", "192.0.2.2"]);
    world.fake.faults(|faults| faults.cut(CLIENT));
    world.delete("goes");
    world.serve("comes", "192.0.2.3");
    world.assert_goes_on(&["192.0.2.1", "192.0.2.2"]);
    world.fake.faults(|faults| faults.mend(CLIENT));
    world.until(&["192.0.2.1", "192.0.2.3"]);
}

/// What is missing from half a list is not gone.
#[test]
fn a_history_that_is_forgotten_and_a_list_that_is_slow_withdraw_nothing() {
    let Some(world) = World::start("gone", |_| {}) else {
        return;
    };
    world.serve("stays", "192.0.2.1");
    world.serve("goes", "192.0.2.2");
    world.until(&["192.0.2.1", "192.0.2.2"]);
    world.fake.rule(Box::new(|call| {
        let is_list = call.verb == Verb::List && call.plural != "eips";
        is_list.then_some(Fault::Delay(Duration::from_secs(2)))
    }));
    world.fake.faults(|faults| faults.cut(CLIENT));
    world.delete("goes");
    world.fake.forget_history();
    world.fake.faults(|faults| faults.mend(CLIENT));
    world.assert_goes_on(&["192.0.2.1", "192.0.2.2"]);
    world.until(&["192.0.2.1"]);
    let relisted = world
        .fake
        .journal()
        .into_iter()
        .filter(|entry| entry.call.verb == Verb::List && entry.call.plural == "services");
    assert!(relisted.count() >= 2, "the history was forgotten for it");
}

#[test]
fn watches_that_stand_still_change_nothing_until_they_go_on() {
    let Some(world) = World::start("held", |_| {}) else {
        return;
    };
    world.serve("stays", "192.0.2.1");
    world.serve("goes", "192.0.2.2");
    world.until(&["192.0.2.1", "192.0.2.2"]);
    world.fake.faults(|faults| faults.hold(CLIENT, true));
    world.delete("goes");
    world.serve("comes", "192.0.2.3");
    world.assert_goes_on(&["192.0.2.1", "192.0.2.2"]);
    world.fake.faults(|faults| faults.hold(CLIENT, false));
    world.until(&["192.0.2.1", "192.0.2.3"]);
}

#[test]
fn a_server_that_is_slow_and_fails_every_third_request_only_delays() {
    let Some(world) = World::start("slow", |fake| {
        let mut count = 0;
        fake.rule(Box::new(move |_| {
            count += 1;
            Some(match count % 3 {
                0 => Fault::Fail(500),
                _ => Fault::Delay(Duration::from_millis(150)),
            })
        }));
    }) else {
        return;
    };
    world.serve("one", "192.0.2.1");
    world.until(&["192.0.2.1"]);
    world.serve("two", "192.0.2.2");
    world.until(&["192.0.2.1", "192.0.2.2"]);
    world.delete("one");
    world.until(&["192.0.2.2"]);
}

/// The router has the time to take other paths while this one still works.
#[test]
fn contract_30_a_speaker_that_is_told_to_stop_asks_for_other_paths_before_it_withdraws_and_ceases()
{
    let Some(mut world) = World::start("stop", |_| {}) else {
        return;
    };
    world.serve("one", "192.0.2.1");
    world.until(&["192.0.2.1"]);
    assert!(!world.asks_for_other_paths());
    drop(world.stop.take());
    world.wait(
        "the route is there, and is to be avoided",
        World::asks_for_other_paths,
    );
    world.until(&[]);
    world.wait("the session ended", |world| {
        let peers = world.router.status().unwrap().peers;
        let ends = peers.iter().filter_map(|it| it.last_error.as_ref());
        let mut ceased = ends.filter(|it| matches!(it.code, Some((CEASE, _))));
        ceased.any(|it| it.by == EndedBy::Peer)
    });
}

/// A cluster of one node, its speaker, and a router.
struct World {
    fake: Fake,
    router: Speaker,
    /// What tells the speaker to stop.
    stop: Option<oneshot::Sender<()>>,
    speaker: Option<JoinHandle<()>>,
    /// The place of both; it goes with the last of them.
    _netns: Netns,
}

impl World {
    /// Starts all of it; `None` after saying loudly that this takes root. The clock is the real one:
    /// sessions are.
    fn start(name: &str, prepare: impl FnOnce(&Fake)) -> Option<Self> {
        let netns = match Netns::create(name) {
            Ok(netns) => netns,
            Err(why) => {
                let skipped = format!("\nSKIPPED: no speaker beside the fake server: {why}\n");
                let _ = std::io::stderr().write_all(skipped.as_bytes());
                assert!(std::env::var_os("CI").is_none(), "{why}");
                return None;
            }
        };
        netns.ip("address add 10.99.0.1/32 dev lo").unwrap();
        netns.ip("address add 10.99.0.2/32 dev lo").unwrap();
        let fake = Fake::new();
        for (path, object) in objects() {
            fake.user("POST", path, &object).unwrap();
        }
        prepare(&fake);
        let router = router(&netns);
        let (stop, stopped) = oneshot::channel::<()>();
        let server = fake.clone();
        // It gives up the capabilities of its thread, and is in the namespace of the one before.
        let speaker = netns.run(move || {
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async move {
                    let arguments = [
                        "openelb-k8s",
                        "speaker",
                        "--node-name=n1",
                        "--drain-time=1s",
                    ];
                    let stop = async move { drop(stopped.await) };
                    let client = server.client(CLIENT);
                    openelb_k8s::daemon::speak(&arguments, client, stop)
                        .await
                        .unwrap();
                });
            })
        });
        Some(Self {
            fake,
            router,
            stop: Some(stop),
            speaker: Some(speaker),
            _netns: netns,
        })
    }

    /// Makes a Service that has an address and an endpoint.
    fn serve(&self, name: &str, address: &str) {
        let labels = json!({openelb_k8s::names::POOL_LABEL: "edge"});
        let spec = json!({"type": "LoadBalancer", "ports": [{"port": 80}]});
        let service = json!({"metadata": {"name": name, "labels": labels}, "spec": spec});
        self.fake.user("POST", SERVICES, &service).unwrap();
        let slice = json!({
            "metadata": {"name": format!("{name}-1"), "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.1.0.1"], "nodeName": "n1"}],
        });
        self.fake.user("POST", SLICES, &slice).unwrap();
        let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": address}]}}});
        let path = format!("{SERVICES}/{name}/status");
        self.fake.user("PATCH", &path, &status).unwrap();
    }

    fn delete(&self, name: &str) {
        let path = format!("{SERVICES}/{name}");
        self.fake.user("DELETE", &path, &Value::Null).unwrap();
    }

    /// The addresses that the router has routes to.
    fn routes(&self) -> BTreeSet<String> {
        let received = self.router.query(|speaker, _| {
            let peer = ROUTED.into();
            let received = speaker.received(&peer).into_iter().flatten();
            received.map(|it| it.nlri.prefix.to_string()).collect()
        });
        received.unwrap()
    }

    /// Whether every route of the speaker is marked with `GRACEFUL_SHUTDOWN` (RFC 8326), and there are
    /// some.
    fn asks_for_other_paths(&self) -> bool {
        let marks = self.router.query(|speaker, _| {
            let peer = ROUTED.into();
            let received = speaker.received(&peer).into_iter().flatten();
            let communities = received.map(|it| &it.attributes.communities);
            let marks = communities.map(|it| it.contains(&Community::GRACEFUL_SHUTDOWN));
            marks.collect::<Vec<_>>()
        });
        let marks = marks.unwrap();
        !marks.is_empty() && marks.into_iter().all(|is_marked| is_marked)
    }

    fn wait(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..PATIENCE {
            if is_so(self) {
                return;
            }
            thread::sleep(GLANCE);
        }
        panic!("never: {what}; {:?}", self.router.status());
    }

    fn until(&self, addresses: &[&str]) {
        let wanted = hosts(addresses);
        let mut seen = BTreeSet::new();
        for _ in 0..PATIENCE {
            seen = self.routes();
            if seen == wanted {
                return;
            }
            thread::sleep(GLANCE);
        }
        let peers = self.router.status().unwrap().peers;
        let peers = peers.iter().map(|it| (it.state, it.families.ipv4.received));
        let peers: Vec<_> = peers.collect();
        let record = self.fake.user("GET", RECORD, &Value::Null);
        panic!("the router has {seen:?} of {peers:?}, and never {wanted:?}; {record:?}");
    }

    /// For as long as it takes to be sure that nobody acts on it.
    fn assert_goes_on(&self, addresses: &[&str]) {
        let wanted = hosts(addresses);
        for _ in 0..20 {
            assert_eq!(self.routes(), wanted);
            thread::sleep(GLANCE);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.speaker.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(ended.is_some_and(|it| it.is_ok()), "the speaker ends well");
        }
    }
}

fn hosts(addresses: &[&str]) -> BTreeSet<String> {
    addresses.iter().map(|it| format!("{it}/32")).collect()
}

/// A router that waits for the speaker.
fn router(netns: &Netns) -> Speaker {
    let router = netns.run(|| Speaker::start(SpeakerOptions::default()));
    let router = router.unwrap();
    let mut config = Config::new(Asn(65001), "10.99.0.2".parse().unwrap());
    config.listen = vec!["10.99.0.2:1790".parse().unwrap()];
    let remote: IpAddr = "10.99.0.1".parse().unwrap();
    config.peers = vec![Peer {
        name: ROUTED.into(),
        remote: Remote::from(remote),
        settings: Settings {
            passive: true,
            keep_received: true,
            ..Settings::default()
        },
    }];
    router.configure(SpeakerConfig::from(config)).unwrap();
    router
}

/// What the installation and its operator have made.
fn objects() -> [(&'static str, Value); 4] {
    let address = json!({"type": "InternalIP", "address": "10.99.0.1"});
    [
        (
            "/api/v1/nodes",
            json!({"metadata": {"name": "n1"}, "status": {"addresses": [address]}}),
        ),
        (
            "/apis/network.kubesphere.io/v1alpha2/eips",
            json!({"metadata": {"name": "edge"}, "spec": {"address": "192.0.2.0/24"}}),
        ),
        (
            "/apis/network.kubesphere.io/v1alpha2/bgpconfs",
            json!({"metadata": {"name": "default"}, "spec": {"as": 65000, "listenPort": -1}}),
        ),
        (
            "/apis/network.kubesphere.io/v1alpha2/bgppeers",
            json!({"metadata": {"name": "tor"}, "spec": {
                "conf": {"neighborAddress": "10.99.0.2", "peerAs": 65001},
                "transport": {"remotePort": 1790, "localAddress": "10.99.0.1"},
            }}),
        ),
    ]
}

/// Code of the NOTIFICATION that ends a session on purpose (RFC 4271 section 4.5).
const CEASE: u8 = 6;
const CLIENT: &str = "speaker";
/// What the router calls the speaker.
const ROUTED: &str = "n1";
const SERVICES: &str = "/api/v1/namespaces/default/services";
const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const RECORD: &str = "/apis/network.kubesphere.io/v1alpha2/nodeannouncements/n1";
const GLANCE: Duration = Duration::from_millis(50);
/// A minute: backed off, a watch rests for ten seconds.
const PATIENCE: usize = 1_200;
