//! The controller as a process, with its own token, against a real API server.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use openelb_k8s::envtest::Release;
use openelb_k8s::names;
use serde_json::{Value, json};

use crate::cluster::eventually;
use crate::running::{Installation, NAMESPACE};

#[test]
fn services_get_addresses_of_both_families_and_give_them_back() {
    give_and_take_back(Release::Current);
}

#[test]
fn services_of_the_oldest_supported_kubernetes_get_addresses_and_give_them_back() {
    give_and_take_back(Release::Oldest);
}

fn give_and_take_back(release: Release) {
    let Some(mut here) = Installation::open(release) else {
        return;
    };
    here.start_controller(&[]);
    here.apply(&pool("lab", "192.0.2.0/28, 2001:db8::/124"));
    here.apply(&service("four", "ipFamilyPolicy: SingleStack"));
    here.apply(&service(
        "both",
        "ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv6, IPv4]",
    ));
    let given = here.wait_for_addresses(2);
    let both = &given["default/both"];
    assert!(
        both[0].starts_with("2001:db8::") && both[1].starts_with("192.0.2."),
        "{given:?}"
    );
    assert_eq!(here.records("lab"), owners(&given));

    here.kubectl("delete service both --timeout=60s");
    eventually("its addresses are free", || {
        (here.records("lab").len() == 1).then_some(())
    });
    here.kubectl("delete service four --timeout=60s");
    here.kubectl("delete eip lab --timeout=60s");
    here.assert_nothing_was_refused();
}

#[test]
fn two_controllers_that_both_act_and_are_killed_give_no_address_twice() {
    let Some(mut here) = Installation::open(Release::Current) else {
        return;
    };
    let both_act = ["--leader-elect=false"];
    here.start_controller(&both_act);
    here.start_controller(&both_act);
    here.apply(&pool("lab", "192.0.2.0/24"));
    let batch = |batch: usize| {
        let services = (0..BATCH).map(|number| service(&format!("web-{batch}-{number}"), ""));
        services.collect::<String>()
    };
    let mut earlier = BTreeMap::new();
    for number in 0..BATCHES {
        here.apply(&batch(number));
        earlier.extend(
            here.addresses()
                .into_iter()
                .filter(|(_, given)| !given.is_empty()),
        );
        // Wherever it stands now: both are somewhere between reading and writing.
        here.kill_controller(number % 2);
        here.start_controller(&both_act);
    }
    let given = here.wait_for_addresses(BATCH * BATCHES);
    for (service, addresses) in earlier {
        assert_eq!(given[&service], addresses, "{service} was moved");
    }
    let different: BTreeSet<_> = given.values().flatten().collect();
    assert_eq!(
        different.len(),
        BATCH * BATCHES,
        "an address is given twice: {given:?}"
    );
    eventually("no record is left over", || {
        (here.records("lab") == owners(&given)).then_some(())
    });
    here.assert_nothing_was_refused();
}

#[test]
fn what_openelb_wrote_is_taken_over_without_a_write() {
    let Some(mut here) = Installation::open(Release::Current) else {
        return;
    };
    here.apply(&pool("old", "192.0.2.0/28"));
    leave_as_openelb_does(&here, "kept", "192.0.2.7", OPENELB);
    record_as_openelb_does(&here, &[("192.0.2.7", "default/kept")]);
    let before = version(&here, "service kept");

    here.start_controller(&[]);
    // A service from another pool has its address when the controller has seen everything.
    here.apply(&pool("new", "198.51.100.0/28"));
    here.apply(&service("sentinel", "loadBalancerIP: 198.51.100.3"));
    let given = here.wait_for_addresses(2);
    assert_eq!(given["default/kept"], ["192.0.2.7"]);
    assert_eq!(
        version(&here, "service kept"),
        before,
        "a service that needs nothing was written"
    );
    assert_eq!(
        here.records("old"),
        BTreeMap::from([("192.0.2.7".into(), "default/kept".into())])
    );
    here.assert_nothing_was_refused();
}

#[test]
fn what_was_taken_over_can_be_deleted_whoever_wrote_it() {
    let Some(mut here) = Installation::open(Release::Current) else {
        return;
    };
    here.apply(&pool("old", "192.0.2.0/28"));
    leave_as_openelb_does(&here, "kept", "192.0.2.7", OPENELB);
    leave_as_openelb_does(&here, "restored", "192.0.2.8", "a-backup");
    let records = [
        ("192.0.2.7", "default/kept"),
        ("192.0.2.8", "default/restored"),
    ];
    record_as_openelb_does(&here, &records);
    here.start_controller(&[]);
    here.apply(&service("sentinel", ""));
    here.wait_for_addresses(3);

    for name in ["kept", "restored", "sentinel"] {
        here.kubectl(&format!("delete service {name} --timeout=60s"));
    }
    eventually("their addresses are free", || {
        here.records("old").is_empty().then_some(())
    });
    here.kubectl("delete eip old --timeout=60s");
    here.assert_nothing_was_refused();
}

