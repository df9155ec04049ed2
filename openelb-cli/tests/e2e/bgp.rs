//! The daemon and a router: what FRR hears of what a configuration says.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::fabric::{Fabric, NODE};
use crate::stage::eventually;

/// A pool of both families, a speaker and its peer, with lines for the pool and the peer, and
/// services with theirs.
fn config(pool: &str, peer: &str, services: &[(&str, &str)]) -> String {
    let services = services.iter().map(|(name, lines)| {
        format!(
            "---\napiVersion: openelb.io/v1\nkind: Service\nmetadata: {{name: {name}}}\n\
             spec: {{ipFamilyPolicy: RequireDualStack, {lines}}}\n"
        )
    });
    let services: String = services.collect();
    format!(
        "apiVersion: network.kubesphere.io/v1alpha2\nkind: Eip\nmetadata: {{name: edge}}\n\
         spec: {{address: '192.0.2.0/24, 2001:db8::/64', autoAssign: true, {pool}}}\n\
         ---\napiVersion: network.kubesphere.io/v1alpha2\nkind: BgpConf\n\
         metadata: {{name: default}}\nspec: {{as: 64512}}\n\
         ---\napiVersion: network.kubesphere.io/v1alpha2\nkind: BgpPeer\n\
         metadata: {{name: tor}}\nspec: {{{peer}}}\n{services}"
    )
}

const TOR: &str = "conf: {neighborAddress: 10.77.0.2, peerAs: 64513}";
const FIRST: [&str; 2] = ["192.0.2.1/32", "2001:db8::1/128"];
const SECOND: [&str; 2] = ["192.0.2.2/32", "2001:db8::2/128"];

fn is_stale(path: &Value) -> bool {
    path["stale"] == true
}

fn communities(path: &Value) -> &str {
    path["community"]["string"].as_str().unwrap_or_default()
}

#[test]
fn openelb_44_a_pair_becomes_host_routes_with_next_hops_of_their_own_family() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    let pool = "bgp: {advertisements: [{med: 7, communities: ['64512:200', '64512:100', \
                'large:64512:1:2']}]}";
    fabric.start(&config(pool, TOR, &[("web", "")]));
    for (prefix, node) in FIRST.into_iter().zip(NODE) {
        let path = fabric.hears(prefix, |_| true);
        let next_hops = path["nexthops"].as_array().unwrap();
        assert!(next_hops.iter().any(|hop| hop["ip"] == node), "{path}");
        assert_eq!(communities(&path), "64512:100 64512:200");
        assert_eq!(path["largeCommunity"]["string"], "64512:1:2");
        assert_eq!(path["aspath"]["string"], "64512");
        assert_eq!(path["metric"], 7);
    }
    let routes = fabric.ask(&["bgp", "routes", "--peer", "tor"]);
    let routes = routes["routes"].as_array().unwrap();
    assert_eq!(routes.len(), 2);
    assert!(
        routes.iter().all(|route| route["state"] == "advertised"),
        "{routes:?}"
    );
    assert_eq!(routes[0]["nextHop"], NODE[0]);
    let metrics = fabric.metrics();
    for line in [
        "openelb_bgp_session_up{peer=\"tor\"} 1.0",
        "openelb_bgp_peer_state{peer=\"tor\",state=\"Established\"} 1.0",
        "openelb_bgp_advertised_routes{peer=\"tor\",family=\"ipv4-unicast\"} 1.0",
        "openelb_bgp_advertised_routes{peer=\"tor\",family=\"ipv6-unicast\"} 1.0",
        "openelb_bgp_pending_routes{peer=\"tor\",family=\"ipv6-unicast\"} 0.0",
        "openelb_bgp_session_flaps{peer=\"tor\"} 0.0",
    ] {
        assert!(metrics.contains(line), "{line} is missing in {metrics}");
    }
}

#[test]
fn openelb_44_a_passive_peer_is_accepted() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    let peer = format!("{TOR}, transport: {{passiveMode: true}}");
    fabric.start(&config("", &peer, &[("web", "")]));
    fabric.hears(FIRST[0], |_| true);
    assert_eq!(fabric.peer()["session"]["incoming"], true);
}

