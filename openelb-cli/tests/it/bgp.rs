//! The BGP objects and verbs, as far as they need no network.

use crate::testenv::{Env, free_port, page};

const BGP: &str = "apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {name: edge}
spec: {address: '192.0.2.0/24, 2001:db8::/64', autoAssign: true}
---
apiVersion: network.kubesphere.io/v1alpha2
kind: BgpConf
metadata: {name: default}
spec: {as: 64512, routerId: 192.0.2.1}
---
apiVersion: network.kubesphere.io/v1alpha2
kind: BgpPeer
metadata: {name: tor}
spec: {conf: {neighborAddress: 198.51.100.1, peerAs: 64513}}
---
apiVersion: openelb.io/v1
kind: Service
metadata: {name: web}
spec: {ipFamilyPolicy: RequireDualStack}
";

/// A document of its own for each fault of a peer.
fn peer(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: network.kubesphere.io/v1alpha2\nkind: BgpPeer\n\
         metadata: {{name: {name}}}\nspec:\n  {}\n",
        spec.replace('\n', "\n  ")
    )
}

#[test]
fn a_speaker_with_its_peers_is_valid_and_its_pools_are_announced() {
    let env = Env::new();
    env.write("openelb.yaml", BGP);
    let ran = env.run(&["validate", "openelb.yaml"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "valid: 1 pool, 1 service, 1 BGP peer\n")
    );
}

