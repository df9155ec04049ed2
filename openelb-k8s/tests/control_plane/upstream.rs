//! Where a cluster learns its prefix: a real router beside a speaker, which changes its mind.

use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::PathBuf;
use std::process::Command;

use nix::sys::signal::Signal;
use openelb_k8s::envtest::{ControlPlane, Netns, Process, Release};
use serde_json::Value;

use crate::cluster::{eventually, skip_without};
use crate::controller::service;
use crate::running::Installation;
use crate::speaking::speaker;

#[test]
fn metallb_76_a_router_renumbers_beside_a_speaker_and_connections_have_their_grace() {
    if skip_without("radvd") {
        return;
    }
    let Some(mut here) = Installation::open(Release::Current) else {
        return;
    };
    let router = Router::beside(&here.plane);
    router.advertise(&[("2001:db8:a::/64", 3_600)]);
    let radvd = router.start();
    here.apply(NODE);
    here.apply(&prefix(
        "home",
        "routerAdvertisement: {interface: wan0}",
        "20s",
    ));
    here.apply(&pool("edge", "home/::1000-::1fff"));
    here.apply(&serving("web", "edge"));
    here.start_controller(&[]);
    let mut speaker = speaker(&here.plane);

    shows(&here, "web", &["2001:db8:a::1000"]);
    announces(&here, &["2001:db8:a::1000"]);
    router.advertise(&[("2001:db8:a::/64", 0), ("2001:db8:b::/64", 3_600)]);
    radvd.signal(Signal::SIGHUP).unwrap();
    let both = ["2001:db8:b::1000", "2001:db8:a::1000"];
    shows(&here, "web", &both);
    announces(&here, &both);

    // Whoever leads next knows from the status when the old one leaves.
    here.kill_controller(0);
    here.start_controller(&[]);
    shows(&here, "web", &both[..1]);
    announces(&here, &both[..1]);
    assert!(here.records("edge").contains_key("home/::1000"));
    assert!(speaker.ended().unwrap().is_none(), "{}", speaker.log());
    here.assert_nothing_was_refused();
}

#[test]
fn of_two_objects_with_one_prefix_the_later_one_is_refused_and_gets_it_when_the_other_goes() {
    let Some(mut here) = Installation::open(Release::Current) else {
        return;
    };
    here.start_controller(&[]);
    let fixed = "static: {prefix: '2001:db8:a::/64'}";
    here.apply(&prefix("home", fixed, "1s"));
    here.apply(&pool("edge", "home/::1000-::1fff"));
    here.apply(&serving("web", "edge"));
    shows(&here, "web", &["2001:db8:a::1000"]);

    here.apply(&prefix("annex", fixed, "1s"));
    here.apply(&pool("inner", "annex/::1000-::1fff"));
    here.apply(&serving("mail", "inner"));
    let conflict = eventually("the conflict is told", || {
        let ready = condition(&here, "annex", "Ready")?;
        (ready["reason"] == "PrefixConflict").then_some(ready)
    });
    let message = conflict["message"].as_str().unwrap();
    assert!(
        message.contains("annex") && message.contains("home"),
        "{message}"
    );
    eventually("it is an Event, too", || {
        let events = here.read("events.events.k8s.io --all-namespaces");
        let mut events = events["items"].as_array()?.clone().into_iter();
        events
            .any(|it| it["reason"] == "PrefixConflict" && it["regarding"]["name"] == "annex")
            .then_some(())
    });
    shows(&here, "mail", &[]);

    here.kubectl("delete service web");
    here.kubectl("delete dynamicprefix home");
    shows(&here, "mail", &["2001:db8:a::1000"]);
    here.assert_nothing_was_refused();
}

/// Waits until a Service shows exactly these.
fn shows(here: &Installation, service: &str, addresses: &[&str]) {
    let what = format!("Service {service} shows {addresses:?}");
    eventually(&what, || {
        let shown = here.addresses();
        let shown = shown.get(&format!("default/{service}"))?;
        (shown == addresses).then_some(())
    });
}

/// Waits until the node announces exactly these.
fn announces(here: &Installation, addresses: &[&str]) {
    let mut addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    addresses.sort_unstable();
    eventually(&format!("the node announces {addresses:?}"), || {
        let text = here
            .plane
            .kubectl(&["get", "nodeannouncement", "n1", "-o", "json"]);
        let record: Value = serde_json::from_str(&text.ok()?).ok()?;
        let entries = record["status"]["addresses"].as_array()?.iter();
        let announced = entries.filter(|it| it["state"] == "Announced");
        let mut announced: Vec<_> = announced
            .filter_map(|it| Some(it["address"].as_str()?.to_owned()))
            .collect();
        announced.sort_unstable();
        (announced == addresses).then_some(())
    });
}