#[test]
fn metallb_59_services_of_one_aggregate_make_one_route_until_the_last_is_gone() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    let pool = "bgp: {advertisements: [{aggregationLength: 24, aggregationLengthV6: 64}]}";
    fabric.start(&config(pool, TOR, &[("web", ""), ("api", "")]));
    fabric.hears("192.0.2.0/24", |_| true);
    fabric.hears("2001:db8::/64", |_| true);
    assert_eq!(fabric.ask(&["bgp", "peers"])["routes"], 2);
    fabric.edit(&config(pool, TOR, &[("api", "")]));
    let count = || {
        fabric.ask(&["status"])["services"]
            .as_array()
            .unwrap()
            .len()
    };
    eventually("the service is gone", || (count() == 1).then_some(()));
    assert!(
        !fabric.path("192.0.2.0/24").is_null(),
        "the other service is still there"
    );
    fabric.edit(&config(pool, TOR, &[]));
    fabric.forgets("192.0.2.0/24");
    fabric.forgets("2001:db8::/64");
}

#[test]
fn metallb_63_an_advertisement_for_another_peer_is_not_heard() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    let pool = "bgp: {advertisements: [{peers: [tor]}, {aggregationLength: 24, \
                aggregationLengthV6: 64, peers: [other]}]}";
    fabric.start(&config(pool, TOR, &[("web", "")]));
    fabric.hears(FIRST[0], |_| true);
    fabric.hears(FIRST[1], |_| true);
    assert!(fabric.path("192.0.2.0/24").is_null());
}

#[test]
fn metallb_64_a_reload_leaves_the_session_alone_unless_it_must_not() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    fabric.start(&config("", TOR, &[("web", "")]));
    fabric.hears(FIRST[0], |_| true);
    let pool = "bgp: {advertisements: [{communities: ['64512:5']}]}";
    let lively = format!("{TOR}, gracefulShutdown: false, prefixLimit: 10");
    fabric.edit(&config(pool, &lively, &[("web", ""), ("api", "")]));
    for prefix in FIRST.into_iter().chain(SECOND) {
        fabric.hears(prefix, |path| communities(path) == "64512:5");
    }
    assert_eq!(fabric.peer()["flaps"], 0, "{}", fabric.log());
    let timers = format!("{TOR}, timers: {{config: {{holdTime: '30'}}}}");
    fabric.edit(&config(pool, &timers, &[("web", "")]));
    eventually("the session starts again with the new timer", || {
        (fabric.peer()["session"]["holdSeconds"] == 30).then_some(())
    });
    fabric.hears(FIRST[0], |path| !is_stale(path));
}

#[test]
fn openelb_45_a_changed_as_opens_the_session_anew_and_a_removed_peer_is_gone() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    let wrong = TOR.replace("64513", "64999");
    fabric.start(&config("", &wrong, &[("web", "")]));
    let error = eventually("the wrong AS is told", || {
        Some(fabric.peer()["lastError"].clone()).filter(|error| !error.is_null())
    });
    assert_eq!(
        (&error["code"], &error["subcode"]),
        (&2.into(), &2.into()),
        "{error}"
    );
    let words = error["words"].as_str().unwrap();
    assert!(
        words.contains("64513") && words.contains("64999"),
        "{words}"
    );
    let checked = fabric.run(&["bgp", "check"]);
    assert_eq!(checked.status.code(), Some(11));
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(text.contains("next: compare `peerAs`"), "{text}");
    assert!(
        fabric.log().contains("AS 64999 is configured"),
        "{}",
        fabric.log()
    );
    fabric.edit(&config("", TOR, &[("web", "")]));
    fabric.hears(FIRST[0], |_| true);
    assert_eq!(fabric.run(&["bgp", "check"]).status.code(), Some(0));
    let config = config("", TOR, &[("web", "")]);
    let without: Vec<_> = config
        .split("---\n")
        .filter(|one| !one.contains("BgpPeer"))
        .collect();
    fabric.edit(&without.join("---\n"));
    eventually("the peer is gone", || {
        let peers = fabric.ask(&["bgp", "peers"])["peers"].clone();
        (peers == Value::Array(Vec::new())).then_some(())
    });
    fabric.forgets(FIRST[0]);
}

