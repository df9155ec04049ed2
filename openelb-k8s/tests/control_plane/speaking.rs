//! A speaker as a process with its own token: what it tells a router, a link and the API server.

use std::net::IpAddr;
use std::process::Command;

use nix::sys::signal::Signal;
use openelb_announce::announcer::speaker::{Speaker, SpeakerConfig, SpeakerOptions};
use openelb_announce::bgp::Asn;
use openelb_announce::bgp::config::{Config, Peer, Remote, Settings};
use openelb_announce::bgp::peer::State;
use openelb_announce::bgp::route::{NextHopMode, Route};
use openelb_announce::bgp::status::EndedBy;
use openelb_k8s::envtest::{ControlPlane, Process, Release, User};
use openelb_k8s::manifests::{Options, Part, part_of, yaml};
use serde_json::Value;

use crate::cluster::{eventually, own};
use crate::objects;
use crate::operating::{page, words};

#[test]
fn a_speaker_announces_with_its_own_rights_and_goes_on_without_the_api_server() {
    let Some(mut plane) = own(Release::Current) else {
        return;
    };
    install(&plane);
    let router = router(&plane);
    let mut speaker = speaker(&plane);

    eventually("the router has the address", || {
        (routes(&router) == 1).then_some(())
    });
    let record = eventually("the record shows both addresses", || {
        let record = read(&plane, "nodeannouncement", "n1")?;
        let addresses = record["status"]["addresses"].as_array()?.clone();
        let announced = addresses.iter().filter(|it| it["state"] == "Announced");
        (announced.count() == 2).then_some(record)
    });
    assert_eq!(record["metadata"]["ownerReferences"][0]["name"], "n1");
    let addresses = &record["status"]["addresses"];
    assert_eq!(addresses[0]["peers"][0], "tor");
    assert_eq!(addresses[1]["interface"], "lan0");
    let state = eventually("the session is in the status of the peer", || {
        let peer = read(&plane, "bgppeer", "tor")?;
        let state = peer["status"]["nodesPeerStatus"]["n1"]["peerState"].clone();
        (state["sessionState"] == "ESTABLISHED").then_some(state)
    });
    assert!(state.get("authPassword").is_none());
    let conf = read(&plane, "bgpconf", "default").unwrap();
    assert_eq!(conf["status"]["nodesConfStatus"]["n1"]["as"], 65000);

    assert_what_a_node_sees_of_a_prefix_is_reported(&plane);
    assert_pages_tell_the_same(&plane);

    // Not after a restart of the API server: for a moment it knows no roles then, and refuses all.
    assert_eq!(plane.denied("openelb-system"), []);

    plane.stop_api_server();
    assert_nothing_is_withdrawn(&router, &speaker);
    plane.start_api_server().unwrap();
    plane.apply(NO_ENDPOINT).unwrap();
    eventually("what happened since is caught up with", || {
        (routes(&router) == 0).then_some(())
    });
    plane.apply(ENDPOINT).unwrap();
    eventually("the router has it again", || {
        (routes(&router) == 1).then_some(())
    });

    speaker.signal(Signal::SIGTERM).unwrap();
    let ended = speaker.wait().unwrap();
    assert!(ended.success(), "{}", speaker.log());
    assert!(!words(&speaker.log()).is_empty());
    assert_told_that_nobody_comes_back(&router);
}

#[test]
fn routes_to_pods_go_with_the_speaker_and_what_a_dead_one_left_elsewhere_goes_at_its_start() {
    let Some(plane) = own(Release::Current) else {
        return;
    };
    install(&plane);
    plane.apply(POD_ROUTES).unwrap();
    let left = "route add blackhole 10.244.9.0/24 proto 112 table 100";
    plane.netns().ip(left).unwrap();
    let router = router(&plane);
    router
        .announce(vec![Route {
            next_hop: NextHopMode::Exactly("198.51.100.7".parse().unwrap()),
            ..Route::to("10.244.7.0/24".parse().unwrap())
        }])
        .unwrap();
    router.synced().unwrap();
    let mut speaker = speaker(&plane);
    eventually("the route of the router is there, and nothing else", || {
        (kernel_routes(&plane) == ["10.244.7.0/24"]).then_some(())
    });
    speaker.signal(Signal::SIGTERM).unwrap();
    assert!(speaker.wait().unwrap().success(), "{}", speaker.log());
    assert_eq!(kernel_routes(&plane), [""; 0], "{}", speaker.log());
}

