//! What is written, and above all what is not.

use serde_json::json;

use super::{
    Act, Report, Step, Written, cleanup, conditions, creation, manager, speaks_for_all, unseen,
};
use crate::api::{
    BgpConf, BgpPeer, MessageCounts, Messages, NodeConfStatus, NodePeerStatus, TextNumber,
};
use crate::cluster::Node;
use crate::names;
use crate::problem::{Problem, Reason};
use crate::speaker::Cluster;

const NOW: &str = "2026-01-01T00:00:00Z";

/// A session with so many messages received.
fn session(state: &str, messages: u64) -> NodePeerStatus {
    let mut status = NodePeerStatus::default();
    state.clone_into(&mut status.peer_state.session_state);
    status.peer_state.messages = Some(Messages {
        received: Some(MessageCounts {
            total: TextNumber(messages),
            ..MessageCounts::default()
        }),
        sent: None,
    });
    status
}

fn report(state: &str, messages: u64) -> Report {
    Report {
        uid: "u1".to_owned(),
        conf: Some(NodeConfStatus {
            router_id: "10.0.0.1".to_owned(),
            r#as: 65000,
        }),
        peers: [("tor".to_owned(), session(state, messages))].into(),
        ..Report::default()
    }
}

fn cluster(nodes: &[&str]) -> Cluster {
    let mut cluster = Cluster::default();
    for name in nodes {
        let node = json!({"metadata": {"name": name},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        let node: Node = serde_json::from_value(node).unwrap();
        cluster.nodes.insert((*name).to_owned(), node);
    }
    let peer = BgpPeer::new("tor", "10.0.0.254", 65001);
    cluster.bgp_peers.insert("tor".to_owned(), peer);
    let conf = BgpConf::new(65000);
    cluster
        .bgp_confs
        .insert(names::DEFAULT_BGP_CONF.to_owned(), conf);
    cluster
}

fn steps(written: &Written, report: &Report) -> Vec<Step> {
    written.steps(report, "n1", false)
}

/// As if every step succeeded.
fn carried_out(report: &Report) -> Written {
    let mut written = Written::default();
    for step in steps(&written, report) {
        written.note(step);
    }
    written
}

#[test]
fn everything_is_written_once_and_then_only_what_changed() {
    let first = report("ACTIVE", 1);
    let written = carried_out(&first);
    assert_eq!(steps(&Written::default(), &first).len(), 3);
    assert!(steps(&written, &first).is_empty());
    let second = report("ESTABLISHED", 1);
    assert!(matches!(&steps(&written, &second)[..], [Step::Peer(..)]));
}

#[test]
fn counters_alone_are_written_only_when_it_is_time_for_them() {
    let written = carried_out(&report("ESTABLISHED", 1));
    let later = report("ESTABLISHED", 9);
    assert!(steps(&written, &later).is_empty());
    assert_eq!(written.steps(&later, "n1", true).len(), 1);
}

#[test]
fn an_object_that_was_made_anew_is_told_again() {
    let mut report = report("ESTABLISHED", 1);
    let written = carried_out(&report);
    report.unseen = unseen(&cluster(&["n1"]), "n1");
    assert_eq!(steps(&written, &report).len(), 2, "peer and speaker");
}

#[test]
fn each_node_writes_its_own_entries_under_its_own_name() {
    let steps = steps(&Written::default(), &report("ACTIVE", 0));
    for step in &steps {
        let request = step.request();
        assert_eq!(request.subresource, Some("status"));
        assert_eq!(request.act, Act::Apply { force: true });
    }
    let entries = steps
        .iter()
        .filter_map(|step| step.request().body.pointer("/status/nodesPeerStatus"));
    assert!(
        entries
            .into_iter()
            .all(|entry| entry.as_object().unwrap().keys().eq(["n1"]))
    );
    assert_eq!(manager("n1"), "openelb-speaker/n1");
    assert_eq!(manager(&"x".repeat(253)).len(), 128);
}

#[test]
fn the_record_goes_with_its_node() {
    let request = creation("n1", "u1");
    let owner = &request.body["metadata"]["ownerReferences"][0];
    assert_eq!(
        (&owner["kind"], &owner["uid"]),
        (&json!("Node"), &json!("u1"))
    );
    assert!(request.body.get("status").is_none(), "it is written apart");
}

/// `BgpPeer.status` as OpenELB leaves it: with the password, and with nodes that are gone.
fn left_behind(cluster: &mut Cluster) {
    let status = json!({"nodesPeerStatus": {
        "n1": {"peerState": {"authPassword": "hunter2", "sessionState": "IDLE"}},
        "gone": {"peerState": {"sessionState": "IDLE"}}}});
    cluster.bgp_peers.get_mut("tor").unwrap().status = serde_json::from_value(status).unwrap();
}

#[test]
fn openelb_47_a_password_that_was_copied_into_a_status_is_taken_out_and_never_repeated() {
    let mut cluster = cluster(&["n1"]);
    left_behind(&mut cluster);
    let requests = cleanup(&cluster, "n1", &report("ACTIVE", 0), false);
    let bodies: Vec<_> = requests.values().map(|it| it.body.to_string()).collect();
    let expected =
        json!({"status": {"nodesPeerStatus": {"n1": {"peerState": {"authPassword": null}}}}});
    assert_eq!(bodies, [expected.to_string()]);
}

#[test]
fn entries_of_nodes_that_are_gone_are_removed_by_one_node_alone() {
    let mut cluster = cluster(&["n1", "n2"]);
    left_behind(&mut cluster);
    let removed = |cleans| {
        let requests = cleanup(&cluster, "n2", &report("ACTIVE", 0), cleans);
        requests.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(removed(true), ["BgpPeer tor gone"]);
    assert!(removed(false).is_empty());
}

#[test]
fn openelb_46_the_entry_of_a_session_that_this_node_has_no_more_is_removed() {
    let mut cluster = cluster(&["n1"]);
    left_behind(&mut cluster);
    let none = Report::default();
    let requests = cleanup(&cluster, "n1", &none, false);
    let entry = &requests["BgpPeer tor n1"].body["status"]["nodesPeerStatus"];
    assert_eq!(entry, &json!({"n1": null}));
}

#[test]
fn the_first_ready_node_with_a_speaker_speaks_for_all() {
    let mut cluster = cluster(&["n1", "n2", "n3"]);
    let conf = cluster.bgp_confs.get_mut(names::DEFAULT_BGP_CONF).unwrap();
    for node in ["n2", "n3", "a-gone"] {
        let status = NodeConfStatus::default();
        conf.status
            .nodes_conf_status
            .insert(node.to_owned(), status);
    }
    let speaks = |node| speaks_for_all(&cluster, node);
    assert_eq!([speaks("n2"), speaks("n3")], [true, false]);
}

#[test]
fn what_cannot_be_honoured_is_a_condition_until_it_is_mended() {
    let mut cluster = cluster(&["n1"]);
    let problem = Problem {
        kind: names::BGP_PEER_KIND,
        name: "tor".to_owned(),
        reason: Reason::UnsupportedField,
        key: "spec.conf.vrf".to_owned(),
        message: "vrf `red` is not supported".to_owned(),
        next: "remove it".to_owned(),
    };
    assert!(
        conditions(&cluster, &[], NOW).is_empty(),
        "what is fine is not written"
    );
    let requests = conditions(&cluster, std::slice::from_ref(&problem), NOW);
    let found = &requests["BgpPeer tor"].body["status"]["conditions"][0];
    assert_eq!(found["status"], "False");
    assert_eq!(found["reason"], "UnsupportedField");
    assert!(found["message"].as_str().unwrap().contains("spec.conf.vrf"));
    let shown = serde_json::from_value(found.clone()).unwrap();
    cluster.bgp_peers.get_mut("tor").unwrap().status.conditions = vec![shown];
    let later = "2026-01-02T00:00:00Z";
    assert!(
        conditions(&cluster, &[problem], later).is_empty(),
        "it says so already"
    );
    let mended = conditions(&cluster, &[], later);
    assert_eq!(mended["BgpPeer tor"].body["status"], json!({}));
}