fn condition(here: &Installation, prefix: &str, kind: &str) -> Option<Value> {
    let object = here.read(&format!("dynamicprefix {prefix}"));
    let conditions = object["status"]["conditions"].as_array()?.clone();
    conditions.into_iter().find(|it| it["type"] == kind)
}

fn prefix(name: &str, source: &str, grace: &str) -> String {
    format!(
        "apiVersion: network.kubesphere.io/v1alpha2\nkind: DynamicPrefix\n\
         metadata: {{name: {name}}}\n\
         spec: {{holdDown: 1s, grace: {grace}, sources: [{{{source}}}]}}\n---\n"
    )
}

fn pool(name: &str, address: &str) -> String {
    format!(
        "apiVersion: network.kubesphere.io/v1alpha2\nkind: Eip\nmetadata: {{name: {name}}}\n\
         spec: {{address: '{address}', protocol: layer2, interface: wan0, autoAssign: true}}\n---\n"
    )
}

/// A Service of an Eip, with an endpoint on the node.
fn serving(name: &str, eip: &str) -> String {
    let service = service(name, "ipFamilyPolicy: SingleStack, ipFamilies: [IPv6]");
    let metadata = format!("metadata: {{name: {name}, namespace: default");
    let named = format!("{metadata}, annotations: {{eip.openelb.kubesphere.io/v1alpha2: {eip}}}");
    service.replace(&metadata, &named)
        + &format!(
            "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n\
             metadata: {{name: {name}-1, namespace: default, labels: \
             {{kubernetes.io/service-name: {name}}}}}\naddressType: IPv6\n\
             endpoints: [{{addresses: ['fd00:10::2'], nodeName: n1}}]\n"
        )
}

/// A router of the provider, on the other end of `wan0` beside the API server.
struct Router {
    netns: Netns,
    folder: PathBuf,
}

impl Router {
    fn beside(plane: &ControlPlane) -> Self {
        let netns = Netns::create("isp").unwrap();
        let node = plane.netns();
        node.ip("link add wan0 type veth peer name isp0").unwrap();
        let id = std::process::id();
        let theirs = format!("/proc/{id}/fd/{}", netns.as_fd().as_raw_fd());
        node.ip(&format!("link set isp0 netns {theirs}")).unwrap();
        netns.run(|| set("all/forwarding", "1"));
        // Also where the node forwards for its containers.
        node.run(|| set("wan0/accept_ra", "2"));
        netns.ip("link set isp0 up").unwrap();
        netns.ip("address add fe80::1/64 dev isp0 nodad").unwrap();
        node.ip("link set wan0 up").unwrap();
        let folder = plane.folder().to_owned();
        Self { netns, folder }
    }

    /// Writes what is to be advertised: prefixes and for how many seconds each is preferred.
    fn advertise(&self, prefixes: &[(&str, u32)]) {
        let prefixes = prefixes.iter().map(|(prefix, preferred)| {
            format!(
                "prefix {prefix} {{ AdvPreferredLifetime {preferred}; AdvValidLifetime 7200; }};\n"
            )
        });
        let text = format!(
            "interface isp0 {{ AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4;\n{} }};\n",
            prefixes.collect::<String>()
        );
        std::fs::write(self.folder.join("radvd.conf"), text).unwrap();
    }

    fn start(&self) -> Process {
        let mut command = Command::new("radvd");
        command.args(["-n", "-m", "stderr", "-C"]);
        command.arg(self.folder.join("radvd.conf"));
        command.arg("-p").arg(self.folder.join("radvd.pid"));
        Process::start(&self.netns, &command, &self.folder.join("radvd.log")).unwrap()
    }
}

fn set(key: &str, value: &str) {
    std::fs::write(format!("/proc/sys/net/ipv6/conf/{key}"), value).unwrap();
}

const NODE: &str = "
{apiVersion: v1, kind: Node, metadata: {name: n1},
  status: {addresses: [{type: InternalIP, address: 10.99.0.1}]}}
---
{apiVersion: v1, kind: Secret, metadata: {name: openelb-layer2, namespace: openelb-system},
  stringData: {key: correct horse battery}}
---
";
