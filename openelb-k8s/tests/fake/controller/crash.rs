//! The controller ends after every request that it can end after, and in random histories of two of
//! them: whatever is left, the next one makes good.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::world::World;
use crate::server::{Call, Fault, Verb};

#[test]
fn a_controller_may_end_before_or_after_any_of_its_writes() {
    for fault in [Fault::HangBefore, Fault::HangAfter] {
        let mut place = 0;
        while run(crash_at(place, fault)) {
            place += 1;
        }
        assert!(place > 8, "{place} writes were there to end at");
    }
}

#[test]
fn random_histories_of_two_controllers_give_no_address_twice_and_move_none() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let first = number("OPENELB_SEED").unwrap_or(0);
    let count = number("OPENELB_SEEDS").unwrap_or(SEEDS);
    for seed in first..first + count {
        let history = std::panic::catch_unwind(|| run(random_history(seed)));
        assert!(
            history.is_ok(),
            "OPENELB_SEED={seed} OPENELB_SEEDS=1 shows it again"
        );
    }
}

/// Two Services come, one goes, one comes, and the controller ends at its `place`-th write. False:
/// there is no such write.
async fn crash_at(place: usize, fault: Fault) -> bool {
    let world = World::new("192.0.2.1-192.0.2.3");
    let ended = Arc::new(Notify::new());
    let (mut count, end) = (0, Arc::clone(&ended));
    world.fake.rule(Box::new(move |call| {
        let counts = call.client == "a" && call.verb.is_write() && call.plural != "events";
        count += usize::from(counts);
        (counts && count == place + 1).then(|| {
            end.notify_one();
            fault
        })
    }));
    let controller = world.start("a");
    let crash = async {
        ended.notified().await;
        controller.crash();
        world.start("b")
    };
    let story = async {
        world.service("one");
        world.service("two");
        sleep(Duration::from_secs(30)).await;
        world.delete("one");
        world.service("three");
        sleep(Duration::from_secs(30)).await;
    };
    let (running, ()) = tokio::join!(timeout(Duration::from_mins(2), crash), story);
    let is_crashed = running.is_ok();
    world.settle().await;
    assert!(
        world.read("one").is_none(),
        "write {place}: it is still held"
    );
    assert_eq!(
        world.records().as_object().unwrap().len(),
        2,
        "write {place}"
    );
    world.judge();
    is_crashed
}

/// Services come and go at random while two controllers run, requests fail in every way, and
/// controllers end and start.
async fn random_history(seed: u64) {
    let world = World::new("192.0.2.1-192.0.2.3");
    let is_rough = Arc::new(AtomicBool::new(true));
    let (random, rough) = (Random::new(seed), Arc::clone(&is_rough));
    world.fake.rule(Box::new(move |call| {
        rough
            .load(Ordering::Relaxed)
            .then(|| fault(call, &random))
            .flatten()
    }));
    let random = Random::new(!seed);
    let mut controllers = [
        world.start_by_chance("a", seed),
        world.start_by_chance("b", seed),
    ];
    let mut names: Vec<String> = Vec::new();
    for step in 0..12 {
        match random.below(8) {
            0..=2 => {
                names.push(format!("s{step}"));
                world.service(&format!("s{step}"));
            }
            3 | 4 if !names.is_empty() => {
                let name = names.remove(random.below(names.len()));
                world.delete(&name);
            }
            5 => {
                let place = random.below(2);
                let name = ["a", "b"][place];
                let next = world.start_by_chance(name, seed);
                std::mem::replace(&mut controllers[place], next).crash();
            }
            6 => world.fake.forget_history(),
            _ => world.fake.faults(|faults| faults.disconnect("a")),
        }
        sleep(Duration::from_millis(
            u64::try_from(random.below(3_000)).unwrap(),
        ))
        .await;
    }
    is_rough.store(false, Ordering::Relaxed);
    sleep(Duration::from_mins(2)).await;
    world.settle().await;
    world.judge();
}

fn fault(call: &Call, random: &Random) -> Option<Fault> {
    if !call.verb.is_write() && random.below(4) != 0 {
        return None;
    }
    match random.below(16) {
        0 => Some(Fault::Drop),
        1 => Some(Fault::Lose),
        2 => Some(Fault::Fail(409)),
        3 => Some(Fault::Fail(500)),
        4 => Some(Fault::Fail(429)),
        5 if call.verb.is_write() || call.verb == Verb::List => Some(Fault::HangAfter),
        6..=9 => Some(Fault::Delay(Duration::from_millis(
            u64::try_from(random.below(2_000)).ok()?,
        ))),
        _ => None,
    }
}

/// Runs it on a clock of its own that goes on when nothing else does.
fn run<T>(history: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(history)
}

/// Numbers from a seed (splitmix64).
#[derive(Debug)]
struct Random(AtomicU64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    fn below(&self, limit: usize) -> usize {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(limit).unwrap()).unwrap()
    }
}

/// About a minute of one core without optimisation. The machine alone is tried far more often.
const SEEDS: u64 = 60;
