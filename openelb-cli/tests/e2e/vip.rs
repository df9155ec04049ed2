//! `vip` pools: two daemons are virtual routers for the same addresses.

use std::fs;

use serde_json::{Value, json};

use crate::node::Node;
use crate::stage::{Stage, eventually};

#[test]
fn openelb_48_and_49_a_vip_pool_answers_and_a_dead_active_router_is_replaced() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let nodes = pair(&mut stage, "vrid: 51, advertisementInterval: 200ms", "");
    for address in ADDRESSES {
        let active = active(&nodes, address);
        assert_eq!(
            stage.resolve(address).as_deref(),
            Some(nodes[active].name())
        );
    }
    let dead = active(&nodes, ADDRESSES[0]);
    // One Active router has both families, as one node has the higher priority for this VRID.
    eventually("the other node says who does it", || {
        let status = nodes[1 - dead].ask(&["status"]);
        (status["services"][0]["state"] == "Elsewhere").then_some(())
    });
    nodes[dead].signal(&mut stage, "SIGKILL");
    let survivor = &nodes[1 - dead];
    for address in ADDRESSES {
        eventually("the survivor is Active", || {
            (router(survivor, address)["state"] == "Active").then_some(())
        });
        assert_eq!(stage.resolve(address).as_deref(), Some(survivor.name()));
    }
    let log = survivor.log();
    assert!(log.contains("the Active router fell silent"), "{log}");
}

#[test]
fn a_drained_node_gives_its_virtual_routers_up_and_takes_them_back() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let nodes = pair(
        &mut stage,
        "vridRange: 100-150, advertisementInterval: 200ms",
        "",
    );
    let first = active(&nodes, ADDRESSES[0]);
    let report = nodes[first].ask(&["drain"]);
    assert_eq!(
        (&report["draining"], &report["active"]),
        (&json!(true), &json!(0)),
        "{report}"
    );
    let other = &nodes[1 - first];
    eventually("the other is Active", || {
        (router(other, ADDRESSES[0])["state"] == "Active").then_some(())
    });
    assert_eq!(stage.resolve(ADDRESSES[0]).as_deref(), Some(other.name()));
    nodes[first].ask(&["drain", "--undo"]);
    // Its priority is the higher one, as it was at first.
    eventually("it is Active again", || {
        (router(&nodes[first], ADDRESSES[0])["state"] == "Active").then_some(())
    });
}

#[test]
fn a_failing_check_lowers_the_priority_until_the_other_node_is_active() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    for node in ["node-a", "node-b"] {
        crate::cluster::backend(&mut stage, node);
    }
    let check = "healthCheck: {protocol: TCP, port: 9999, intervalSeconds: 1, failureThreshold: 1}";
    let nodes = pair(&mut stage, "vrid: 51, advertisementInterval: 200ms", check);
    let first = active(&nodes, ADDRESSES[0]);
    let before = router(&nodes[first], ADDRESSES[0])["priority"]
        .as_u64()
        .unwrap();
    let process = format!("backend-{}", nodes[first].name());
    stage.request(&json!({ "do": "signal", "process": process, "signal": "SIGKILL" }));
    let other = &nodes[1 - first];
    eventually("the other is Active", || {
        (router(other, ADDRESSES[0])["state"] == "Active").then_some(())
    });
    let after = router(&nodes[first], ADDRESSES[0])["priority"]
        .as_u64()
        .unwrap();
    assert_eq!(after, before - 100);
    assert_eq!(stage.resolve(ADDRESSES[0]).as_deref(), Some(other.name()));
}

/// Two daemons with one vip pool of both families and one service.
fn pair(stage: &mut Stage, vrrp: &str, of_service: &str) -> [Node; 2] {
    let config = format!(
        "apiVersion: network.kubesphere.io/v1alpha2\n\
         kind: Eip\n\
         metadata: {{name: lab}}\n\
         spec:\n  \
           address: 192.0.2.240/28, 2001:db8::f0/124\n  \
           protocol: vip\n  \
           interface: eth0\n  \
           autoAssign: true\n  \
           vrrp: {{{vrrp}}}\n\
         ---\n\
         apiVersion: openelb.io/v1\n\
         kind: Service\n\
         metadata: {{namespace: shop, name: web}}\n\
         spec:\n  \
           ipFamilyPolicy: RequireDualStack\n  \
           addresses: [192.0.2.241, '2001:db8::f1']\n  \
           {of_service}\n"
    );
    fs::create_dir_all(stage.files()).unwrap();
    ["node-a", "node-b"].map(|name| Node::start(stage, name, &config))
}

/// Which of the two is Active, once it is the one that comes first.
fn active(nodes: &[Node; 2], address: &str) -> usize {
    eventually("the one with the higher priority is Active", || {
        let routers = nodes.each_ref().map(|node| router(node, address));
        let [a, b] = routers
            .each_ref()
            .map(|router| router["priority"].as_u64().unwrap_or(0));
        let first = usize::from(b > a);
        let is_active = routers[first]["state"] == "Active";
        let is_alone = routers[1 - first]["state"] == "Backup";
        (a > 0 && b > 0 && is_active && is_alone).then_some(first)
    })
}

/// The virtual router of an address, on a node.
fn router(node: &Node, address: &str) -> Value {
    node.ask(&["vrrp", "show", address])["routers"][0].clone()
}

const ADDRESSES: [&str; 2] = ["192.0.2.241", "2001:db8::f1"];
