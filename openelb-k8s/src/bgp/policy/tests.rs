//! What of GoBGP's format is understood, and how the rest is refused.

use openelb_announce::bgp::asn::Asn;
use openelb_announce::bgp::policy::{Disposition, Policy, Subject, Subjected};
use openelb_announce::bgp::route::PeerName;
use openelb_announce::bgp::{Attributes, Family, Prefix};

use super::{PolicyError, parse};
use crate::problem::Reason;

/// A policy of all the tables that are understood, as an installation of OpenELB has it.
const FULL: &str = r#"
[[defined-sets.prefix-sets]]
prefix-set-name = "web"
[[defined-sets.prefix-sets.prefix-list]]
ip-prefix = "198.51.100.0/24"
masklength-range = "24..32"
[[defined-sets.neighbor-sets]]
neighbor-set-name = "tors"
neighbor-info-list = ["192.0.2.1", "2001:db8::/64", "tor-3"]
[[defined-sets.bgp-defined-sets.community-sets]]
community-set-name = "blue"
community-list = ["65000:1"]
[[defined-sets.bgp-defined-sets.large-community-sets]]
large-community-set-name = "big"
large-community-list = ["64500:1:2"]
[[defined-sets.bgp-defined-sets.as-path-sets]]
as-path-set-name = "ours"
as-path-list = ["^65000_"]

[[policy-definitions]]
name = "out"
[[policy-definitions.statements]]
name = "web"
[policy-definitions.statements.conditions.match-prefix-set]
prefix-set = "web"
match-set-options = "any"
[policy-definitions.statements.conditions.match-neighbor-set]
neighbor-set = "tors"
match-set-options = "invert"
[policy-definitions.statements.conditions.bgp-conditions]
afi-safi-in-list = ["ipv4-unicast"]
[policy-definitions.statements.conditions.bgp-conditions.match-community-set]
community-set = "blue"
match-set-options = "invert"
[policy-definitions.statements.actions]
route-disposition = "accept-route"
[policy-definitions.statements.actions.bgp-actions]
set-med = "+10"
set-local-pref = 200
set-next-hop = "self"
[policy-definitions.statements.actions.bgp-actions.set-as-path-prepend]
as = "65000"
repeat-n = 2
[policy-definitions.statements.actions.bgp-actions.set-community]
options = "ADD"
[policy-definitions.statements.actions.bgp-actions.set-community.set-community-method]
communities-list = ["65000:100"]
[policy-definitions.statements.actions.bgp-actions.set-large-community]
options = "REPLACE"
[policy-definitions.statements.actions.bgp-actions.set-large-community.set-large-community-method]
communities-list = ["64500:3:4"]

[global.apply-policy.config]
export-policy-list = ["out"]
default-export-policy = "reject-route"
default-import-policy = "reject-route"
"#;

fn errors(text: &str) -> Vec<PolicyError> {
    parse(text).expect_err("the policy is wrong")
}

/// What becomes of a route towards a peer.
fn decide(policy: &Policy, prefix: &str, peer: &str) -> (Disposition, Attributes) {
    let prefix: Prefix = prefix.parse().unwrap();
    let subject = Subject {
        peer: &PeerName::from(peer),
        group: None,
        remote: None,
        family: Family::Ipv4Unicast,
        matches: policy.prefix_matches(&prefix),
        local_as: Asn(65000),
        ibgp: false,
    };
    let mut route = Subjected {
        attributes: Attributes::default(),
        next_hop: None,
    };
    let decision = policy.evaluate(&subject, &mut route);
    (decision.disposition, route.attributes)
}

#[test]
fn a_whole_policy_does_what_it_says() {
    let policy = parse(FULL).unwrap();
    let (disposition, attributes) = decide(&policy, "198.51.100.7/32", "other");
    assert_eq!(disposition, Disposition::Accept);
    assert_eq!(
        (attributes.med, attributes.local_pref),
        (Some(10), Some(200))
    );
    assert_eq!(attributes.as_path.length(), 2);
    let shown = |set: Vec<String>| set.join(" ");
    assert_eq!(
        shown(
            attributes
                .communities
                .iter()
                .map(|one| one.to_string())
                .collect()
        ),
        "65000:100"
    );
    let large = attributes
        .large_communities
        .iter()
        .map(|one| one.to_string())
        .collect();
    assert_eq!(shown(large), "64500:3:4");
    for (prefix, peer) in [("198.51.100.7/32", "tor-3"), ("203.0.113.1/32", "other")] {
        assert_eq!(
            decide(&policy, prefix, peer).0,
            Disposition::Reject,
            "{prefix} {peer}"
        );
    }
}

