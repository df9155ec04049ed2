//! Addresses that follow a prefix are announced while the prefix is in use or leaving, and no longer.

use serde_json::json;

use super::{Cluster, cluster};
use crate::api::{DynamicPrefix, PrefixGeneration};

const PREFERRED: &str = "2001:db8:b::1000";
const LEAVING: &str = "2001:db8:a::1000";

/// A Service that shows both addresses, and a prefix with these generations.
fn renumbering(preferred: &str, deprecated: &[&str]) -> Cluster {
    let generation = |prefix: &str| PrefixGeneration {
        prefix: prefix.into(),
        ..PrefixGeneration::default()
    };
    let mut home = DynamicPrefix::new("home", Vec::new());
    home.status.preferred = Some(generation(preferred));
    home.status.deprecated = deprecated.iter().map(|it| generation(it)).collect();
    let mut cluster = cluster();
    cluster.prefixes.insert("home".into(), home);
    let spec = json!({"address": "home/::1000-::1fff", "protocol": "layer2", "interface": "eth0"});
    cluster.put_eip("linked", spec);
    cluster.put_eip("routed", json!({"address": "home/::2000-::2fff"}));
    cluster.put_service("linked", "linked", &[PREFERRED, LEAVING], json!({}));
    cluster.put_service(
        "routed",
        "routed",
        &["2001:db8:b::2000", "2001:db8:a::2000"],
        json!({}),
    );
    cluster.put_ready("linked", &["n1"]);
    cluster.put_ready("routed", &["n1"]);
    cluster
}

#[test]
fn metallb_76_both_addresses_are_announced_in_the_grace_period_and_one_after_it() {
    let during = renumbering("2001:db8:b::/64", &["2001:db8:a::/64"]);
    for address in [PREFERRED, LEAVING, "2001:db8:b::2000", "2001:db8:a::2000"] {
        assert!(!during.announcing(address).is_empty(), "{address}");
    }
    let after = renumbering("2001:db8:b::/64", &[]);
    for address in [PREFERRED, "2001:db8:b::2000"] {
        assert!(!after.announcing(address).is_empty(), "{address}");
    }
    for address in [LEAVING, "2001:db8:a::2000"] {
        assert!(
            after.announcing(address).is_empty(),
            "{address} left, though its Service shows it"
        );
    }
}

#[test]
fn an_address_that_left_its_pool_stays_with_who_is_on_record() {
    let mut cluster = renumbering("2001:db8:b::/64", &["2001:db8:a::/64"]);
    let eip = cluster.eips.get_mut("linked").unwrap();
    eip.spec.address = "home/::3000-::3fff".into();
    assert!(cluster.announcing(PREFERRED).is_empty());
    let eip = cluster.eips.get_mut("linked").unwrap();
    eip.status
        .used
        .insert("home/::1000".into(), "shop/linked".into());
    assert!(!cluster.announcing(PREFERRED).is_empty());
}
