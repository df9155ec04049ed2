//! The status of an Eip as OpenELB wrote it, and what is said beside it.

use openelb_ipam::Time;

use super::{Desk, Edit, default_eip, eip, service};
use crate::api::{Eip, EipStatus};
use crate::cluster::Condition;
use crate::wish::eip_status;

fn status(desk: &Desk, at: usize) -> EipStatus {
    eip_status(&desk.eips[at], &desk.ipam, desk.now)
}

fn of(address: &str) -> EipStatus {
    status(&Desk::new([default_eip("eip", address)]), 0)
}

fn kinds(status: &EipStatus) -> Vec<String> {
    let conditions = status.conditions.iter();
    let word = |it: &Condition| format!("{}={} {}", it.kind, it.status, it.reason);
    conditions.map(word).collect()
}

#[test]
fn sizes_and_ends_are_those_of_the_address_field() {
    for (address, size, first, last, v4) in [
        ("192.0.2.10/24", 256, "192.0.2.0", "192.0.2.255", true),
        ("192.0.2.7", 1, "192.0.2.7", "192.0.2.7", true),
        ("2001:db8::/126", 4, "2001:db8::", "2001:db8::3", false),
        // OpenELB wrote 0, and for a /65 a negative number.
        (
            "2001:db8::/64",
            i64::MAX,
            "2001:db8::",
            "2001:db8::ffff:ffff:ffff:ffff",
            false,
        ),
        (
            "192.0.2.0/30,2001:db8::/126",
            8,
            "192.0.2.0",
            "2001:db8::3",
            true,
        ),
    ] {
        let status = of(address);
        assert_eq!(status.pool_size, size, "{address}");
        assert_eq!(
            (status.first_ip.as_str(), status.last_ip.as_str()),
            (first, last)
        );
        assert_eq!(
            (status.v4, status.usage, status.occupied),
            (v4, 0, false),
            "{address}"
        );
        assert_eq!(kinds(&status), ["Ready=True Serving"]);
    }
}

#[test]
fn the_record_and_what_others_say_stay_as_they_are() {
    let mut found = default_eip("eip", "192.0.2.0/24");
    let record = [("192.0.2.9".to_owned(), "default/a;default/b".to_owned())];
    found.status.used = record.into();
    found.status.ready = true;
    let foreign = Condition {
        kind: "example.com/Audited".to_owned(),
        status: "True".to_owned(),
        ..Condition::default()
    };
    found.status.conditions.push(foreign.clone());
    let status = eip_status(&found, &Desk::new([found.clone()]).ipam, Time(0));
    assert_eq!((&status.used, status.ready), (&found.status.used, true));
    assert_eq!(status.conditions.last(), Some(&foreign));
}

#[test]
fn a_healthy_pool_that_openelb_wrote_is_left_as_it_is() {
    let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24")]);
    desk.serve(&service("web"));
    let mut written = desk.eips[0].clone();
    written.metadata.generation = Some(2);
    written.status = EipStatus {
        usage: 1,
        pool_size: 256,
        used: [("192.0.2.1".to_owned(), "default/web".to_owned())].into(),
        first_ip: "192.0.2.0".to_owned(),
        last_ip: "192.0.2.255".to_owned(),
        v4: true,
        ..EipStatus::default()
    };
    assert_eq!(eip_status(&written, &desk.ipam, desk.now), written.status);
    desk.serve(&service("next"));
    let next = eip_status(&written, &desk.ipam, desk.now);
    assert_eq!((next.usage, next.observed_generation), (2, Some(2)));
    assert_eq!(kinds(&next), ["Ready=True Serving"]);
}

#[test]
fn what_is_written_is_what_is_found_the_next_time() {
    let mut desk = Desk::new([eip("eip", "192.0.2.1"), eip("younger", "192.0.2.1")]);
    desk.serve(&service("web").field("192.0.2.1"));
    for at in 0..2 {
        let mut found = desk.eips[at].clone();
        found.status = status(&desk, at);
        let later = Time(desk.now.0 + 60_000);
        assert_eq!(eip_status(&found, &desk.ipam, later), found.status);
    }
}

#[test]
fn a_full_pool_is_exhausted_and_still_ready() {
    let mut desk = Desk::new([default_eip("eip", "192.0.2.0/30")]);
    assert_eq!(kinds(&status(&desk, 0)), ["Ready=True Serving"]);
    desk.serve(&service("a"));
    desk.serve(&service("b"));
    let full = status(&desk, 0);
    assert!(full.occupied);
    assert_eq!(
        kinds(&full),
        ["Ready=True Serving", "Exhausted=True NoFreeAddress"]
    );
    let mut found = desk.eips[0].clone();
    found.status = full;
    desk.gone(&service("a"));
    let again = eip_status(&found, &desk.ipam, desk.now);
    assert_eq!(kinds(&again), ["Ready=True Serving"], "gone with its cause");
}

#[test]
fn a_pool_that_gives_nothing_says_why() {
    let with = |change: fn(&mut Eip)| {
        let mut eip = default_eip("eip", "192.0.2.0/24");
        change(&mut eip);
        kinds(&status(&Desk::new([eip]), 0))
    };
    assert_eq!(
        with(|eip| eip.spec.disable = true),
        ["Ready=False Disabled"]
    );
    let deleting = with(|eip| {
        eip.metadata.deletion_timestamp = Some("2026-01-01T00:00:00Z".to_owned());
    });
    assert_eq!(deleting, ["Ready=False Deleting"]);
    let invalid = with(|eip| eip.spec.address = "192.0.2.0/33".to_owned());
    assert_eq!(
        invalid,
        ["Ready=False InvalidSpec", "Invalid=True InvalidSpec"]
    );
    let desk = Desk::new([eip("elder", "192.0.2.0/24"), eip("younger", "192.0.2.0/25")]);
    let overlap = ["Ready=False OverlapsOlder", "Overlap=True OverlapsOlder"];
    assert_eq!(kinds(&status(&desk, 1))[..2], overlap);
}
