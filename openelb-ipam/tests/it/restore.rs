//! Saving, restoring, and standing hostile rows.

use openelb_ipam::row::{Claim, MarkRow, MarkState, OwnerRow, PrefixClaim};
use openelb_ipam::{
    Changes, Family, Fence, Ipam, PortSet, Request, RestoreError, Row, Sharing, Snapshot, Time,
};
use proptest::prelude::*;

use crate::desk::{Desk, ip, owner, pool, ports, sharing};
use crate::model::{Model, Op};

/// A state with a row of every kind.
fn rich() -> Ipam {
    let mut next_fit = pool("p", ["192.0.2.0/28", "2001:db8::/64"]);
    next_fit.strategy = openelb_ipam::pool::Strategy::NextFit;
    next_fit.cool_down = std::time::Duration::from_secs(9);
    let mut desk = Desk::new(&[next_fit, pool("q", ["198.51.100.1"])]);
    desk.ask("pair", &Request::dual_stack());
    desk.ask("shared", &sharing("k", "TCP/80"));
    desk.any("gone");
    desk.release("gone");
    let name = "p".parse().unwrap();
    desk.ipam
        .allocate_prefix(&owner("node"), &name, Family::V6, 80, Time(0))
        .unwrap();
    desk.ipam
        .quarantine(ip("192.0.2.9"), Time(99), "seen", Time(0))
        .unwrap();
    desk.ipam
        .reserve(&owner("booked"), &Request::dual_stack(), Time(50), Time(0))
        .unwrap();
    desk.try_ask("late", &Request::default().pin(ip("203.0.113.1")))
        .unwrap_err();
    desk.ipam
}

#[test]
fn a_snapshot_survives_json_and_holds_every_kind_of_row() {
    let snapshot = rich().snapshot();
    let text = serde_json::to_string_pretty(&snapshot).unwrap();
    let read: Snapshot = serde_json::from_str(&text).unwrap();
    assert_eq!(read, snapshot);
    let kinds: std::collections::BTreeSet<_> = snapshot
        .rows
        .iter()
        .map(|row| row.key().to_string().split('/').next().unwrap().to_string())
        .collect();
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    for row in &snapshot.rows {
        assert_eq!(row.key().to_string().parse(), Ok(row.key()));
    }
    assert_eq!(Ipam::restore(read).unwrap().snapshot(), snapshot);
}

#[test]
fn rows_can_be_restored_in_any_order() {
    let mut snapshot = rich().snapshot();
    let expected = snapshot.clone();
    snapshot.rows.reverse();
    assert_eq!(Ipam::restore(snapshot).unwrap().snapshot(), expected);
}

#[test]
fn a_restored_ledger_goes_on_as_the_original_would() {
    let mut original = rich();
    let mut restored = Ipam::restore(original.snapshot()).unwrap();
    for ipam in [&mut original, &mut restored] {
        ipam.allocate(&owner("next"), &Request::dual_stack(), Time(1))
            .unwrap();
        ipam.release(&owner("pair").key, Fence::Any, Time(2))
            .unwrap();
        ipam.expire(Time(10_000));
    }
    assert_eq!(restored.snapshot(), original.snapshot());
}

fn hostile(edit: impl FnOnce(&mut Vec<Row>)) -> RestoreError {
    let mut snapshot = rich().snapshot();
    edit(&mut snapshot.rows);
    Ipam::restore(snapshot).unwrap_err()
}

fn intruder(address: &str, from: &str) -> OwnerRow {
    OwnerRow {
        owner: owner("intruder"),
        generation: 1,
        claims: [Claim {
            address: ip(address),
            pool: from.parse().unwrap(),
        }]
        .into_iter()
        .collect(),
        ipv6_first: false,
        prefixes: Vec::new(),
        sharing: None,
        ports: PortSet::All,
    }
}

#[test]
fn rows_that_contradict_each_other_are_refused_by_name() {
    let cases: [(&str, OwnerRow); 7] = [
        (
            "192.0.2.1 is claimed by another row",
            intruder("192.0.2.1", "p"),
        ),
        ("belongs to another pool", intruder("192.0.2.5", "q")),
        (
            "pool nowhere is in no row",
            intruder("192.0.2.5", "nowhere"),
        ),
        (
            "192.0.2.9 is claimed by another row",
            intruder("192.0.2.9", "p"),
        ),
        (
            "later than the state",
            OwnerRow {
                generation: 9_999,
                ..intruder("192.0.2.6", "p")
            },
        ),
        (
            "another row of this key",
            OwnerRow {
                owner: owner("pair"),
                ..intruder("192.0.2.6", "p")
            },
        ),
        (
            "cannot share",
            OwnerRow {
                sharing: Some(Sharing::new("k")),
                ports: ports("TCP/80"),
                ..intruder("192.0.2.2", "p")
            },
        ),
    ];
    for (expected, row) in cases {
        let error = hostile(|rows| rows.push(Row::Owner(row))).to_string();
        assert!(error.contains(expected), "{error}");
    }
    let prefix = PrefixClaim {
        prefix: "192.0.2.0/30".parse().unwrap(),
        pool: "p".parse().unwrap(),
    };
    let mut row = intruder("192.0.2.6", "p");
    row.claims.clear();
    row.prefixes.push(prefix);
    assert!(
        hostile(|rows| rows.push(Row::Owner(row)))
            .to_string()
            .contains("overlaps")
    );
}

