//! Listeners: taken ports, addresses that come later, live changes, and rights.

use crate::node::{Node, config, peer};
use crate::sessions::other;
use crate::world::{Host, with_hosts, with_root_and_hosts};

#[test]
fn a_taken_port_is_reported_and_used_once_it_is_free() {
    with_hosts(|_, [one, two]: [Host; 2]| {
        let holder = one.run(|| std::net::TcpListener::bind("0.0.0.0:179").unwrap());
        let mut near = peer("two", "192.0.2.2");
        near.settings.passive = true;
        let node = Node::start(&one, config(&one, [near]));
        let _far = Node::start(&two, other(&two, [peer("one", "192.0.2.1")]));
        node.wait_event("not listening on 0.0.0.0:179");
        node.wait("the status shows it", |node| {
            let listeners = node.status().listeners;
            let problem = listeners[0].problem.as_deref().unwrap_or_default();
            problem.contains("another program listens there") && listeners[1].problem.is_none()
        });
        drop(holder);
        node.wait_established("two");
        assert_eq!(node.status().listeners[0].problem, None);
    });
}

#[test]
fn an_address_that_appears_later_is_listened_on_then() {
    with_hosts(|_, [one, two]: [Host; 2]| {
        let mut near = peer("two", "2001:db8::2");
        near.settings.passive = true;
        let mut config = config(&one, [near]);
        config.listen = vec!["[2001:db8::101]:179".parse().unwrap()];
        let node = Node::start(&one, config);
        let _far = Node::start(&two, other(&two, [peer("one", "2001:db8::101")]));
        node.wait_event("no interface has this address yet");
        one.sh("ip addr add 2001:db8::101/64 dev eth0 nodad");
        node.wait_established("two");
    });
}

#[test]
fn listeners_change_without_touching_sessions() {
    with_hosts(|_, [one, two]: [Host; 2]| {
        let mut near = peer("two", "192.0.2.2");
        near.settings.passive = true;
        let mut config = config(&one, [near]);
        let node = Node::start(&one, config.clone());
        let far = Node::start(&two, other(&two, [peer("one", "192.0.2.1")]));
        node.wait_established("two");
        config.listen = vec!["192.0.2.1:1790".parse().unwrap()];
        node.configure(config);
        node.wait_event("listening on 192.0.2.1:1790");
        let listening = one.sh("ss -Hltn");
        assert!(!listening.contains(":179 "), "{listening}");
        assert_eq!((node.peer("two").flaps, far.peer("one").flaps), (0, 0));
        assert!(node.is_established("two"));
    });
}

#[test]
fn only_the_capabilities_for_sockets_are_kept() {
    with_root_and_hosts(|_, [one]: [Host; 1]| {
        let _node = Node::start(&one, config(&one, []));
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let threads = tasks.map(|task| task.unwrap().path());
        let of_bgp = threads.filter(|task| {
            std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name == "openelb-bgp\n")
        });
        for thread in of_bgp {
            let status = std::fs::read_to_string(thread.join("status")).unwrap();
            // CAP_NET_BIND_SERVICE is number 10, CAP_NET_RAW 13, CAP_SYS_NICE 23.
            for set in ["CapPrm", "CapEff"] {
                let line = status.lines().find(|line| line.starts_with(set)).unwrap();
                assert!(line.ends_with("0000000000802400"), "{line}");
            }
        }
    });
}