#[test]
fn an_empty_text_announces_everything_as_it_is() {
    let policy = parse("").unwrap();
    assert!(policy.is_empty());
    assert_eq!(policy.default_disposition(), Disposition::Accept);
}

#[test]
fn keys_that_are_not_understood_are_refused_with_their_line_and_name() {
    let cases = [
        ("[zebra.config]\nenabled = true\n", "zebra"),
        ("[global.config]\nas = 65000\n", "config"),
        ("[[neighbors]]\n", "neighbors"),
        ("[defined-sets.tag-sets]\n", "tag-sets"),
        (
            "[[policy-definitions]]\nname = \"a\"\n[[policy-definitions.statements]]\n\
             [policy-definitions.statements.conditions.bgp-conditions]\nrpki-validation-result = \"valid\"\n",
            "rpki-validation-result",
        ),
        (
            "[[policy-definitions]]\nname = \"a\"\n[[policy-definitions.statements]]\n\
             [policy-definitions.statements.conditions.bgp-conditions]\nroute-type = \"local\"\n",
            "route-type",
        ),
        (
            "[[policy-definitions]]\nname = \"a\"\n[[policy-definitions.statements]]\n\
             [policy-definitions.statements.actions.bgp-actions]\nset-route-origin = \"igp\"\n",
            "set-route-origin",
        ),
    ];
    for (text, word) in cases {
        let [error] = &errors(text)[..] else {
            panic!("one error each");
        };
        assert_eq!(error.reason, Reason::UnsupportedField, "{error}");
        assert!(error.line > 0 && error.message.contains(word), "{error}");
        assert!(error.next.starts_with("remove it"), "{error}");
    }
}

#[test]
fn values_that_are_not_understood_are_refused_all_at_once() {
    let text = FULL
        .replace("accept-route", "maybe")
        .replace("\"+10\"", "\"ten\"")
        .replace("set-next-hop = \"self\"", "set-next-hop = \"unchanged\"")
        .replace("options = \"ADD\"", "options = \"PUT\"")
        .replace("\"^65000_\"", "\"(65000|65001)\"")
        .replace("prefix-set = \"web\"", "prefix-set = \"lost\"")
        .replace("24..32", "20..32");
    let errors = errors(&text);
    for word in [
        "maybe",
        "`ten`",
        "unchanged",
        "PUT",
        "(65000|65001)",
        "lost",
        "20..32",
    ] {
        let told = errors.iter().any(|error| error.to_string().contains(word));
        assert!(told, "{word} is not told: {errors:?}");
    }
    assert!(errors.iter().all(|error| !error.next.is_empty()));
}

#[test]
fn nothing_is_imported_so_an_import_policy_may_only_reject() {
    for (line, is_right) in [
        ("default-import-policy = \"reject-route\"", true),
        ("default-import-policy = \"accept-route\"", false),
        ("import-policy-list = []", true),
        ("import-policy-list = [\"in\"]", false),
    ] {
        let text = format!("[global.apply-policy.config]\n{line}\n");
        assert_eq!(parse(&text).is_ok(), is_right, "{line}");
    }
}

#[test]
fn a_policy_that_is_applied_must_exist() {
    let text = "[global.apply-policy.config]\nexport-policy-list = [\"lost\"]\n";
    assert!(errors(text)[0].message.contains("lost"));
}

#[test]
fn text_that_is_no_toml_points_at_its_line() {
    let [error] = &errors("[global]\napply-policy = [\n\n")[..] else {
        panic!("one error");
    };
    assert!(error.line >= 2, "{error}");
    assert_eq!(error.reason, Reason::Invalid);
}

#[test]
fn hostile_text_is_an_error_and_no_harm() {
    let deep = "a = ".to_owned() + &"[".repeat(100_000);
    let long = "#".repeat((1 << 20) + 1);
    for text in [
        deep.as_str(),
        long.as_str(),
        "\u{0}",
        "=",
        "[[[[",
        "a.b.c.d = 1",
    ] {
        assert!(parse(text).is_err());
    }
}
