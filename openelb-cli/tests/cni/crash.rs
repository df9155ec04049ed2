//! Many processes at once, each killed at any moment: no address twice, none lost.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Child;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::plugin::{Network, finish};

#[test]
fn concurrent_adds_give_every_container_its_own_address() {
    let network = Network::dual();
    let given = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for worker in 0..8 {
            let (network, given) = (&network, &given);
            scope.spawn(move || {
                for round in 0..12 {
                    let answer = network.add(&format!("w{worker}-{round}"));
                    assert!(answer.is_success, "{answer:?}");
                    given.lock().unwrap().extend(answer.addresses());
                }
            });
        }
    });
    let given = given.into_inner().unwrap();
    let different: BTreeSet<_> = given.iter().collect();
    assert_eq!((given.len(), different.len()), (192, 192));
    assert_eq!(network.leases().len(), 192);
}

/// What a worker knows: the addresses that its ADDs answered and its DELs did not yet free.
type Held = BTreeMap<String, Vec<String>>;

#[test]
fn kills_at_any_moment_neither_double_nor_lose_an_address() {
    let network =
        Network::new(json!({"ranges": [[{"subnet": "10.1.0.0/25"}], [{"subnet": "fd00:1::/64"}]]}));
    let held = Mutex::new(Held::new());
    let kills = Mutex::new(0_usize);
    thread::scope(|scope| {
        for worker in 0..4_u64 {
            let (network, held, kills) = (&network, &held, &kills);
            scope.spawn(move || work(network, worker, held, kills));
        }
    });
    let (held, kills) = (held.into_inner().unwrap(), kills.into_inner().unwrap());
    assert!(
        kills > 20,
        "only {kills} invocations were killed: this proved nothing"
    );
    // Every answered address is still its container's.
    let leases = network.leases();
    for (container, addresses) in &held {
        for address in addresses {
            assert_eq!(leases.get(address), Some(container), "after {kills} kills");
        }
    }
    // What the killed ones left is gone after GC, and everything else is still there.
    let keep: Vec<_> = held.keys().map(String::as_str).collect();
    assert!(network.gc(&keep).is_success);
    let wanted: usize = held.values().map(Vec::len).sum();
    assert_eq!(network.leases().len(), wanted);
    // Every address can be had: none leaked. 10.1.0.2 to 10.1.0.126 are 125.
    let free = 125 - held.len();
    for at in 0..free {
        assert!(
            network.add(&format!("last{at}")).is_success,
            "{at} of {free}"
        );
    }
    assert_eq!(network.add("one-too-many").code(), 100);
}

/// Adds containers and deletes older ones; every other invocation is killed after a moment of random length.
fn work(network: &Network, worker: u64, held: &Mutex<Held>, kills: &Mutex<usize>) {
    let mut state = worker + 1;
    let mut number = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut own = Vec::new();
    for round in 0..40 {
        let is_del = own.len() > 4 || (!own.is_empty() && number(3) == 0);
        let container = if is_del {
            own.remove(0)
        } else {
            format!("w{worker}-{round}")
        };
        if is_del {
            // Whether this DEL is killed or not, nobody may rely on the addresses any more.
            held.lock().unwrap().remove(&container);
        }
        let child = network.start(
            if is_del { "DEL" } else { "ADD" },
            &container,
            &json!({}),
            "",
        );
        let is_killed = number(2) == 0;
        let answer = if is_killed {
            kill(child, Duration::from_micros(number(4_000)), kills)
        } else {
            Some(finish(child))
        };
        match answer {
            // Runtimes send DEL afterwards; one that crashed, too, leaves it to GC.
            None if number(2) == 0 => assert!(network.del(&container).is_success),
            None => {}
            Some(answer) => {
                assert!(answer.is_success, "{container}: {answer:?}");
                if !is_del {
                    note(&mut held.lock().unwrap(), &container, answer.addresses());
                    own.push(container);
                }
            }
        }
    }
}

fn note(held: &mut Held, container: &str, addresses: Vec<String>) {
    assert_eq!(addresses.len(), 2, "{container}");
    let doubled = held
        .iter()
        .find(|(_, other)| addresses.iter().any(|address| other.contains(address)));
    assert_eq!(doubled, None, "{container} got {addresses:?}");
    held.insert(container.to_owned(), addresses);
}

/// Kills an invocation; its answer when it was quicker.
fn kill(mut child: Child, after: Duration, kills: &Mutex<usize>) -> Option<crate::plugin::Answer> {
    // The moment of the kill is what is random here, not something to wait for.
    thread::sleep(after);
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
        return Some(crate::plugin::Answer {
            is_success: true,
            json,
        });
    }
    *kills.lock().unwrap() += 1;
    None
}

#[test]
fn collections_beside_adds_free_nothing_that_is_named() {
    let network = Network::dual();
    for at in 0..6 {
        assert!(network.add(&format!("keep{at}")).is_success);
    }
    let keep: Vec<_> = (0..6).map(|at| format!("keep{at}")).collect();
    let keep: Vec<_> = keep.iter().map(String::as_str).collect();
    thread::scope(|scope| {
        for worker in 0..3 {
            let network = &network;
            scope.spawn(move || {
                for round in 0..10 {
                    let container = format!("w{worker}-{round}");
                    assert!(network.add(&container).is_success);
                    assert!(network.del(&container).is_success);
                }
            });
        }
        let (network, keep) = (&network, &keep);
        scope.spawn(move || {
            for _ in 0..10 {
                assert!(network.gc(keep).is_success);
            }
        });
    });
    let leases = network.leases();
    assert_eq!(leases.len(), 12, "{leases:?}");
    assert!(leases.values().all(|holder| holder.starts_with("keep")));
}
