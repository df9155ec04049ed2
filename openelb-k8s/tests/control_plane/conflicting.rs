//! Another host on the link that has an address of a pool: from its answer to the speaker's probe to the
//! Service's next address.

use openelb_k8s::envtest::{ControlPlane, Netns, Release};
use serde_json::Value;

use crate::cluster::eventually;
use crate::running::Installation;
use crate::speaking::{NODE, speaker};

#[test]
fn metallb_80_an_address_that_a_host_on_the_link_has_is_replaced_and_quarantined() {
    let Some(mut here) = Installation::open(Release::Current) else {
        return;
    };
    let host = Host::beside(&here.plane);
    host.take("198.51.100.1/24");
    host.take("2001:db8:1::1/64");
    here.apply(NODE);
    here.apply(OBJECTS);
    here.start_controller(&[]);
    let mut speaker = speaker(&here.plane);

    for (service, next) in [("web", "198.51.100.2"), ("mail", "2001:db8:1::2")] {
        eventually("the next address is announced", || {
            (announced(&here, service)? == next).then_some(())
        });
        assert_eq!(here.addresses()[&format!("default/{service}")], [next]);
    }
    assert!(!here.records("lan").contains_key("198.51.100.1"));
    let event = eventually("an Event names the host", || {
        let words = "events --field-selector reason=AddressConflictOnWire";
        let events = here.read(words)["items"].as_array()?.clone();
        let about_web = |it: &&Value| it["involvedObject"]["name"] == "web";
        events.iter().find(about_web).cloned()
    });
    let note = event["message"].as_str().unwrap();
    assert!(note.contains("leaves 198.51.100.1"), "{note}");
    assert!(note.contains(STATION), "{note}");

    // By name it can be had, and is kept in conflict until the host leaves.
    host.take("198.51.100.3/24");
    here.apply(PINNED);
    let reason = || {
        let condition = here.condition("service/pinned", "openelb.io/AddressAssigned")?;
        condition["reason"].as_str().map(str::to_owned)
    };
    eventually("the conflict is told", || {
        (reason()? == "AddressConflictOnWire").then_some(())
    });
    assert_eq!(here.addresses()["default/pinned"], ["198.51.100.3"]);
    host.leave("198.51.100.3/24");
    eventually("the address is announced once it is free", || {
        (announced(&here, "pinned")? == "198.51.100.3").then_some(())
    });
    eventually("nothing is wrong any more", || {
        reason().is_none().then_some(())
    });
    assert!(speaker.ended().unwrap().is_none(), "{}", speaker.log());
    here.assert_nothing_was_refused();
}

/// A host that knows nothing of the cluster.
struct Host(Netns);

impl Host {
    fn beside(plane: &ControlPlane) -> Self {
        let host = Netns::create("stranger").unwrap();
        let node = plane.netns();
        node.link("lan0", "host0", &host).unwrap();
        let up = format!("link set host0 address {STATION} up");
        host.ip(&up).unwrap();
        node.ip("link set lan0 up").unwrap();
        node.ip("address add 198.51.100.254/24 dev lan0").unwrap();
        Self(host)
    }

    fn take(&self, address: &str) {
        let words = format!("address add {address} dev host0");
        self.0.ip(&words).unwrap();
    }

    fn leave(&self, address: &str) {
        let words = format!("address delete {address} dev host0");
        self.0.ip(&words).unwrap();
    }
}

/// The address of a Service that the node announces.
fn announced(here: &Installation, service: &str) -> Option<String> {
    let words = ["get", "nodeannouncement", "n1", "-o", "json"];
    let record = here.plane.kubectl(&words).ok()?;
    let record: Value = serde_json::from_str(&record).ok()?;
    let entries = record["status"]["addresses"].as_array()?.clone();
    let is_ours =
        |it: &&Value| it["service"] == format!("default/{service}") && it["state"] == "Announced";
    let entry = entries.iter().find(is_ours)?;
    entry["address"].as_str().map(str::to_owned)
}

/// Hardware address of the host.
const STATION: &str = "02:00:00:00:00:66";

const OBJECTS: &str = "
{apiVersion: network.kubesphere.io/v1alpha2, kind: Eip, metadata: {name: lan},
  spec: {address: '198.51.100.1-198.51.100.3, 2001:db8:1::1-2001:db8:1::3', protocol: layer2,
    interface: lan0, autoAssign: true}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: default},
  spec: {type: LoadBalancer, loadBalancerClass: openelb.io/openelb, ports: [{port: 80}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-1, namespace: default,
  labels: {kubernetes.io/service-name: web}}, addressType: IPv4,
  endpoints: [{addresses: [10.1.0.1], nodeName: n1}]}
---
{apiVersion: v1, kind: Service, metadata: {name: mail, namespace: default},
  spec: {type: LoadBalancer, loadBalancerClass: openelb.io/openelb, ports: [{port: 25}],
    ipFamilies: [IPv6]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: mail-1, namespace: default,
  labels: {kubernetes.io/service-name: mail}}, addressType: IPv6,
  endpoints: [{addresses: ['fd00:10::2'], nodeName: n1}]}
";

const PINNED: &str = "
{apiVersion: v1, kind: Service, metadata: {name: pinned, namespace: default},
  spec: {type: LoadBalancer, loadBalancerClass: openelb.io/openelb, ports: [{port: 80}],
    loadBalancerIP: 198.51.100.3}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: pinned-1, namespace: default,
  labels: {kubernetes.io/service-name: pinned}}, addressType: IPv4,
  endpoints: [{addresses: [10.1.0.3], nodeName: n1}]}
";