#[test]
fn openelb_47_a_password_opens_the_session_and_is_shown_nowhere() {
    let Some(mut fabric) = Fabric::open("password swordfish") else {
        return;
    };
    fabric.write("tor.key", "swordfish\n");
    let peer = format!("{TOR}, authPasswordFile: tor.key");
    fabric.start(&config("", &peer, &[("web", "")]));
    fabric.hears(FIRST[1], |_| true);
    let mut shown = fabric.log();
    for words in [
        &["bgp", "peers"][..],
        &["bgp", "check"],
        &["status"],
        &["bgp", "routes"],
    ] {
        for format in ["table", "json", "yaml"] {
            let output = fabric.run(&[words, &["-o", format]].concat());
            shown += &String::from_utf8_lossy(&output.stdout);
            shown += &String::from_utf8_lossy(&output.stderr);
        }
    }
    assert!(!shown.contains("swordfish"), "{shown}");
}

#[test]
fn a_wrong_password_is_suspected_by_peers_and_check() {
    let Some(mut fabric) = Fabric::open("password swordfish") else {
        return;
    };
    let peer = TOR.replace("peerAs", "authPassword: haddock, peerAs");
    fabric.start(&config("", &peer, &[("web", "")]));
    let said = eventually("the password is suspected", || {
        let checked = fabric.run(&["bgp", "check"]);
        let text = String::from_utf8_lossy(&checked.stdout).to_lowercase();
        let is_told = text.contains("md5") || text.contains("password");
        (is_told && checked.status.code() == Some(11)).then_some(text)
    });
    assert!(
        !said.contains("swordfish") && !said.contains("haddock"),
        "{said}"
    );
    assert!(!fabric.log().contains("haddock"));
    let right = TOR.replace("peerAs", "authPassword: swordfish, peerAs");
    fabric.edit(&config("", &right, &[("web", "")]));
    fabric.hears(FIRST[0], |_| true);
}

#[test]
fn a_killed_daemon_costs_the_router_no_forwarding_under_graceful_restart() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    fabric.start(&config("", TOR, &[("web", ""), ("api", "")]));
    let all = || FIRST.into_iter().chain(SECOND);
    for prefix in all() {
        fabric.hears(prefix, |_| true);
        eventually("it is forwarded", || fabric.forwards(prefix).then_some(()));
    }
    for ending in [Signal::SIGKILL, Signal::SIGTERM] {
        let note = fabric.watch_forwarding();
        fabric.end(ending);
        for prefix in all() {
            fabric.hears(prefix, is_stale);
        }
        fabric.restart();
        for prefix in all() {
            fabric.hears(prefix, |path| !is_stale(path));
            assert!(fabric.forwards(prefix), "{prefix} after {ending}");
        }
        let lost = note.lost();
        assert!(lost.is_empty(), "{ending}: {lost:?}");
    }
}

#[test]
fn a_service_that_is_gone_after_a_restart_is_forgotten_at_its_end() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    fabric.start(&config("", TOR, &[("web", ""), ("api", "")]));
    fabric.hears(SECOND[0], |_| true);
    fabric.hears(SECOND[1], |_| true);
    fabric.end(Signal::SIGKILL);
    fabric.start(&config("", TOR, &[("web", "")]));
    fabric.hears(FIRST[0], |path| !is_stale(path));
    // Far sooner than the two minutes for which the router would keep them: End-of-RIB was sent.
    fabric.forgets(SECOND[0]);
    fabric.forgets(SECOND[1]);
}