/// Where speakers' routes lead, in every table of the node's kernel.
fn kernel_routes(plane: &ControlPlane) -> Vec<String> {
    let show = || {
        let mut command = Command::new("ip");
        command.args(["-json", "route", "show", "table", "all", "proto", "112"]);
        command.output()
    };
    let shown = plane.netns().run(show).unwrap();
    let routes: Vec<Value> = serde_json::from_slice(&shown.stdout).unwrap();
    let destinations = routes.iter().map(|it| it["dst"].as_str().unwrap());
    destinations.map(str::to_owned).collect()
}

fn assert_what_a_node_sees_of_a_prefix_is_reported(plane: &ControlPlane) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prefix");
    let object = format!(
        "apiVersion: network.kubesphere.io/v1alpha2\nkind: DynamicPrefix\nmetadata: {{name: home}}\n\
         spec: {{sources: [{{file: {{path: {}}}}}]}}\n",
        path.display()
    );
    plane.apply(&object).unwrap();
    for prefix in ["2001:db8:a::/56", "2001:db8:b::/56"] {
        std::fs::write(&path, prefix).unwrap();
        eventually("the record shows the prefix", || {
            let record = read(plane, "nodeannouncement", "n1")?;
            let seen = &record["status"]["prefixes"][0];
            (seen["name"] == "home" && seen["prefix"] == prefix).then_some(())
        });
    }
}

