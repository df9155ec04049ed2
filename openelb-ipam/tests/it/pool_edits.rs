//! Plans: what they show, and that what they show is what happens.

use openelb_ipam::ipam::Fate;
use openelb_ipam::{Family, Fence, Ipam, PoolSpec, Request, Time};

use crate::desk::{Desk, ip, owner, pin, pool, sharing};

#[test]
fn a_plan_is_refused_once_the_ledger_moved_on() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24"])]);
    let plan = desk
        .ipam
        .plan_pools(&[pool("p", ["192.0.2.0/25"])])
        .unwrap();
    desk.any("a");
    let error = desk.ipam.apply_pools(plan, desk.now).unwrap_err();
    assert!(error.to_string().contains("plan again"), "{error}");
}

#[test]
fn the_same_pools_again_are_no_change_and_no_write() {
    let specs = [pool("p", ["192.0.2.0/24"]), pool("q", ["2001:db8::/64"])];
    let mut desk = Desk::new(&specs);
    let generation = desk.ipam.generation();
    assert_eq!(desk.set_pools(&specs).to_string(), "no change");
    assert_eq!(desk.ipam.generation(), generation);
}

#[test]
fn an_address_orphaned_by_one_edit_is_adopted_by_the_next() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.1-192.0.2.20"])]);
    desk.ask("a", &pin("192.0.2.15"));
    desk.set_pools(&[pool("p", ["192.0.2.1-192.0.2.10"])]);
    assert!(desk.ipam.whois(ip("192.0.2.15")).is_orphaned);
    let plan = desk.set_pools(&[
        pool("p", ["192.0.2.1-192.0.2.10"]),
        pool("q", ["192.0.2.11-192.0.2.20"]),
    ]);
    assert_eq!(plan.effects()[0].fate, Fate::Adopted("q".parse().unwrap()));
    assert_eq!(desk.any("a"), "192.0.2.15");
    let usage = desk.ipam.usage("q", Family::V4).unwrap();
    assert_eq!((usage.used, usage.orphaned), (1u64.into(), 0u64.into()));
}

#[test]
fn an_owner_content_with_one_family_keeps_the_address_that_need_not_move() {
    let mut desk = Desk::new(&[pool(
        "p",
        ["192.0.2.1-192.0.2.9", "2001:db8::1-2001:db8::9"],
    )]);
    desk.ask("a", &Request::dual_stack());
    let mut drained = pool("p", ["192.0.2.5-192.0.2.9", "2001:db8::1-2001:db8::9"]);
    drained.on_shrink = openelb_ipam::pool::OnShrink::Drain;
    desk.set_pools(&[drained]);
    assert_eq!(desk.any("a"), "2001:db8::1");
    assert_eq!(desk.any("a"), "2001:db8::1");
}

#[test]
fn sharers_stay_together_through_edits() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.1-192.0.2.20"])]);
    desk.ask("a", &sharing("k", "TCP/80"));
    desk.ask("b", &sharing("k", "TCP/81"));
    desk.set_pools(&[pool("renamed", ["192.0.2.1-192.0.2.20"])]);
    assert_eq!(
        (desk.held("a"), desk.held("b")),
        ("192.0.2.1".into(), "192.0.2.1".into())
    );
    desk.set_pools(&[]);
    assert_eq!(desk.ipam.owner_count(), 0);
}

#[test]
fn reservations_of_a_deleted_pool_are_aborted() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24"])]);
    let reservation = desk
        .ipam
        .reserve(&owner("a"), &Request::default(), Time(9), Time(0))
        .unwrap();
    desk.set_pools(&[]);
    assert!(desk.ipam.commit(reservation.id, Time(1)).is_err());
    assert_eq!(desk.ipam.next_deadline(), None);
}

