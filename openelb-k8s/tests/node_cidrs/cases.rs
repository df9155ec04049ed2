//! One controller and a server where nothing goes wrong, case by case.

use openelb_ipam::Time;
use openelb_k8s::node_cidrs::{Change, Input, Kind, Machine, Output, Standing, Write};

use crate::server::{Server, annotated, network, node};

struct Lab {
    server: Server,
    machine: Machine,
    now: Time,
    told: Vec<String>,
    /// The kinds of requests, in order.
    asked: Vec<&'static str>,
}

impl Lab {
    fn new() -> Self {
        Self::with(&["10.0.0.0/22", "fd00::/62"])
    }

    /// With these ranges.
    fn with(ranges: &[&str]) -> Self {
        let mut lab = Self {
            server: Server::default(),
            machine: Machine::new(1),
            now: Time(1_800_000_000_000),
            told: Vec::new(),
            asked: Vec::new(),
        };
        lab.server.put_network(network(ranges));
        lab
    }

    /// A controller starts from nothing, and goes as far as it can.
    fn start(&mut self) {
        self.machine = Machine::new(2);
        self.server.events.clear();
        self.machine.handle_input(Input::Leading(true), self.now);
        for kind in Kind::ALL {
            self.machine.handle_input(Input::Restart(kind), self.now);
            for object in self.server.list(kind) {
                self.machine.handle_input(object, self.now);
            }
            self.machine.handle_input(Input::Synced(kind), self.now);
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.settle_but(|_| false);
    }

    /// Goes as far as possible without the requests that are kept back.
    fn settle_but(&mut self, is_kept: fn(&Change) -> bool) -> Vec<Write> {
        let mut kept = Vec::new();
        loop {
            let mut is_busy = false;
            for (_, event) in std::mem::take(&mut self.server.events) {
                self.machine.handle_input(event, self.now);
                is_busy = true;
            }
            let outputs: Vec<_> = std::iter::from_fn(|| self.machine.poll_output()).collect();
            for output in outputs {
                is_busy = true;
                match output {
                    Output::Write(write) if is_kept(&write.what) => kept.push(write),
                    Output::Write(write) => {
                        self.asked.push(word(&write.what));
                        let outcome = self.server.execute(&write.what);
                        let id = write.id;
                        let input = Input::Written { id, outcome };
                        self.machine.handle_input(input, self.now);
                    }
                    Output::Happened(it) => self.told.push(format!("{}: {}", it.reason, it.note)),
                }
            }
            match self.machine.poll_timeout() {
                _ if is_busy => {}
                Some(at) => {
                    self.now = self.now.max(at);
                    self.machine.handle_timeout(self.now);
                }
                None => return kept,
            }
        }
    }

    fn cidrs(&self, name: &str) -> Vec<&str> {
        let node = &self.server.nodes[name];
        node.spec.pod_cidrs.iter().map(String::as_str).collect()
    }

    fn used(&self) -> Vec<(&str, &str)> {
        let status = &self.server.network.as_ref().unwrap().status;
        let used = status.used.iter();
        used.map(|(cidr, name)| (cidr.as_str(), name.as_str()))
            .collect()
    }

    fn condition(&self, kind: &str) -> (&str, &str) {
        let status = &self.server.network.as_ref().unwrap().status;
        let condition = status.conditions.iter().find(|it| it.kind == kind).unwrap();
        (&condition.status, &condition.reason)
    }
}

fn word(change: &Change) -> &'static str {
    match change {
        Change::Status { .. } => "record",
        Change::Node { .. } => "node",
        Change::ReadNetwork => "read network",
        Change::ReadNode(_) => "read node",
    }
}

#[test]
fn nodes_get_the_lowest_prefixes_of_both_families_after_one_record_for_all() {
    let mut lab = Lab::new();
    lab.server.put_node(node("a", &[]));
    lab.server.put_node(node("b", &[]));
    lab.start();
    assert_eq!(lab.cidrs("a"), ["10.0.0.0/24", "fd00::/64"]);
    assert_eq!(lab.cidrs("b"), ["10.0.1.0/24", "fd00:0:0:1::/64"]);
    assert_eq!(lab.server.nodes["a"].spec.pod_cidr, "10.0.0.0/24");
    assert_eq!(lab.asked, ["record", "node", "node"]);
    assert_eq!(lab.condition("Ready"), ("True", "Complete"));
    let words = lab.told.join("\n");
    assert!(words.contains("PodCIDRsAssigned: has the pod CIDRs 10.0.0.0/24, fd00::/64"));
    let standing = Standing {
        nodes: 2,
        assigned: 2,
        records: 4,
        ..Standing::default()
    };
    assert_eq!(lab.machine.standing(), Some(standing));
}

#[test]
fn clusters_of_one_family_and_of_both_get_what_their_ranges_say_in_their_order() {
    let (v4, v6) = ("10.0.0.0/22", "fd00::/62");
    let (first4, first6) = ("10.0.0.0/24", "fd00::/64");
    for (ranges, expected) in [
        (vec![v4], vec![first4]),
        (vec![v6], vec![first6]),
        (vec![v4, v6], vec![first4, first6]),
        (vec![v6, v4], vec![first6, first4]),
    ] {
        let mut lab = Lab::with(&ranges);
        lab.server.put_node(node("a", &[]));
        lab.start();
        assert_eq!(lab.cidrs("a"), expected, "{ranges:?}");
        assert_eq!(lab.server.nodes["a"].spec.pod_cidr, expected[0]);
        assert_eq!(lab.condition("Ready"), ("True", "Complete"));
    }
}

