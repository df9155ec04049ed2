//! The ledger sees no renumbering, the store sees each one once, and nobody sees the ledger's form.

use std::time::Duration;

use openelb_ipam::dynamic_prefix::{Derivation, Event, Input, Part, Settings, Sighting};
use openelb_ipam::{OwnerKey, PoolSpec, Request, Time};

use super::super::{Answer, Engine, Follow, Owners, Question, steps};
use crate::store::MemoryStore;

const NOW: Time = Time(1_700_000_000_000);
const A: &str = "2001:db8:a::/64";
const B: &str = "2001:db8:b::/64";

fn follow(name: &str) -> Follow {
    Follow {
        name: name.parse().unwrap(),
        settings: Settings::default(),
        sources: vec!["static".to_owned()],
    }
}

/// An engine whose pools follow `home` and `lab`.
fn engine() -> Engine {
    let mut engine = Engine::open(Box::new(MemoryStore::default())).unwrap();
    engine.follow(&[follow("home"), follow("lab")], NOW);
    let ranges = |entries: &[&str]| {
        let range = |entry: &&str| {
            let range: openelb_ipam::relative::RelativeRange = entry.parse().unwrap();
            let range = range.in_ledger();
            format!("{}-{}", range.first(), range.last())
        };
        entries.iter().map(range).collect()
    };
    let pool = |name: &str, entries: &[&str]| PoolSpec {
        ranges: ranges(entries),
        ..PoolSpec::new(name.parse().unwrap(), [])
    };
    let pools = [
        pool("edge", &["home/::1000-::1fff", "home/::10-::1f"]),
        pool("other", &["lab/::10-::1f"]),
    ];
    engine.set_pools(&pools, NOW).unwrap();
    engine.commit().unwrap();
    engine
}

fn seen(prefix: &str) -> Input {
    Input::Seen(Sighting {
        source: 0,
        origin: "wan0".to_owned(),
        prefix: prefix.parse().unwrap(),
        preferred_until: None,
        valid_until: Some(NOW + Duration::from_hours(24)),
    })
}

fn gone(prefix: &str) -> Input {
    let prefix = prefix.parse().unwrap();
    let origin = "wan0".to_owned();
    Input::Gone {
        source: 0,
        origin,
        prefix,
    }
}

/// Lets a prefix be told of until it is in use; returns when that was.
fn learn(engine: &mut Engine, prefix: &str, now: Time) -> Time {
    let home = "home".parse().unwrap();
    engine.hear_prefix(&home, seen(prefix), now);
    let then = now + Settings::default().hold_down;
    engine.expire(then);
    engine.commit().unwrap();
    then
}

fn allocate(engine: &mut Engine, owner: &str, request: Request) -> Answer {
    let owners = Owners::Named(vec![owner.parse().unwrap()]);
    let request = Box::new(request);
    let answer = engine
        .answer(Question::Allocate { owners, request }, NOW)
        .unwrap();
    engine.commit().unwrap();
    answer
}

fn held(engine: &Engine, owner: &str) -> String {
    let owner: OwnerKey = owner.parse().unwrap();
    let holder = engine.holder(&owner).unwrap();
    let held: Vec<_> = holder
        .addresses
        .iter()
        .map(|held| held.shown.to_string())
        .collect();
    held.join("; ")
}

fn pinned(address: &str) -> Request {
    Request::default().pin(address.parse::<crate::address::Address>().unwrap().ledger)
}

#[test]
fn an_address_is_shown_without_a_prefix_until_one_is_known_and_then_follows_it() {
    let mut engine = engine();
    allocate(&mut engine, "manual//web", Request::default());
    assert_eq!(
        held(&engine, "manual//web"),
        "home/::10 (its prefix is not known yet)"
    );
    let then = learn(&mut engine, A, NOW);
    assert_eq!(held(&engine, "manual//web"), "2001:db8:a::10 (home/::10)");

    engine.hear_prefix(&"home".parse().unwrap(), gone(A), then);
    learn(&mut engine, B, then);
    assert_eq!(
        held(&engine, "manual//web"),
        "2001:db8:b::10 (home/::10), 2001:db8:a::10 for now"
    );
}

