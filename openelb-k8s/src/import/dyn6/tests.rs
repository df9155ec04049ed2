//! Each value of metallb-dyn6 is in the objects, or in a remark; its faults are refused.

use serde_json::{Value, json};

use super::super::{Grade, Imported, Origin, import};
use crate::pool;

fn values(override_bits: &str, keep: u8, range: &str) -> Value {
    json!({
        "image": {"tag": "0.1.2"},
        "dyn6": {
            "source": "my-ip",
            "subnetOverride": {"enabled": true, "override": override_bits, "prefixLength": keep},
            "updateInterval": 120,
        },
        "metallb": {"hostRange": range, "pool": "edge", "podsLabelSelector": "app=metallb"},
    })
}

fn of(documents: &[Value]) -> Imported {
    import(Origin::MetalLbDyn6, documents)
}

fn lost(imported: &Imported) -> Vec<&str> {
    let remarks = imported.remarks.iter();
    let lost = remarks.filter(|remark| remark.grade == Grade::Lost);
    lost.map(|remark| remark.path.as_str()).collect()
}

#[test]
fn helm_values_become_a_prefix_and_an_entry_of_the_pool() {
    let imported = of(&[values("0:0:0:00cd::", 56, "::1000-::1999")]);
    assert_eq!(lost(&imported), [""; 0]);
    let [prefix] = imported.prefixes.as_slice() else {
        panic!("{:?}", imported.prefixes)
    };
    let spec = serde_json::to_value(&prefix.spec).unwrap();
    assert_eq!(
        spec["subnet"],
        json!({"keep": 56, "override": "0:0:0:00cd::"})
    );
    assert_eq!(spec["sources"][0]["http"]["every"], "120s");
    assert_eq!(
        spec["sources"][0]["http"]["urls"].as_array().unwrap().len(),
        2
    );
    assert_eq!(imported.eips[0].metadata.name, "edge");
    assert_eq!(imported.eips[0].spec.address, "home/::1000-::1999");
    pool::spec(&imported.eips[0]).expect("a pool that can be used");
    let kinds: Vec<_> = imported
        .objects()
        .into_iter()
        .map(|it| it["kind"].clone())
        .collect();
    assert_eq!(
        kinds,
        ["DynamicPrefix", "Eip"],
        "nothing waits for a later one"
    );
}

#[test]
fn its_deployment_and_its_environment_say_the_same_as_its_values() {
    let variables = [
        ("METALLB_DYN6_SOURCE", "my-ip"),
        ("METALLB_DYN6_SUBNET_OVERRIDE", "0:0:0:cd::"),
        ("METALLB_DYN6_PREFIX_LENGTH", "56"),
        ("METALLB_DYN6_UPDATE_INTERVAL", "120"),
        ("METALLB_DYN6_HOST_RANGE", "::1000-::1999"),
        ("METALLB_DYN6_METALLB_POOL", "edge"),
    ];
    let env: Vec<_> = variables
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "metallb-dyn6"},
        "spec": {"template": {"spec": {"containers": [{"name": "main", "env": env}]}}},
    });
    let flat: Value = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let expected = of(&[values("0:0:0:cd::", 56, "::1000-::1999")]);
    for document in [deployment, flat] {
        let imported = of(&[document]);
        assert_eq!(imported.prefixes, expected.prefixes);
        assert_eq!(imported.eips, expected.eips);
    }
}

#[test]
fn metallb_75_of_the_pool_only_what_metallb_dyn6_wrote_is_replaced() {
    let pool = json!({
        "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": {"name": "edge"},
        "spec": {"addresses": ["192.0.2.1-192.0.2.9", "2001:db8:aaaa:bbcd::1000-2001:db8:aaaa:bbcd::1999"]},
    });
    let imported = of(&[pool, values("0:0:0:cd::", 56, "::1000-::1999")]);
    assert_eq!(imported.eips.len(), 1);
    assert_eq!(
        imported.eips[0].spec.address,
        "192.0.2.1-192.0.2.9, home/::1000-::1999"
    );
}

#[test]
fn metallb_73_what_it_refuses_and_what_it_should_have_refused_is_lost_with_a_reason() {
    for (bits, keep, range, expected) in [
        (
            "0:0:0:1cd::",
            56,
            "::1000-::1999",
            "dyn6.subnetOverride.override",
        ),
        (
            "0:0:0:cd00::",
            56,
            "::1000-::1999",
            "dyn6.subnetOverride.override",
        ),
        (
            "0:0:0:cd::1",
            56,
            "::1000-::1999",
            "dyn6.subnetOverride.override",
        ),
        (
            "0:0:0:cd::",
            64,
            "::1000-::1999",
            "dyn6.subnetOverride.override",
        ),
        (
            "0:0:0:00aa",
            56,
            "::1000-::1999",
            "dyn6.subnetOverride.override",
        ),
        // It took this one, and gave addresses across prefixes.
        (
            "0:0:0:cd::",
            56,
            "::1000-2001:db8::1999",
            "metallb.hostRange",
        ),
        ("0:0:0:cd::", 56, "::1999-::1000", "metallb.hostRange"),
    ] {
        let imported = of(&[values(bits, keep, range)]);
        assert_eq!(lost(&imported), [expected], "{bits} {keep} {range}");
    }
}

#[test]
fn an_override_that_is_off_is_none_and_a_dry_run_is_told() {
    let mut document = values("0:0:0:cd::", 56, "::1000-::1999");
    document["dyn6"]["subnetOverride"]["enabled"] = json!(false);
    assert_eq!(of(&[document]).prefixes[0].spec.subnet, None);
    let dry = json!({"METALLB_DYN6_DRY_RUN": "true", "METALLB_DYN6_HOST_RANGE": "::1-::2"});
    assert_eq!(lost(&of(&[dry])), ["METALLB_DYN6_DRY_RUN", "METALLB_POOL"]);
}

#[test]
fn a_file_without_a_word_of_metallb_dyn6_is_a_loss() {
    assert!(of(&[]).has_loss());
    assert!(of(&[json!({"replicas": 1})]).has_loss());
}