#[test]
fn a_bgp_pool_without_a_speaker_is_only_allocated_and_says_so() {
    let env = Env::new();
    env.write("openelb.yaml", BGP.split("---\n").next().unwrap());
    let ran = env.run(&["validate", "openelb.yaml"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.out
            .contains("no BgpConf: the addresses are only allocated"),
        "{}",
        ran.out
    );
}

#[test]
fn every_fault_of_bgp_is_told_with_its_line_key_and_next_step() {
    let env = Env::new();
    let faults = [
        ("no-conf", "{}"),
        (
            "group",
            "conf: {neighborAddress: 198.51.100.2, peerAs: 64513, peerGroup: tors}",
        ),
        (
            "hold",
            "conf: {neighborAddress: 198.51.100.3, peerAs: 64513}\ntimers: {config: {holdTime: '2'}}",
        ),
        (
            "twice",
            "conf: {neighborAddress: 198.51.100.1, peerAs: 64513}",
        ),
        (
            "family",
            "conf: {neighborAddress: 198.51.100.4, peerAs: 64513}\nafiSafis:\n- config: {family: {afi: AFI_L2VPN, safi: SAFI_EVPN}}",
        ),
        (
            "file",
            "conf: {neighborAddress: 198.51.100.5, peerAs: 64513}\nauthPasswordFile: lost.key",
        ),
        (
            "secret",
            "conf: {neighborAddress: 198.51.100.6, peerAs: 64513}\nauthPasswordSecret: {name: bgp}",
        ),
        (
            "bfd",
            "conf: {neighborAddress: 198.51.100.7, peerAs: 64513}\nbfd: {multiplier: 1}",
        ),
        (
            "policy",
            "conf: {neighborAddress: 198.51.100.8, peerAs: 64513}\nexportPolicy: lost",
        ),
        (
            "template",
            "conf: {neighborAddress: 198.51.100.9, peerAs: 64513}\ntemplate: lost",
        ),
        (
            "typo",
            "conf: {neighbourAddress: 198.51.100.9, peerAs: 64513}",
        ),
    ];
    let peers: String = faults.iter().map(|(name, spec)| peer(name, spec)).collect();
    let pool = BGP.replace(
        "autoAssign: true",
        "autoAssign: true, bgp: {advertisements: [{aggregationLength: 8, communities: [blue]}]}",
    );
    env.write("openelb.yaml", &(pool + &peers));
    let ran = env.run(&["validate", "openelb.yaml"]);
    assert_eq!(ran.code, 3);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn a_policy_is_refused_by_the_name_of_what_is_not_understood() {
    let env = Env::new();
    let policy = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: bgp-policy}\ndata:\n  \
                  gobgp.conf: |\n    [[policy-definitions]]\n    name = \"out\"\n    \
                  [[policy-definitions.statements]]\n    \
                  [policy-definitions.statements.actions.bgp-actions]\n    \
                  set-route-origin = \"igp\"\n";
    let config = BGP.replace("as: 64512,", "as: 64512, policy: bgp-policy,");
    env.write("openelb.yaml", &(config + policy));
    let ran = env.run(&["validate", "openelb.yaml"]);
    assert_eq!(ran.code, 3);
    for words in [
        "openelb.yaml:9:",
        "spec.policy",
        "ConfigMap `bgp-policy`: line 5",
        "set-route-origin",
    ] {
        assert!(
            ran.out.contains(words),
            "{words} is missing in:\n{}",
            ran.out
        );
    }
}

#[test]
fn no_remark_shows_a_password_whatever_is_wrong_around_it() {
    let env = Env::new();
    for wrong in [
        "conf: {neighborAddress: 198.51.100.2, authPassword: swordfish, peerAs: many}",
        "conf: {neighborAddress: 198.51.100.2, peerAs: 64513, authPasword: swordfish}",
        "conf:\n  authPassword: [swordfish]\n  peerAs: 64513",
        "conf:\n  authPassword: \"swordfish\n  peerAs: 64513",
        "conf: {neighborAddress: 198.51.100.2, peerAs: 64513, authPassword: swordfishswordfishswordfishswordfishswordfishswordfishswordfishswordfishswordfish}",
        "bfd: {auth: {type: keyed-md5, keyId: 1, key: swordfish}}\nconf: {neighborAddress: 198.51.100.2, peerAs: 64513}",
    ] {
        env.write("openelb.yaml", &format!("{BGP}{}", peer("wrong", wrong)));
        for format in ["table", "json", "yaml"] {
            let ran = env.run(&["validate", "openelb.yaml", "-o", format]);
            assert_eq!(ran.code, 3, "{wrong}: {ran:?}");
            let said = ran.out + &ran.err;
            assert!(!said.contains("swordfish"), "{said}");
        }
    }
}

#[test]
fn a_relative_password_file_is_looked_for_beside_the_configuration() {
    let env = Env::new();
    let spec = "conf: {neighborAddress: 198.51.100.2, peerAs: 64513}\nauthPasswordFile: tor.key";
    env.write("openelb.yaml", &format!("{BGP}{}", peer("keyed", spec)));
    env.write("tor.key", "swordfish\r\n");
    let path = env.path("openelb.yaml");
    let mut command = env.command(&["validate", path.to_str().unwrap()]);
    let output = command.current_dir("/").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_node_label_decides_which_peers_and_which_as_are_meant() {
    let env = Env::new();
    let spec = "conf: {neighborAddress: 198.51.100.2, peerAs: 64513}\n\
                nodeSelector: {matchLabels: {zone: a}}";
    env.write("openelb.yaml", &format!("{BGP}{}", peer("zoned", spec)));
    for (label, peers) in [("zone=a", 2), ("zone=b", 1)] {
        let answer = env.json(&["validate", "openelb.yaml", "--node-label", label]);
        assert_eq!(answer["peers"], peers, "{label}");
    }
    let ran = env.run(&["validate", "openelb.yaml", "--node-label", "zone"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[test]
fn verbs_of_bgp_need_a_daemon_and_say_so() {
    let env = Env::new();
    for words in [
        &["bgp", "peers"][..],
        &["bgp", "routes"],
        &["bgp", "check"],
        &["drain"],
    ] {
        let ran = env.run(words);
        assert_eq!(ran.code, 9, "{words:?}: {ran:?}");
        assert!(ran.err.contains("openelb run"), "{}", ran.err);
    }
}

#[test]
fn a_daemon_that_announces_nothing_says_so_to_every_verb_of_bgp() {
    let env = Env::new();
    env.write("openelb.yaml", BGP);
    let port = free_port();
    let at = format!("127.0.0.1:{port}");
    let _daemon = env.daemon(&["--metrics", &at]);
    insta::assert_snapshot!(env.run(&["bgp", "peers"]).out);
    let checked = env.run(&["bgp", "check"]);
    assert_eq!(checked.code, 11);
    assert!(checked.out.contains("--no-announce"), "{}", checked.out);
    assert_eq!(env.run(&["bgp", "peers", "lost"]).code, 5);
    assert_eq!(env.run(&["bgp", "routes", "--peer", "lost"]).code, 5);
    let drained = env.run(&["drain", "--wait", "1s"]);
    assert_eq!(drained.code, 4, "{drained:?}");
    let (_, metrics) = page(&at, "/metrics");
    assert!(metrics.contains("openelb_bgp_drained 0.0"), "{metrics}");
}

#[test]
fn an_ad_hoc_announcement_names_the_option_at_fault() {
    let env = Env::new();
    let base = ["announce", "192.0.2.9"];
    for (words, option) in [
        (&["--peer", "tor.example", "--as", "64512"][..], "--peer"),
        (&["--peer", "198.51.100.1", "--as", "0"], "--as"),
        (
            &[
                "--peer",
                "198.51.100.1",
                "--as",
                "64512",
                "--community",
                "blue",
            ],
            "--community",
        ),
        (
            &[
                "--peer",
                "198.51.100.1",
                "--as",
                "64512",
                "--password-file",
                "lost",
            ],
            "--password-file",
        ),
    ] {
        let ran = env.run(&[&base[..], words].concat());
        assert_eq!(ran.code, 3, "{words:?}: {ran:?}");
        assert!(
            ran.err.contains(option) && ran.err.contains(" next: "),
            "{}",
            ran.err
        );
    }
    for words in [
        &["--peer", "198.51.100.1"][..],
        &["--dev", "eth0", "--peer", "198.51.100.1"],
        &[],
    ] {
        assert_eq!(env.run(&[&base[..], words].concat()).code, 2, "{words:?}");
    }
}