#[test]
fn a_drained_node_asks_for_other_paths_then_withdraws_and_comes_back() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    fabric.start(&config("", TOR, &[("web", "")]));
    fabric.hears(FIRST[0], |path| communities(path).is_empty());
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| fabric.run(&["drain", "--wait", "5s"]));
        for prefix in FIRST {
            fabric.hears(prefix, |path| {
                communities(path).contains("graceful-shutdown")
            });
        }
        let output = drain.join().unwrap();
        assert!(output.status.success(), "{output:?}");
    });
    for prefix in FIRST {
        fabric.forgets(prefix);
    }
    assert_eq!(fabric.peer()["state"], "Established");
    fabric.edit(&config("", TOR, &[("web", ""), ("api", "")]));
    let count = || {
        fabric.ask(&["status"])["services"]
            .as_array()
            .unwrap()
            .len()
    };
    eventually("the service is there", || (count() == 2).then_some(()));
    assert!(
        fabric.path(SECOND[0]).is_null(),
        "a reload does not end a drain"
    );
    assert!(fabric.run(&["drain", "--undo"]).status.success());
    for prefix in FIRST.into_iter().chain(SECOND) {
        fabric.hears(prefix, |path| communities(path).is_empty());
    }
}

#[test]
fn metallb_62_a_service_that_does_not_answer_is_not_announced() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    let check = "healthCheck: {protocol: TCP, port: 9, intervalSeconds: 1, failureThreshold: 1}";
    fabric.start(&config(
        "",
        TOR,
        &[("web", check), ("api", ""), ("dark", "announce: Standby")],
    ));
    fabric.hears(SECOND[0], |_| true);
    assert!(fabric.path(FIRST[0]).is_null() && fabric.path("192.0.2.3/32").is_null());
    fabric.edit(&config(
        "",
        TOR,
        &[("web", ""), ("api", "announce: Standby")],
    ));
    fabric.hears(FIRST[0], |_| true);
    fabric.forgets(SECOND[0]);
}

#[test]
fn addresses_are_announced_from_the_command_line_and_withdrawn_at_its_end() {
    let Some(fabric) = Fabric::open("") else {
        return;
    };
    std::thread::scope(|scope| {
        let announce = scope.spawn(|| {
            fabric.run(&[
                "announce",
                "192.0.2.9",
                "2001:db8::9",
                "--peer",
                "10.77.0.2",
                "--as",
                "64512",
                "--peer-as",
                "64513",
                "--community",
                "64512:9",
                "--for",
                "10s",
            ])
        });
        for prefix in ["192.0.2.9/32", "2001:db8::9/128"] {
            fabric.hears(prefix, |path| communities(path) == "64512:9");
        }
        let output = announce.join().unwrap();
        assert!(output.status.success(), "{output:?}");
    });
    for prefix in ["192.0.2.9/32", "2001:db8::9/128"] {
        fabric.forgets(prefix);
    }
}

#[test]
fn a_policy_in_gobgp_s_format_marks_and_refuses_routes() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    let policy = r#"---
apiVersion: v1
kind: ConfigMap
metadata: {name: bgp-policy}
data:
  gobgp.conf: |
    [[defined-sets.prefix-sets]]
    prefix-set-name = "second"
    [[defined-sets.prefix-sets.prefix-list]]
    ip-prefix = "192.0.2.2/32"
    [[policy-definitions]]
    name = "out"
    [[policy-definitions.statements]]
    name = "hide"
    [policy-definitions.statements.conditions.match-prefix-set]
    prefix-set = "second"
    [policy-definitions.statements.actions]
    route-disposition = "reject-route"
    [[policy-definitions.statements]]
    name = "mark"
    [policy-definitions.statements.actions]
    route-disposition = "accept-route"
    [policy-definitions.statements.actions.bgp-actions.set-as-path-prepend]
    as = "last-as"
    repeat-n = 2
    [policy-definitions.statements.actions.bgp-actions.set-community]
    options = "ADD"
    [policy-definitions.statements.actions.bgp-actions.set-community.set-community-method]
    communities-list = ["64512:77"]
    [global.apply-policy.config]
    export-policy-list = ["out"]
