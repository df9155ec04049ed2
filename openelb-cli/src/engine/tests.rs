//! Nothing is answered before it is durable, and a store that fails makes the engine read-only.

use openelb_ipam::{Family, OwnerKey, PoolSpec, Request, Time};

use super::{Answer, Engine, Owners, Question};
use crate::exit_code::ExitCode;
use crate::store::{Batch, MemoryStore, Store, StoreError, Stored};

const NOW: Time = Time(1_000);

/// A store that takes so many batches and fails from then on.
struct Failing {
    store: MemoryStore,
    batches_left: usize,
}

impl Store for Failing {
    fn load(&mut self) -> Result<Stored, StoreError> {
        self.store.load()
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        match self.batches_left.checked_sub(1) {
            Some(left) => {
                self.batches_left = left;
                self.store.commit(batch)
            }
            None => Err(StoreError::Commit("no space left on device".to_owned())),
        }
    }
}

fn engine(batches: usize) -> Engine {
    let store = Failing {
        store: MemoryStore::default(),
        batches_left: batches,
    };
    let mut engine = Engine::open(Box::new(store)).unwrap();
    let pool = PoolSpec::new("edge".parse().unwrap(), ["192.0.2.0/24", "2001:db8::/64"]);
    engine.set_pools(&[pool], NOW).unwrap();
    engine.commit().unwrap();
    engine
}

fn allocate(owner: &str) -> Question {
    let owners = Owners::Named(vec![owner.parse().unwrap()]);
    Question::Allocate {
        owners,
        request: Box::default(),
    }
}

#[test]
fn a_commit_that_fails_is_told_and_nothing_can_be_changed_afterwards() {
    let mut engine = engine(2);
    engine.answer(allocate("manual//a"), NOW).unwrap();
    engine.commit().unwrap();

    engine.answer(allocate("manual//b"), NOW).unwrap();
    let refused = engine.commit().unwrap_err();
    assert_eq!(refused.code, ExitCode::ReadOnly);
    assert!(refused.message.contains("no space left"), "{refused}");
    assert_eq!(
        engine.read_only(),
        Some("cannot write to the store: no space left on device")
    );

    let owner: OwnerKey = "manual//a".parse().unwrap();
    for question in [
        allocate("manual//c"),
        Question::Release {
            owners: vec![owner.clone()],
        },
        Question::Apply { pools: Vec::new() },
        Question::Reserve {
            address: "192.0.2.9".parse().unwrap(),
            owner: owner.clone(),
        },
    ] {
        let refused = engine.answer(question, NOW).unwrap_err();
        assert_eq!(refused.code, ExitCode::ReadOnly);
        assert!(refused.next.is_some(), "{refused}");
    }
    assert_eq!(engine.commit().unwrap_err().code, ExitCode::ReadOnly);
    assert_eq!(
        engine.holder(&owner).unwrap().addresses.len(),
        1,
        "what is durable is shown"
    );
    let lost = "manual//b".parse().unwrap();
    assert!(
        engine.holder(&lost).is_none(),
        "what is not durable is forgotten"
    );
    assert!(
        engine.answer(Question::Pools, NOW).is_ok(),
        "looking is still possible"
    );
}

#[test]
fn asking_the_same_again_changes_nothing_and_writes_nothing() {
    let mut engine = engine(2);
    let first = engine.answer(allocate("manual//a"), NOW).unwrap();
    engine.commit().unwrap();
    // The store would refuse another batch.
    let second = engine.answer(allocate("manual//a"), NOW).unwrap();
    engine.commit().unwrap();
    assert_eq!(first, second);
}

