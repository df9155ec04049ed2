//! A network that replaces its prefix under a running cluster: statuses, Events, and nothing restarted.

use openelb_k8s::envtest::Release;
use serde_json::{Value, json};

use crate::cluster::eventually;
use crate::controller::{pool, service};
use crate::running::Installation;

#[test]
fn metallb_76_a_renumbering_shows_the_new_address_first_and_takes_the_old_one_away_later() {
    let Some(mut here) = Installation::open(Release::Current) else {
        return;
    };
    here.start_controller(&[]);
    here.apply(&fixed("2001:db8:a::/64"));
    here.apply(&pool("lab", "home/::1000-::1fff"));
    here.apply(&service("web", IPV6));
    wait_for(&mut here, &["2001:db8:a::1000"]);
    assert_eq!(here.records("lab"), owner("home/::1000"));

    here.apply(&fixed("2001:db8:b::/64"));
    wait_for(&mut here, &["2001:db8:b::1000", "2001:db8:a::1000"]);
    let leaving = here.read("dynamicprefix home");
    assert_eq!(
        leaving["status"]["deprecated"][0]["until"],
        Value::Null,
        "B is not announced yet"
    );

    announce(&here, "2001:db8:b::1000");
    wait_for(&mut here, &["2001:db8:b::1000"]);
    assert_eq!(
        here.records("lab"),
        owner("home/::1000"),
        "the record never moved"
    );

    let before = versions(&here);
    here.apply(&pool("other", "192.0.2.0/28"));
    here.apply(&service("sentinel", "loadBalancerIP: 192.0.2.3"));
    here.wait_for_addresses(2);
    assert_eq!(
        versions(&here),
        before,
        "nothing is written after a renumbering is over"
    );
    let told = eventually("its Events are there", || {
        let told = reasons(&here);
        told.contains(&"Withdrawn".to_owned()).then_some(told)
    });
    for reason in ["PrefixDetected", "Renumbered", "Deprecated", "Withdrawn"] {
        assert!(told.contains(&reason.to_owned()), "{reason}: {told:?}");
    }
    here.assert_nothing_was_refused();
}

#[test]
fn metallb_77_a_node_that_sees_the_prefix_no_more_keeps_it_and_says_so() {
    let Some(mut here) = Installation::open(Release::Current) else {
        return;
    };
    here.start_controller(&[]);
    here.apply(&prefix("address: {interface: wan0}"));
    here.apply(&pool("lab", "home/::1000-::1fff"));
    here.apply(&service("web", IPV6));
    let sees = json!({"name": "home", "source": 0, "origin": "wan0", "prefix": "2001:db8:a::/64"});
    observe(&here, &sees);
    wait_for(&mut here, &["2001:db8:a::1000"]);

    let fails = json!({"name": "home", "source": 0, "problem": "no-such-interface"});
    observe(&here, &fails);
    eventually("it is degraded", || is_degraded(&here).then_some(()));
    wait_for(&mut here, &["2001:db8:a::1000"]);

    observe(&here, &sees);
    eventually("it is well again", || (!is_degraded(&here)).then_some(()));
    wait_for(&mut here, &["2001:db8:a::1000"]);
    here.assert_nothing_was_refused();
}

/// Waits until the Service shows exactly these.
fn wait_for(here: &mut Installation, addresses: &[&str]) {
    eventually("the Service shows its addresses", || {
        let shown = here.wait_for_addresses(1);
        (shown["default/web"] == addresses).then_some(())
    });
}

fn fixed(delegated: &str) -> String {
    prefix(&format!("static: {{prefix: \"{delegated}\"}}"))
}

fn prefix(source: &str) -> String {
    format!(
        "apiVersion: network.kubesphere.io/v1alpha2\nkind: DynamicPrefix\nmetadata: {{name: home}}\n\
         spec: {{holdDown: 1s, grace: 3s, sources: [{{{source}}}]}}\n---\n"
    )
}

fn owner(record: &str) -> std::collections::BTreeMap<String, String> {
    [(record.to_owned(), "default/web".to_owned())].into()
}

/// What the speaker of a node would say of an address.
fn announce(here: &Installation, address: &str) {
    let announced = json!({"address": address, "service": "default/web", "eip": "lab",
        "protocol": "bgp", "state": "Announced", "since": "2026-01-01T00:00:00Z"});
    report(here, &json!({"addresses": [announced]}));
}

/// What the speaker of a node would say of a prefix.
fn observe(here: &Installation, observed: &Value) {
    report(here, &json!({"prefixes": [observed]}));
}

fn report(here: &Installation, status: &Value) {
    here.apply(
        "apiVersion: network.kubesphere.io/v1alpha2\nkind: NodeAnnouncement\nmetadata: {name: n1}\n",
    );
    let patch = json!({"status": status});
    here.kubectl(&format!(
        "patch nodeannouncement n1 --subresource=status --type=merge -p {patch}"
    ));
}

fn is_degraded(here: &Installation) -> bool {
    let degraded = here.condition("dynamicprefix home", "Degraded");
    degraded.is_some_and(|it| it["status"] == "True")
}

fn versions(here: &Installation) -> Vec<String> {
    let objects = ["service web", "eip lab", "dynamicprefix home"];
    let version = |what| here.read(what)["metadata"]["resourceVersion"].to_string();
    objects.into_iter().map(version).collect()
}

fn reasons(here: &Installation) -> Vec<String> {
    let events = here.read("events.events.k8s.io --all-namespaces");
    let events = events["items"].as_array().cloned().unwrap_or_default();
    let of_prefix = events
        .iter()
        .filter(|it| it["regarding"]["kind"] == "DynamicPrefix");
    of_prefix
        .map(|it| it["reason"].as_str().unwrap_or_default().to_owned())
        .collect()
}

const IPV6: &str = "ipFamilyPolicy: SingleStack, ipFamilies: [IPv6]";