"#;
    let config = config("", TOR, &[("web", ""), ("api", "")]);
    let config = config.replace("spec: {as: 64512}", "spec: {as: 64512, policy: bgp-policy}");
    fabric.start(&(config + policy));
    for prefix in [FIRST[0], FIRST[1], SECOND[1]] {
        let path = fabric.hears(prefix, |path| communities(path) == "64512:77");
        assert_eq!(path["aspath"]["string"], "64512 64512 64512");
    }
    assert!(fabric.path(SECOND[0]).is_null());
}

#[test]
fn an_invalid_configuration_is_refused_whole_and_the_session_stays() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    fabric.start(&config("", TOR, &[("web", "")]));
    fabric.hears(FIRST[0], |_| true);
    let wrong = format!("{TOR}, timers: {{config: {{holdTime: 2}}}}");
    fabric.edit(&config("", &wrong, &[("web", ""), ("api", "")]));
    let errors = eventually("the refusal is reported", || {
        let errors = fabric.ask(&["status"])["config"]["errors"].to_string();
        (errors != "[]").then_some(errors)
    });
    assert!(
        errors.contains("openelb.yaml:") && errors.contains("holdTime"),
        "{errors}"
    );
    fabric.established();
    assert!(!fabric.path(FIRST[0]).is_null() && fabric.path(SECOND[0]).is_null());
}

#[test]
fn bfd_beside_a_session_is_shown_and_ends_it_when_the_router_falls_silent() {
    let Some(mut fabric) = Fabric::open("bfd") else {
        return;
    };
    let peer = format!("{TOR}, bfd: {{minTxMs: 300, minRxMs: 300, multiplier: 3}}");
    fabric.start(&config("", &peer, &[("web", "")]));
    fabric.hears(FIRST[0], |_| true);
    eventually("BFD is up", || {
        let state = fabric.peer()["bfd"]["state"]
            .as_str()
            .map(str::to_lowercase);
        (state.as_deref() == Some("up")).then_some(())
    });
    assert!(
        fabric
            .metrics()
            .contains("openelb_bgp_bfd_up{peer=\"tor\"} 1.0")
    );
    fabric.freeze_router();
    let error = eventually("the session ends", || {
        Some(fabric.peer()["lastError"].clone()).filter(|error| !error.is_null())
    });
    // The hold time is 90 s: nothing but BFD is that quick, and its code says so (RFC 9384).
    assert_eq!(
        (&error["code"], &error["subcode"]),
        (&6.into(), &10.into()),
        "{error}"
    );
}

#[test]
fn the_monitor_tells_what_happened_to_a_peer() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    fabric.start(&config("", TOR, &[("web", "")]));
    fabric.established();
    let output = fabric.run(&["bgp", "monitor", "--once", "--peer", "tor", "-o", "json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let is_up = |event: &Value| event["text"].as_str().unwrap().ends_with("Established");
    assert!(events.iter().any(is_up), "{text}");
    assert!(events.iter().all(|event| event["peer"] == "tor"));
}

#[test]
fn bgp_takes_no_right_but_its_port_and_layer_2_says_which_one_it_lacks() {
    let Some(mut fabric) = Fabric::open("") else {
        return;
    };
    let routed = config("", TOR, &[("web", "")]);
    fabric.start_with_port_alone(&routed);
    for prefix in FIRST {
        fabric.hears(prefix, |_| true);
    }
    assert_eq!(
        fabric.ask(&["status"])["problems"],
        Value::Array(Vec::new())
    );
    let linked = "protocol: layer2, interface: eth0";
    fabric.edit(&config(linked, TOR, &[("web", "")]));
    eventually("the missing right is named", || {
        let problems = fabric.ask(&["status"])["problems"].to_string();
        problems.contains("CAP_NET_RAW").then_some(())
    });
    fabric.edit(&routed);
    eventually("nothing is lacking any more", || {
        let problems = fabric.ask(&["status"])["problems"].take();
        (problems == Value::Array(Vec::new())).then_some(())
    });
    fabric.hears(FIRST[0], |_| true);
}