#[test]
fn what_was_committed_is_what_a_new_engine_opens() {
    let mut rows = MemoryStore::default();
    let pool = PoolSpec::new("edge".parse().unwrap(), ["192.0.2.0/24"]);
    let mut engine = Engine::open(Box::new(MemoryStore::default())).unwrap();
    engine.set_pools(&[pool], NOW).unwrap();
    for owner in ["manual/a/x", "manual/b/y"] {
        engine.answer(allocate(owner), NOW).unwrap();
    }
    engine.release(&"manual/a/x".parse().unwrap(), NOW);
    let list = Question::List {
        pool: None,
        namespace: None,
    };
    let before = engine.answer(list.clone(), NOW).unwrap();

    let batch = super::rows::changes(&engine.ipam, 0, &mut rows).unwrap();
    rows.commit(&batch).unwrap();
    let mut reopened = Engine::open(Box::new(rows)).unwrap();
    assert_eq!(reopened.generation(), engine.generation());
    assert_eq!(reopened.answer(list, NOW).unwrap(), before);
}

#[test]
fn changes_that_the_log_no_longer_holds_are_written_as_a_whole() {
    let mut engine = engine(usize::MAX);
    engine.ipam = engine.ipam.with_log_capacity(2);
    engine.answer(allocate("manual//gone"), NOW).unwrap();
    engine.commit().unwrap();
    engine.release(&"manual//gone".parse().unwrap(), NOW);
    for number in 0..10 {
        let owner = format!("manual//x{number}")
            .parse::<OwnerKey>()
            .unwrap()
            .into();
        engine.allocate(&owner, &Request::default(), NOW).unwrap();
    }
    engine.commit().unwrap();
    let stored = engine.store.load().unwrap();
    let keys: Vec<_> = stored
        .rows
        .iter()
        .map(|(key, _)| String::from_utf8_lossy(key).into_owned())
        .collect();
    assert_eq!(
        keys.iter().filter(|key| key.starts_with("owner/")).count(),
        10,
        "{keys:?}"
    );
    assert_eq!(stored.generation, engine.generation());
}

#[test]
fn a_row_of_the_future_is_an_error_that_names_it() {
    let rows = vec![(b"owner/x//y".to_vec(), br#"{"hologram":{}}"#.to_vec())];
    let store = MemoryStore::from(Stored {
        generation: 1,
        rows,
    });
    let failure = Engine::open(Box::new(store)).unwrap_err();
    assert!(failure.message.contains("owner/x//y"), "{failure}");
}

#[test]
fn status_needs_a_daemon() {
    assert_eq!(
        engine(9).answer(Question::Status, NOW).unwrap_err().code,
        ExitCode::Unreachable
    );
}

#[test]
fn an_address_is_reserved_under_its_own_kind_and_released_like_any_other() {
    let mut engine = engine(9);
    let owner: OwnerKey = "reservation/default/router".parse().unwrap();
    let address = "192.0.2.9".parse().unwrap();
    engine
        .answer(
            Question::Reserve {
                address,
                owner: owner.clone(),
            },
            NOW,
        )
        .unwrap();
    let Answer::Whois(whois) = engine.answer(Question::Whois { address }, NOW).unwrap() else {
        panic!("another answer");
    };
    assert_eq!(
        (whois.state.as_str(), whois.owners.as_slice()),
        ("Used", [owner.clone()].as_slice())
    );
    assert!(engine.release(&owner, NOW).is_some());
}

#[test]
fn an_answer_that_a_later_failure_forgot_is_not_committed() {
    let mut engine = engine(1);
    let owner = "manual//early".parse::<OwnerKey>().unwrap();
    engine
        .allocate(&owner.clone().into(), &Request::default(), NOW)
        .unwrap();
    let stem = "manual//late".parse().unwrap();
    let count = u32::try_from(super::SLICE + 1).unwrap();
    let owners = Owners::Numbered { stem, count };
    let late = Question::Allocate {
        owners,
        request: Box::new(Request::single(Family::V6)),
    };
    assert!(
        engine.answer(late, NOW).is_err(),
        "the commit after its first slice fails"
    );
    assert!(engine.holder(&owner).is_none());
    assert_eq!(engine.commit().unwrap_err().code, ExitCode::ReadOnly);
}