#[test]
fn metallb_75_a_change_of_prefix_writes_nothing_to_the_ledger_and_no_change_writes_nothing_at_all()
{
    let mut engine = engine();
    allocate(&mut engine, "manual//web", Request::default());
    let then = learn(&mut engine, A, NOW);
    let (ledger, before) = (engine.generation(), engine.store.load().unwrap());
    let later = then + Duration::from_secs(30);
    engine.hear_prefix(&"home".parse().unwrap(), seen(A), later);
    engine.expire(later);
    assert!(!engine.prefixes.has_changes(), "the same word again");
    engine.commit().unwrap();
    assert_eq!(engine.store.load().unwrap(), before);

    engine.hear_prefix(&"home".parse().unwrap(), gone(A), later);
    learn(&mut engine, B, later);
    let after = engine.store.load().unwrap();
    assert_eq!(
        (engine.generation(), after.generation),
        (ledger, before.generation)
    );
    let changed = after.rows.iter().filter(|row| !before.rows.contains(row));
    let changed: Vec<_> = changed
        .map(|(key, _)| String::from_utf8_lossy(key))
        .collect();
    assert_eq!(changed, ["prefix/home"]);
}

#[test]
fn a_restart_changes_no_address_and_no_deadline() {
    let mut engine = engine();
    allocate(&mut engine, "manual//web", Request::default());
    let home = "home".parse().unwrap();
    let then = learn(&mut engine, A, NOW);
    engine.hear_prefix(&home, gone(A), then);
    let changed = learn(&mut engine, B, then);
    engine.hear_prefix(
        &home,
        Input::Announced {
            prefix: B.parse().unwrap(),
        },
        changed,
    );
    engine.commit().unwrap();
    let before = held(&engine, "manual//web");
    assert!(before.contains("2001:db8:a::10 until 2"), "{before}");

    let stored = engine.store.load().unwrap();
    let mut again = Engine::open(Box::new(MemoryStore::from(stored))).unwrap();
    assert_eq!(
        held(&again, "manual//web"),
        before,
        "without a configuration"
    );
    again.follow(&[follow("home"), follow("lab")], changed);
    assert_eq!(held(&again, "manual//web"), before);
    assert!(!again.prefixes.has_changes(), "nothing to write");
    again.expire(changed + Settings::default().grace);
    assert_eq!(held(&again, "manual//web"), "2001:db8:b::10 (home/::10)");
}

#[test]
fn metallb_79_a_pin_is_a_host_part_a_relative_or_a_full_address_and_follows_the_prefix() {
    let mut engine = engine();
    let then = learn(&mut engine, A, NOW);
    allocate(
        &mut engine,
        "manual//a",
        Request {
            pool: Some("edge".parse().unwrap()),
            ..pinned("::10")
        },
    );
    allocate(&mut engine, "manual//b", pinned("home/::11"));
    allocate(&mut engine, "manual//c", pinned("2001:db8:a::12"));
    for (owner, host) in [
        ("manual//a", "10"),
        ("manual//b", "11"),
        ("manual//c", "12"),
    ] {
        let expected = format!("2001:db8:a::{host} (home/::{host})");
        assert_eq!(held(&engine, owner), expected);
    }
    engine.hear_prefix(&"home".parse().unwrap(), gone(A), then);
    let changed = learn(&mut engine, B, then);
    // Nobody says that B is announced: the grace begins without that word, and ends.
    engine.expire(changed + Duration::from_mins(2));
    engine.expire(changed + Duration::from_hours(2));
    engine.commit().unwrap();
    let generation = engine.generation();
    // Asked again with an address that is of no prefix any more: it is what the owner has.
    allocate(&mut engine, "manual//c", pinned("2001:db8:a::12"));
    assert_eq!(held(&engine, "manual//c"), "2001:db8:b::12 (home/::12)");
    assert_eq!(engine.generation(), generation);
}