#[test]
fn the_younger_of_two_overlapping_pools_cannot_claim_the_elders_address() {
    let mut desk = Desk::new(&[
        pool("elder", ["192.0.2.0/24"]),
        pool("younger", ["192.0.2.0/24"]),
    ]);
    desk.any("web");
    let rival = intruder("192.0.2.1", "younger");
    let shared = OwnerRow {
        sharing: Some(Sharing::new("k")),
        ..rival.clone()
    };
    for row in [rival, shared] {
        let mut snapshot = desk.ipam.snapshot();
        snapshot.rows.push(Row::Owner(row));
        let error = Ipam::restore(snapshot).unwrap_err().to_string();
        assert!(
            error.contains("192.0.2.1 belongs to another pool"),
            "{error}"
        );
    }
}

#[test]
fn a_ledger_of_many_owners_is_restored_whole() {
    let mut desk = Desk::new(&[pool("p", ["10.0.0.0/12", "2001:db8::/64"])]);
    let owners: Vec<_> = (0..20_000).map(|n| owner(&format!("{n}"))).collect();
    let request = Request::dual_stack();
    let requests = owners.iter().map(|owner| (owner, &request));
    desk.ipam.allocate_many(requests, Time(0));
    let snapshot = desk.ipam.snapshot();
    let restored = Ipam::restore(snapshot.clone()).unwrap();
    assert_eq!(restored.owner_count(), owners.len());
    assert_eq!(restored.audit(), [""; 0]);
    assert!(restored.snapshot() == snapshot);
}

#[test]
fn an_owner_in_two_rows_is_refused_though_their_addresses_differ() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24"])]);
    desk.any("web");
    let mut snapshot = desk.ipam.snapshot();
    let Some(Row::Owner(web)) = snapshot
        .rows
        .iter()
        .find(|row| matches!(row, Row::Owner(_)))
    else {
        panic!("no owner");
    };
    let mut again = web.clone();
    again.claims[0].address = ip("192.0.2.77");
    snapshot.rows.push(Row::Owner(again));
    let error = Ipam::restore(snapshot).unwrap_err().to_string();
    assert!(error.contains("another row of this key"), "{error}");
}

#[test]
fn marks_on_addresses_that_cannot_carry_them_are_refused() {
    let mark = |address: &str, state| {
        Row::Mark(MarkRow {
            address: ip(address),
            pool: "p".parse().unwrap(),
            state,
        })
    };
    let seen = MarkState::Quarantined {
        until: Time(9),
        cause: String::new(),
    };
    assert!(
        hostile(|rows| rows.push(mark("192.0.2.0", seen)))
            .to_string()
            .contains("cannot hold")
    );
    let resting = MarkState::Resting { since: Time(0) };
    assert!(
        hostile(|rows| rows.push(mark("192.0.2.6", resting)))
            .to_string()
            .contains("cannot hold")
    );
}

#[test]
fn impossible_generations_and_gaps_are_refused() {
    let snapshot = Snapshot {
        generation: u64::MAX,
        rows: Vec::new(),
    };
    assert!(matches!(
        Ipam::restore(snapshot),
        Err(RestoreError::Generation(_))
    ));
    let mut ipam = rich();
    let gap = Changes {
        from: 900,
        to: 901,
        ..Changes::default()
    };
    assert!(matches!(
        ipam.apply_changes(gap),
        Err(RestoreError::Gap { .. })
    ));
}

#[test]
fn damaged_changes_change_nothing() {
    let mut ipam = rich();
    let before = ipam.snapshot();
    let generation = ipam.generation();
    let damaged = Changes {
        from: generation,
        to: generation + 1,
        puts: vec![
            Row::Owner(OwnerRow {
                generation: generation + 1,
                ..intruder("192.0.2.6", "p")
            }),
            Row::Owner(OwnerRow {
                owner: owner("second"),
                ..intruder("192.0.2.6", "p")
            }),
        ],
        deletes: vec![
            before.rows[0].key(),
            openelb_ipam::RowKey::Owner(owner("pair").key),
        ]
        .into_iter()
        .filter(|key| !matches!(key, openelb_ipam::RowKey::Pool(_)))
        .collect(),
    };
    ipam.apply_changes(damaged).unwrap_err();
    assert_eq!(ipam.snapshot(), before);
    assert_eq!(ipam.audit(), [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Hostile rows: whatever subset, repetition or exchange of real rows comes in, the answer is a
    /// consistent ledger or an error.
    #[test]
    fn any_mixture_of_rows_is_a_consistent_ledger_or_an_error(
        histories in prop::collection::vec(prop::collection::vec(any::<Op>(), 1..30), 2),
        picks in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 1..60),
    ) {
        let sources: Vec<Snapshot> = histories.iter().map(|ops| {
            let mut model = Model::new();
            for op in ops {
                model.step(*op);
            }
            model.snapshot()
        }).collect();
        let rows = picks.iter().map(|(which, index)| index.get(&sources[usize::from(*which)].rows).clone());
        let mut rows: Vec<Row> = rows.collect();
        rows.extend(sources[0].rows.iter().filter(|row| matches!(row, Row::Pool(_))).cloned());
        rows.sort_by_key(Row::key);
        rows.dedup_by_key(|row| row.key());
        let generation = sources.iter().map(|source| source.generation).max().unwrap();
        if let Ok(ipam) = Ipam::restore(Snapshot { generation, rows }) {
            prop_assert_eq!(ipam.audit(), [""; 0]);
        }
    }
}
