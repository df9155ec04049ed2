//! What peers announced, as a front end gets it: told by an event, read when it likes.

use openelb_announce::bgp::policy::PrefixRange;

use crate::node::{Node, config, peer};
use crate::sessions::other;
use crate::world::{Host, with_hosts};

/// What was learned, and whether it is all.
fn learned(node: &Node) -> (Vec<String>, bool) {
    let learned = node.speaker.learned().unwrap();
    let routes = learned.routes.iter().map(|it| it.route.to_string());
    (routes.collect(), learned.is_complete)
}

/// How often it was told that there is something to read.
fn told(node: &Node) -> usize {
    let events = node.events();
    let learned = events.iter().filter(|event| event.ends_with("are learned"));
    learned.count()
}

#[test]
fn what_is_learned_is_told_once_until_it_is_read() {
    with_hosts(|_, [one, two]: [Host; 2]| {
        let mut far = peer("two", "192.0.2.2");
        let range = "10.244.0.0/16".parse().unwrap();
        far.settings.import = vec![PrefixRange::within(range)];
        let node = Node::start(&one, config(&one, [far.clone()]));
        let other_node = Node::start(&two, other(&two, [peer("one", "192.0.2.1")]));
        other_node.announce(&["10.244.2.0/24", "203.0.113.0/24"]);
        node.wait("the end of what the other one has", |node| learned(node).1);
        assert!(told(&node) > 0);
        assert_eq!(learned(&node).0, ["10.244.2.0/24 via 192.0.2.2"]);

        let before = told(&node);
        let both = ["10.244.2.0/24", "10.244.3.0/24"];
        other_node.announce(&both);
        node.wait("it was told", |node| told(node) == before + 1);
        other_node.announce(&["10.244.3.0/24"]);
        node.wait("the other one has sent it", |_| {
            let sent = &other_node.peer("one").families.ipv4;
            (sent.advertised, sent.pending) == (1, 0)
        });
        node.wait("the last state", |node| {
            let status = &node.peer("two").families.ipv4;
            status.received == 1
        });
        assert_eq!(told(&node), before + 1);
        assert_eq!(learned(&node).0, ["10.244.3.0/24 via 192.0.2.2"]);

        far.settings.import = Vec::new();
        node.configure(config(&one, [far]));
        node.wait("nothing is learned", |node| learned(node).0.is_empty());
    });
}
