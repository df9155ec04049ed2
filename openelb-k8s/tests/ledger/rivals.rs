//! One controller, and another whose writes it sees.

use openelb_k8s::cluster::IpFamily;
use openelb_k8s::controller::Kind;

use crate::lab::Lab;
use crate::objects::{default_pool, service};

/// A Service that has an address, and a rival that removed its record.
fn robbed() -> Lab {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.0.2.1")],
        vec![service("shop", "a", &[IpFamily::IPv4])],
    );
    rob(&mut lab);
    lab
}

fn rob(lab: &mut Lab) {
    lab.server.edit_eip("one", |eip| {
        eip.status.used.clear();
        eip.status.ledger_revision += 1;
    });
}

/// The watch of Services is behind that of Eips: written anew at once, the record would come and go
/// until the watch tells.
#[test]
fn a_record_that_a_rival_removed_of_a_service_that_is_gone_is_never_written_anew() {
    let mut lab = robbed();
    lab.server
        .edit_service("shop/a", |it| it.metadata.finalizers.clear());
    lab.server.delete_service("shop/a");
    lab.server.events.retain(|(kind, _)| *kind != Kind::Service);
    lab.settle();
    assert_eq!(lab.used("one", "192.0.2.1"), None);
    let records = lab.server.writes.iter();
    let records = records.filter(|it| format!("{it:?}").contains("shop/a\""));
    assert_eq!(records.count(), 1, "the first: {:#?}", lab.server.writes);
}

#[test]
fn a_record_that_a_rival_removed_by_mistake_is_written_anew_after_a_look_each_time_later() {
    let mut lab = robbed();
    let mut pauses = Vec::new();
    for _ in 0..6 {
        let before = lab.now;
        while lab.exchange() {}
        assert_eq!(lab.used("one", "192.0.2.1"), None, "not without a look");
        lab.settle();
        assert_eq!(lab.used("one", "192.0.2.1"), Some("shop/a"));
        pauses.push(lab.now - before);
        rob(&mut lab);
    }
    assert!(pauses.is_sorted(), "{pauses:?}");
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.1"]);
}