fn assert_pages_tell_the_same(plane: &ControlPlane) {
    for probe in ["/healthz", "/readyz"] {
        assert_eq!(page(plane, 7481, probe), Some((200, "ok\n".to_owned())));
    }
    let (_, metrics) = page(plane, 7481, "/metrics").unwrap();
    for line in [
        "openelb_announcements{protocol=\"bgp\",state=\"announced\"} 1.0\n",
        "openelb_announcements{protocol=\"layer2\",state=\"announced\"} 1.0\n",
        "openelb_bgp_session_up{peer=\"tor\"} 1.0\n",
        "openelb_bgp_advertised_routes{peer=\"tor\",family=\"ipv4-unicast\"} 1.0\n",
        "openelb_l2_owned_shards{interface=\"lan0\"} ",
        "openelb_conflicts_total 0\n",
        // The names that OpenELB gave them.
        "\nsession_up{peerIP=\"10.99.0.2\",nodeName=\"n1\"} 1.0\n",
        "\nannounced_prefixes_total{peerIP=\"10.99.0.2\",nodeName=\"n1\"} 1.0\n",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}

fn assert_nothing_is_withdrawn(router: &Speaker, speaker: &Process) {
    for _ in 0..20 {
        assert_eq!(routes(router), 1, "{}", speaker.log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Both sides keep routes over a restart; only a Hard Reset (RFC 8538) says that there is none.
fn assert_told_that_nobody_comes_back(router: &Speaker) {
    let said = eventually("the router is told that the session is over", || {
        let status = router.status().unwrap();
        let error = status.peers.first()?.last_error.clone();
        error.filter(|_| routes(router) == 0)
    });
    let told = (said.code, said.by);
    assert_eq!(told, (Some((6, 9)), EndedBy::Peer), "{}", said.words);
}

/// Our kinds, the speaker's rights, a node with a link, and a service of each kind of pool.
fn install(plane: &ControlPlane) {
    objects::define(plane);
    let options = Options::default();
    let parts = [Part::Namespace, Part::Access];
    let parts: Vec<_> = parts
        .iter()
        .flat_map(|part| part_of(*part, &options))
        .collect();
    plane.apply(&yaml(&parts)).unwrap();
    plane.apply(NODE).unwrap();
    plane.apply(OBJECTS).unwrap();
    plane.apply(ENDPOINT).unwrap();
    for (service, address) in [("routed", "192.0.2.1"), ("linked", "198.51.100.1")] {
        let status =
            format!(r#"{{"status":{{"loadBalancer":{{"ingress":[{{"ip":"{address}"}}]}}}}}}"#);
        let patch = [
            "patch",
            "service",
            service,
            "--subresource=status",
            "--type=merge",
            "-p",
            &status,
        ];
        plane.kubectl(&patch).unwrap();
    }
    let netns = plane.netns();
    netns.ip("address add 10.99.0.2/32 dev lo").unwrap();
    netns.ip("link add lan0 type veth peer name lan1").unwrap();
    netns.ip("link set lan0 up").unwrap();
    netns.ip("link set lan1 up").unwrap();
    netns.ip("address add 198.51.100.254/24 dev lan0").unwrap();
}

/// A router beside the API server that waits for the speaker.
fn router(plane: &ControlPlane) -> Speaker {
    let speaker = plane
        .netns()
        .run(|| Speaker::start(SpeakerOptions::default()));
    let speaker = speaker.unwrap();
    let mut config = Config::new(Asn(65001), "10.99.0.2".parse().unwrap());
    config.listen = vec!["10.99.0.2:1790".parse().unwrap()];
    let remote: IpAddr = "10.99.0.1".parse().unwrap();
    config.peers = vec![Peer {
        name: "n1".into(),
        remote: Remote::from(remote),
        settings: Settings {
            passive: true,
            keep_received: true,
            ..Settings::default()
        },
    }];
    speaker.configure(SpeakerConfig::from(config)).unwrap();
    speaker
}

/// How many routes the router has from the speaker.
fn routes(router: &Speaker) -> usize {
    let status = router.status().unwrap();
    let up = status
        .peers
        .iter()
        .filter(|peer| peer.state == State::Established);
    up.map(|peer| peer.families.ipv4.received).sum()
}

pub(crate) fn speaker(plane: &ControlPlane) -> Process {
    let account = User::ServiceAccount {
        namespace: "openelb-system",
        name: "openelb-speaker",
    };
    let kubeconfig = plane.kubeconfig(account).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_openelb-k8s"));
    command.arg("speaker").arg("--kubeconfig").arg(kubeconfig);
    command.args([
        "--node-name=n1",
        "--metrics-addr=127.0.0.1:7481",
        "--openelb-metric-names",
        "--drain-time=500ms",
    ]);
    let log = plane.folder().join("speaker.log");
    Process::start(plane.netns(), &command, &log).unwrap()
}

fn read(plane: &ControlPlane, kind: &str, name: &str) -> Option<Value> {
    let text = plane.kubectl(&["get", kind, name, "-o", "json"]).ok()?;
    serde_json::from_str(&text).ok()
}

/// The node of [`speaker`], and the key of the election.
pub(crate) const NODE: &str = "
{apiVersion: v1, kind: Node, metadata: {name: n1},
  status: {addresses: [{type: InternalIP, address: 10.99.0.1}]}}
---
{apiVersion: v1, kind: Secret, metadata: {name: openelb-layer2, namespace: openelb-system},
  stringData: {key: correct horse battery}}
---
";

const OBJECTS: &str = "
{apiVersion: network.kubesphere.io/v1alpha2, kind: Eip, metadata: {name: edge},
  spec: {address: 192.0.2.0/24}}
---
{apiVersion: network.kubesphere.io/v1alpha2, kind: Eip, metadata: {name: lan},
  spec: {address: 198.51.100.0/28, protocol: layer2, interface: lan0}}
---
{apiVersion: network.kubesphere.io/v1alpha2, kind: BgpConf, metadata: {name: default},
  spec: {as: 65000, listenPort: -1}}
---
{apiVersion: network.kubesphere.io/v1alpha2, kind: BgpPeer, metadata: {name: tor},
  spec: {conf: {neighborAddress: 10.99.0.2, peerAs: 65001},
    transport: {remotePort: 1790, localAddress: 10.99.0.1}}}
---
{apiVersion: v1, kind: Service, metadata: {name: routed, namespace: default,
  labels: {eip.openelb.kubesphere.io/v1alpha2: edge}},
  spec: {type: LoadBalancer, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: linked, namespace: default,
  labels: {eip.openelb.kubesphere.io/v1alpha2: lan}},
  spec: {type: LoadBalancer, ports: [{port: 80}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: linked-1, namespace: default,
  labels: {kubernetes.io/service-name: linked}}, addressType: IPv4,
  endpoints: [{addresses: [10.1.0.2], nodeName: n1}]}
";

const POD_ROUTES: &str = "
{apiVersion: network.kubesphere.io/v1alpha2, kind: PodNetwork, metadata: {name: default},
  spec: {ranges: [10.244.0.0/16], kernelRoutes: {enabled: true}}}
";

const ENDPOINT: &str = "
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: routed-1, namespace: default,
  labels: {kubernetes.io/service-name: routed}}, addressType: IPv4,
  endpoints: [{addresses: [10.1.0.1], nodeName: n1}]}
";

const NO_ENDPOINT: &str = "
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: routed-1, namespace: default,
  labels: {kubernetes.io/service-name: routed}}, addressType: IPv4,
  endpoints: [{addresses: [10.1.0.1], nodeName: n1, conditions: {ready: false}}]}
";