#[test]
fn a_delegated_prefix_is_the_lowest_free_one_and_sticky() {
    let mut desk = Desk::new(&[pool("nodes", ["10.0.0.0/16", "2001:db8::/48"])]);
    let name = "nodes".parse().unwrap();
    let prefix = |desk: &mut Desk, node: &str, family, length| {
        let given = desk
            .ipam
            .allocate_prefix(&owner(node), &name, family, length, Time(0));
        assert_eq!(desk.ipam.audit(), [""; 0]);
        given.map(|given| given.prefix.to_string())
    };
    // The network address of the pool is reserved, so that the first /24 is not whole.
    assert_eq!(
        prefix(&mut desk, "n1", Family::V4, 24).unwrap(),
        "10.0.1.0/24"
    );
    assert_eq!(
        prefix(&mut desk, "n1", Family::V4, 24).unwrap(),
        "10.0.1.0/24"
    );
    assert_eq!(
        prefix(&mut desk, "n2", Family::V4, 24).unwrap(),
        "10.0.2.0/24"
    );
    assert_eq!(
        prefix(&mut desk, "n1", Family::V6, 64).unwrap(),
        "2001:db8:0:1::/64"
    );
    assert_eq!(desk.any("single"), "10.0.0.1");
    assert!(
        desk.try_ask("late", &pin("10.0.1.7"))
            .unwrap_err()
            .to_string()
            .contains("service/default/n1")
    );
    assert!(prefix(&mut desk, "n3", Family::V4, 16).is_err());
    assert!(prefix(&mut desk, "n3", Family::V4, 33).is_err());
    let released = desk
        .ipam
        .release(&owner("n1").key, Fence::Any, Time(0))
        .unwrap();
    assert_eq!(released.prefixes.len(), 2);
    assert_eq!(
        prefix(&mut desk, "n3", Family::V4, 24).unwrap(),
        "10.0.1.0/24"
    );
}

#[test]
fn bulk_allocation_is_one_step_and_each_request_stands_alone() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.1-192.0.2.3"])]);
    let owners: Vec<_> = (0..5).map(|n| owner(&format!("s{n}"))).collect();
    let request = Request::default();
    let generation = desk.ipam.generation();
    let answers = desk
        .ipam
        .allocate_many(owners.iter().map(|owner| (owner, &request)), Time(0));
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
    assert_eq!(desk.ipam.generation(), generation + 1);
    assert_eq!(desk.ipam.waiting().count(), 2);
}

#[test]
fn a_step_larger_than_the_log_still_counts_as_a_step() {
    let mut ipam = Ipam::new().with_log_capacity(3);
    let plan = ipam.plan_pools(&[pool("p", ["192.0.2.0/24"])]).unwrap();
    ipam.apply_pools(plan, Time(0)).unwrap();
    let owners: Vec<_> = (0..9).map(|n| owner(&format!("s{n}"))).collect();
    let request = Request::default();
    ipam.allocate_many(owners.iter().map(|owner| (owner, &request)), Time(0));
    assert_eq!(ipam.generation(), 2);
    assert!(ipam.changes_since(1).is_err(), "too much to remember");
    assert!(ipam.changes_since(2).unwrap().is_empty());
    assert_eq!(Ipam::restore(ipam.snapshot()).unwrap().owner_count(), 9);
}

#[test]
fn every_address_of_the_whole_internet_is_counted_exactly() {
    let everything = PoolSpec {
        reserve: openelb_ipam::pool::ReserveRules::NONE,
        ..pool("all", ["::/0", "0.0.0.0/0"])
    };
    let mut desk = Desk::new(&[everything]);
    let free = |desk: &Desk| desk.ipam.usage("all", Family::V6).unwrap().free.to_string();
    assert_eq!(free(&desk), "340282366920938463463374607431768211456");
    desk.ask("a", &pin("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
    assert_eq!(free(&desk), "340282366920938463463374607431768211455");
    desk.release("a");
    assert_eq!(free(&desk), "340282366920938463463374607431768211456");
    assert_eq!(
        Ipam::restore(desk.ipam.snapshot()).unwrap().snapshot(),
        desk.ipam.snapshot()
    );
}
