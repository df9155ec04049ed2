use serde_json::json;

use super::*;
use crate::cni::{Arguments, Network};

fn answer(routes: &str) -> Answer {
    let text = format!(
        r#"{{"cniVersion":"1.1.0","name":"n","ipam":{{"routes":{routes},
        "ranges":[[{{"subnet":"10.1.0.0/24"}}],[{{"subnet":"fd00::/64","gateway":"fd00::9"}}]]}}}}"#
    );
    let addressing = Network::read(text.as_bytes())
        .unwrap()
        .addressing(&Arguments::default())
        .unwrap();
    let given =
        |at: usize, text: &str| Given::of(text.parse().unwrap(), &addressing.sets[at].spans()[0]);
    Answer {
        addresses: vec![given(0, "10.1.0.2"), given(1, "fd00::2")],
        routes: addressing.routes,
        dns: Dns::parse(
            "nameserver 10.0.0.53\n# no\nsearch a b\nsearch c\noptions ndots:5\ndomain example.org\nnameserver\n",
        ),
    }
}

const ROUTES: &str = r#"[{"dst":"0.0.0.0/0","gw":"10.1.0.1","mtu":1400},{"dst":"::/0"}]"#;

#[test]
fn the_newest_form_has_everything_that_routes_have() {
    assert_eq!(
        answer(ROUTES).to_json(Version::V1_1_0),
        json!({
            "cniVersion": "1.1.0",
            "ips": [{"address": "10.1.0.2/24", "gateway": "10.1.0.1"}, {"address": "fd00::2/64", "gateway": "fd00::9"}],
            "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.0.1", "mtu": 1400}, {"dst": "::/0"}],
            "dns": {"nameservers": ["10.0.0.53"], "domain": "example.org", "search": ["a", "b", "c"], "options": ["ndots:5"]},
        })
    );
}

#[test]
fn forms_before_1_0_name_the_family_and_before_1_1_know_less_of_routes() {
    let old = answer(ROUTES).to_json(Version::V0_4_0);
    assert_eq!(
        old["ips"][1],
        json!({"version": "6", "address": "fd00::2/64", "gateway": "fd00::9"})
    );
    assert_eq!(
        old["routes"][0],
        json!({"dst": "0.0.0.0/0", "gw": "10.1.0.1"})
    );
    assert_eq!(answer("[]").to_json(Version::V1_0_0).get("routes"), None);
}

#[test]
fn forms_before_0_3_sort_addresses_and_routes_by_family() {
    let old = answer(ROUTES).to_json(Version::V0_2_0);
    assert_eq!(
        old["ip4"],
        json!({"ip": "10.1.0.2/24", "gateway": "10.1.0.1", "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.0.1"}]})
    );
    assert_eq!(old["ip6"]["routes"], json!([{"dst": "::/0"}]));
    assert_eq!(old.get("ips"), None);
}