#[test]
fn the_accounts_may_do_nothing_that_they_need_not() {
    let Some(here) = Installation::open(Release::Current) else {
        return;
    };
    for (account, verb, what, may) in RIGHTS {
        let user = format!("--as=system:serviceaccount:{NAMESPACE}:{account}");
        let (resource, subresource) = what.split_once('/').unwrap_or((what, ""));
        let subresource = format!("--subresource={subresource}");
        let question = [
            "auth",
            "can-i",
            verb,
            resource,
            &subresource,
            "-n",
            "kube-system",
            &user,
        ];
        let said = here.plane.kubectl(&question);
        // It ends with an error when the answer is no.
        let can = said.is_ok_and(|said| said.trim() == "yes");
        assert_eq!(can, may, "{account} {verb} {what}");
    }
}

/// A service with the finalizer, the label and the address that OpenELB 0.6 gave it, of which a field
/// manager is the owner.
fn leave_as_openelb_does(here: &Installation, name: &str, address: &str, manager: &str) {
    let annotations =
        "{lb.kubesphere.io/v1alpha1: openelb, eip.openelb.kubesphere.io/v1alpha2: old}";
    here.apply(&format!(
        "{{apiVersion: v1, kind: Service, \
         metadata: {{name: {name}, namespace: default, annotations: {annotations}}}, \
         spec: {{type: LoadBalancer, ports: [{{port: 80}}]}}}}"
    ));
    let marks = json!({"metadata": {
        "labels": {names::POOL_LABEL: "old"},
        "finalizers": [names::SERVICE_FINALIZER],
    }});
    let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": address}]}}});
    patch(here, &["service", name], &marks, manager);
    let status_of = ["service", name, "--subresource=status"];
    patch(here, &status_of, &status, manager);
}

/// The records of the pool `old` as OpenELB 0.6 writes them.
fn record_as_openelb_does(here: &Installation, records: &[(&str, &str)]) {
    let used: BTreeMap<_, _> = records.iter().copied().collect();
    let finalizers = json!({"metadata": {"finalizers": [names::EIP_FINALIZER]}});
    let status = json!({"status": {
        "occupied": false, "usage": used.len(), "poolSize": 16, "used": used,
        "firstIP": "192.0.2.0", "lastIP": "192.0.2.15", "ready": false, "v4": true,
    }});
    patch(here, &["eip", "old"], &finalizers, OPENELB);
    let status_of = ["eip", "old", "--subresource=status"];
    patch(here, &status_of, &status, OPENELB);
}

fn patch(here: &Installation, what: &[&str], part: &Value, manager: &str) {
    let (part, manager) = (part.to_string(), format!("--field-manager={manager}"));
    let words = ["--type", "merge", &manager, "-p", &part];
    here.plane
        .kubectl(&[&["patch"], what, &words].concat())
        .unwrap();
}

/// The version of an object, which every write changes.
fn version(here: &Installation, what: &str) -> String {
    here.read(what)["metadata"]["resourceVersion"].to_string()
}

/// What a pool's records must be: the owner of each address.
fn owners(given: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, String> {
    let of_service = |(service, addresses): (&String, &Vec<String>)| {
        let service = service.clone();
        addresses
            .clone()
            .into_iter()
            .map(move |address| (address, service.clone()))
    };
    given.iter().flat_map(of_service).collect()
}

pub(crate) fn pool(name: &str, address: &str) -> String {
    format!(
        "---\napiVersion: network.kubesphere.io/v1alpha2\nkind: Eip\nmetadata: {{name: {name}}}\n\
         spec: {{address: '{address}', protocol: layer2, interface: eth0, autoAssign: true}}\n"
    )
}

pub(crate) fn service(name: &str, with: &str) -> String {
    let mut text = format!(
        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: default}}\n\
         spec: {{type: LoadBalancer, loadBalancerClass: openelb.io/openelb, ports: [{{port: 80}}]"
    );
    for field in [with].into_iter().filter(|with| !with.is_empty()) {
        write!(text, ", {field}").unwrap();
    }
    text + "}\n"
}

/// The field manager of OpenELB 0.6.
const OPENELB: &str = "manager";

const BATCHES: usize = 6;
const BATCH: usize = 20;

/// Account, verb, what in another namespace than its own, and whether it may.
const RIGHTS: [(&str, &str, &str, bool); 16] = [
    ("openelb-controller", "patch", "services/status", true),
    ("openelb-controller", "watch", "services", true),
    ("openelb-controller", "patch", "services", false),
    ("openelb-controller", "delete", "services", false),
    ("openelb-controller", "get", "secrets", false),
    ("openelb-controller", "list", "secrets", false),
    ("openelb-controller", "create", "pods", false),
    ("openelb-controller", "create", "deployments.apps", false),
    (
        "openelb-controller",
        "update",
        "clusterroles.rbac.authorization.k8s.io",
        false,
    ),
    ("openelb-speaker", "watch", "services", true),
    ("openelb-speaker", "patch", "services", false),
    ("openelb-speaker", "patch", "services/status", false),
    ("openelb-speaker", "get", "secrets", false),
    ("openelb-speaker", "patch", "nodes", false),
    (
        "openelb-speaker",
        "patch",
        "eips.network.kubesphere.io",
        false,
    ),
    ("openelb-speaker", "create", "daemonsets.apps", false),
];