#[test]
fn a_controller_that_starts_in_a_settled_world_asks_for_nothing() {
    let mut lab = Lab::new();
    lab.server.put_node(node("a", &[]));
    lab.server.put_node(node("kubeadm", &["10.0.3.0/24"]));
    lab.start();
    lab.asked.clear();
    lab.start();
    assert_eq!(lab.asked, [""; 0]);
}

#[test]
fn what_kubeadm_or_kube_controller_manager_gave_is_recorded_and_left_as_it_is() {
    let mut lab = Lab::new();
    lab.server.put_node(node("a", &[]));
    lab.server.put_node(node("b", &["10.0.0.0/24"]));
    lab.server.put_node(annotated("c", "fd00::/64"));
    lab.start();
    assert_eq!(lab.cidrs("a"), ["10.0.1.0/24", "fd00:0:0:1::/64"]);
    assert_eq!(lab.cidrs("b"), ["10.0.0.0/24"]);
    assert_eq!(lab.cidrs("c"), [""; 0]);
    assert!(lab.used().contains(&("10.0.0.0/24", "b")));
    assert!(lab.used().contains(&("fd00::/64", "c")));
}

#[test]
fn two_nodes_with_one_prefix_are_reported_and_neither_is_changed() {
    let mut lab = Lab::new();
    lab.server.put_node(node("a", &["10.0.0.0/23"]));
    lab.server.put_node(node("b", &["10.0.1.0/24"]));
    lab.server.put_node(node("c", &[]));
    lab.start();
    assert_eq!(lab.condition("Ready"), ("False", "Conflict"));
    assert_eq!(lab.cidrs("b"), ["10.0.1.0/24"]);
    assert_eq!(lab.cidrs("c")[0], "10.0.2.0/24");
    let words = lab.told.join("\n");
    assert!(words.contains("PodCIDRConflict: 10.0.1.0/24 overlaps 10.0.0.0/23 of node a"));
    assert!(!lab.used().contains(&("10.0.1.0/24", "b")));
}

#[test]
fn a_prefix_outside_the_ranges_is_reported_and_left_alone() {
    let mut lab = Lab::new();
    lab.server.put_node(node("a", &["192.168.0.0/24"]));
    lab.start();
    assert_eq!(lab.condition("Ready"), ("False", "OutsideRanges"));
    assert_eq!(lab.cidrs("a"), ["192.168.0.0/24"]);
    assert!(lab.used().is_empty());
    assert!(
        lab.told[0].contains("192.168.0.0/24 is outside `spec.ranges`"),
        "{:?}",
        lab.told
    );
}

#[test]
fn a_node_that_goes_gives_back_what_it_had_after_it_was_asked_for() {
    let mut lab = Lab::new();
    for name in ["a", "b", "c", "d", "e"] {
        lab.server.put_node(node(name, &[]));
    }
    lab.start();
    assert_eq!(lab.condition("Ready"), ("False", "Exhausted"));
    assert_eq!(lab.cidrs("e"), [""; 0]);
    lab.asked.clear();
    lab.server.delete_node("b");
    lab.settle();
    assert_eq!(lab.cidrs("e"), ["10.0.1.0/24", "fd00:0:0:1::/64"]);
    assert_eq!(lab.asked, ["read node", "record", "node"]);
    assert_eq!(lab.condition("Ready"), ("True", "Complete"));
}

#[test]
fn a_node_that_comes_back_at_once_has_what_it_had() {
    let mut lab = Lab::new();
    lab.server.put_node(node("a", &[]));
    lab.server.put_node(node("b", &[]));
    lab.start();
    lab.server.delete_node("b");
    lab.server.put_node(node("b", &[]));
    lab.server.put_node(node("ab", &[]));
    lab.settle();
    assert_eq!(lab.cidrs("b"), ["10.0.1.0/24", "fd00:0:0:1::/64"]);
    assert_eq!(lab.cidrs("ab"), ["10.0.2.0/24", "fd00:0:0:2::/64"]);
}

#[test]
fn a_network_that_is_made_anew_gives_nobody_what_is_being_written_into_a_node() {
    let mut lab = Lab::new();
    lab.start();
    lab.server.put_node(node("b", &[]));
    let under_way = lab.settle_but(|change| matches!(change, Change::Node { .. }));
    assert_eq!(under_way.len(), 1);
    lab.server.delete_network();
    lab.server.put_node(node("a", &[]));
    lab.server
        .put_network(network(&["10.0.0.0/22", "fd00::/62"]));
    lab.settle();
    // It arrives after all.
    for write in under_way {
        lab.server.execute(&write.what);
    }
    lab.settle();
    assert_eq!(lab.cidrs("b"), ["10.0.0.0/24", "fd00::/64"]);
    assert_eq!(lab.cidrs("a"), ["10.0.1.0/24", "fd00:0:0:1::/64"]);
    assert_eq!(lab.used().len(), 4);
}

#[test]
fn a_specification_that_cannot_be_used_changes_no_record() {
    let mut lab = Lab::new();
    lab.server.put_node(node("a", &[]));
    lab.start();
    let before = lab.used().len();
    let mut network = lab.server.network.clone().unwrap();
    network.spec.ranges = vec!["ten".to_owned()];
    lab.server.put_network(network);
    lab.settle();
    assert_eq!(lab.condition("Accepted"), ("False", "Invalid"));
    assert_eq!(lab.condition("Ready"), ("False", "NotAccepted"));
    assert_eq!(lab.used().len(), before);
}