#[test]
fn a_host_part_that_several_prefixes_have_is_refused_with_the_way_out() {
    let mut engine = engine();
    let owners = Owners::Named(vec!["manual//a".parse().unwrap()]);
    let request = Box::new(pinned("::10"));
    let refused = engine
        .answer(Question::Allocate { owners, request }, NOW)
        .unwrap_err();
    assert_eq!(refused.message, "::10 may be of home or lab");
    assert_eq!(
        refused.next.as_deref(),
        Some("write which, such as home/::10")
    );
}

#[test]
fn nobody_is_shown_the_form_that_the_ledger_has() {
    let mut engine = engine();
    learn(&mut engine, A, NOW);
    allocate(&mut engine, "manual//web", Request::default());
    let web: OwnerKey = "manual//web".parse().unwrap();
    let name = || "edge".parse().unwrap();
    let address = "2001:db8:a::1000".parse().unwrap();
    let explain = |request| Question::Explain {
        owner: web.clone(),
        request,
    };
    let questions = [
        Question::Pools,
        Question::Pool { name: name() },
        Question::Map {
            name: name(),
            cells: 8,
        },
        Question::Whois { address },
        Question::List {
            pool: None,
            namespace: None,
        },
        Question::Plan { pools: Vec::new() },
        Question::Prefixes { name: None },
        explain(None),
        explain(Some(Box::new(pinned("home/::9")))),
    ];
    for question in questions {
        let shown = format!("{question:?}");
        let answer = serde_json::to_string(&engine.answer(question, NOW).unwrap()).unwrap();
        assert!(answer.contains("home"), "{shown}: {answer}");
        for name in ["home", "lab"] {
            let space = openelb_ipam::relative::ledger_space(&name.parse().unwrap());
            let secret = space.addr().to_string();
            let secret = secret.trim_end_matches(':');
            assert!(!answer.contains(secret), "{shown}: {answer}");
        }
    }
}

#[test]
fn a_prefix_that_left_the_configuration_leaves_the_store_with_the_last_address_that_follows_it() {
    let mut engine = engine();
    learn(&mut engine, A, NOW);
    allocate(&mut engine, "manual//web", Request::default());
    let rows = |engine: &mut Engine| {
        let stored = engine.store.load().unwrap().rows.into_iter();
        let keys = stored.map(|(key, _)| String::from_utf8(key).unwrap());
        keys.filter(|key| key.starts_with("prefix/"))
            .collect::<Vec<_>>()
    };
    engine.follow(&[], NOW);
    engine.commit().unwrap();
    assert_eq!(rows(&mut engine), ["prefix/home"]);
    assert_eq!(
        held(&engine, "manual//web"),
        "home/::10 (its prefix is not known yet)"
    );
    engine.release(&"manual//web".parse().unwrap(), NOW);
    engine.follow(&[], NOW);
    engine.commit().unwrap();
    assert_eq!(rows(&mut engine), [""; 0]);
}

#[test]
fn what_happens_is_told_once() {
    let mut engine = engine();
    learn(&mut engine, A, NOW);
    let events = engine.take_prefix_events();
    let prefix = A.parse().unwrap();
    assert_eq!(
        events,
        [("home".parse().unwrap(), Event::Detected { prefix })]
    );
    assert_eq!(engine.take_prefix_events(), []);
}

#[test]
fn metallb_71_the_derivation_is_told_step_by_step() {
    let part = Part::Override {
        keep: 56,
        bits: "0:0:0:00cd::".parse().unwrap(),
    };
    let derivation = Derivation { length: 64, part };
    assert_eq!(
        steps(&derivation, "2001:db8:aaaa:bb11::/64".parse().unwrap()),
        [
            "2001:db8:aaaa:bb11::/64  was delegated",
            "2001:db8:aaaa:bb00::/56  its first 56 bits are kept",
            "0:0:0:cd::               replaces bits 56 to 63",
            "2001:db8:aaaa:bbcd::/64  is used",
        ]
    );
    let part = Part::Number(0x1cd);
    let last = steps(
        &Derivation { length: 64, part },
        "2001:db8:aaaa:bb00::/56".parse().unwrap(),
    );
    assert!(
        last.last().unwrap().contains("take a lower number"),
        "{last:?}"
    );
}
