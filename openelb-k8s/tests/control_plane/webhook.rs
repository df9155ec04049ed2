//! The optional webhook: the API server asks the controller, over the certificate that it made.

use openelb_k8s::envtest::Release;
use openelb_k8s::manifests::Options;

use crate::cluster::eventually;
use crate::running::Installation;

#[test]
fn what_cannot_be_used_is_refused_when_it_is_written_and_nothing_holds_up_a_deletion() {
    let options = Options {
        webhook: true,
        ..Options::default()
    };
    let Some(mut here) = Installation::open_with(Release::Current, &options) else {
        return;
    };
    here.apply(&pool("v1alpha2", "first", "192.0.2.0/24"));
    let overlapping = pool("v1alpha2", "second", "192.0.2.128/25");
    // Without a controller nothing is refused.
    for object in [&overlapping, PEER, CONF] {
        try_out(&here, object).unwrap();
    }

    // No kube-proxy is here: the controller listens at the address of the Service itself.
    let service = here.read("service openelb-webhook -n openelb-system");
    let address = service["spec"]["clusterIP"].as_str().unwrap();
    let netns = here.plane.netns();
    netns.ip(&format!("address add {address} dev lo")).unwrap();
    here.start_controller(&["--webhook", "--webhook-port=443"]);
    let refused = eventually("the webhook is trusted and asked", || {
        try_out(&here, &overlapping).err()
    });
    assert!(refused.contains("first"), "it names the other: {refused}");
    let earlier = pool("v1alpha1", "second", "192.0.2.128/25");
    let refused = try_out(&here, &earlier).unwrap_err();
    assert!(refused.contains("first"), "it names the other: {refused}");
    for (object, fault) in [
        (PEER, "spec.conf.vrf"),
        (CONF, "spec.routerId"),
        (MALFORMED_POOL, "spec.address"),
    ] {
        let refused = try_out(&here, object).unwrap_err();
        assert!(refused.contains(fault), "{fault}: {refused}");
        assert!(refused.contains("denied the request"), "{refused}");
    }
    try_out(&here, GOOD_CONF).unwrap();
    try_out(&here, &pool("v1alpha2", "second", "198.51.100.0/24")).unwrap();

    here.kubectl("delete eip first --timeout=60s");
    try_out(&here, &overlapping).unwrap();
    here.assert_nothing_was_refused();
}

/// Whether the API server would take an object.
fn try_out(here: &Installation, object: &str) -> Result<(), String> {
    let create = ["create", "--dry-run=server", "-f", "-"];
    let said = here.plane.kubectl_with(&create, object);
    said.map(drop).map_err(|error| error.to_string())
}

fn pool(version: &str, name: &str, address: &str) -> String {
    format!(
        "{{apiVersion: network.kubesphere.io/{version}, kind: Eip, metadata: {{name: {name}}}, \
         spec: {{address: '{address}', protocol: layer2, interface: eth0}}}}"
    )
}

/// A field that OpenELB has and nobody supports.
const PEER: &str = "{apiVersion: network.kubesphere.io/v1alpha2, kind: BgpPeer, metadata: {name: tor}, \
    spec: {conf: {neighborAddress: 192.0.2.254, peerAs: 64513, vrf: red}}}";

/// What no rule of the definition sees, and no speaker could be told.
const CONF: &str = "{apiVersion: network.kubesphere.io/v1alpha2, kind: BgpConf, metadata: {name: default}, \
    spec: {as: 64512, routerId: 0.0.0.0}}";

const GOOD_CONF: &str = "{apiVersion: network.kubesphere.io/v1alpha2, kind: BgpConf, \
    metadata: {name: default}, spec: {as: 64512, routerId: 192.0.2.1}}";

const MALFORMED_POOL: &str = "{apiVersion: network.kubesphere.io/v1alpha2, kind: Eip, metadata: {name: odd}, \
    spec: {address: '198.51.100.9-198.51.100.1'}}";
