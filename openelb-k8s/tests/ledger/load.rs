//! Ten thousand Services: how many writes they cost.

use std::fmt::Write as _;

use openelb_k8s::api::Ledger;
use openelb_k8s::cluster::IpFamily;
use openelb_k8s::controller::{Change, Settings};

use crate::lab::Lab;
use crate::objects::{default_pool, service};

const SERVICES: usize = 10_000;

fn crowd() -> Lab {
    let services = (0..SERVICES).map(|at| service("shop", &format!("s{at:05}"), &[IpFamily::IPv4]));
    Lab::new(vec![default_pool("one", "10.0.0.0/16")], services.collect())
}

#[test]
fn openelb_33_ten_thousand_services_cost_one_write_each_and_a_handful_of_ledgers() {
    let mut lab = crowd();
    lab.start(Settings::default());
    let ledgers = lab
        .server
        .writes
        .iter()
        .filter(|it| !matches!(it, Change::Service { .. }));
    let ledgers = ledgers.count();
    let services = lab.server.writes.len() - ledgers;
    let mut report = String::new();
    write!(
        report,
        "{services} writes of Services, {ledgers} of Eips and blocks"
    )
    .unwrap();
    println!("{report}");
    assert_eq!(services, SERVICES);
    assert!(ledgers <= 12, "{report}");
    let status = &lab.server.eips["one"].status;
    assert_eq!((status.ledger, status.used.len()), (Ledger::Blocks, 8_000));
    assert_eq!(status.usage, 10_000);
    let blocks: usize = lab
        .server
        .blocks
        .values()
        .map(|block| block.spec.used.len())
        .sum();
    assert_eq!(blocks, SERVICES - 8_000);

    let before = lab.server.writes.len();
    lab.start(Settings::default());
    assert_eq!(lab.server.writes.len(), before, "a restart writes nothing");
}

#[test]
fn a_trickle_of_services_is_written_in_groups() {
    let mut lab = Lab::settled(vec![default_pool("one", "10.0.0.0/16")], Vec::new());
    lab.server.writes.clear();
    for burst in 0..10 {
        for at in 0..100 {
            lab.server.create_service(service(
                "shop",
                &format!("s{burst}-{at}"),
                &[IpFamily::IPv4],
            ));
        }
        lab.exchange();
    }
    lab.settle();
    let ledgers = lab
        .server
        .writes
        .iter()
        .filter(|it| !matches!(it, Change::Service { .. }));
    assert!(
        ledgers.count() <= 24,
        "at most two for each burst and a few at the ends"
    );
}
