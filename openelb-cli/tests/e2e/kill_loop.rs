//! Allocation under `SIGKILL`: after every kill no address has two owners and nothing that was
//! acknowledged is lost.

use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::Duration;

use crate::cli::{Place, answer, holdings};
use crate::ledger::Ledger;
use crate::random::Random;
use crate::stage::{eventually, now, openelb};

#[test]
fn commands_killed_at_any_moment_lose_nothing_and_give_nothing_twice() {
    let mut random = Random::new();
    let place = Place::new(POOL);
    place.run(&["pool", "plan", "--apply", place.config().to_str().unwrap()]);
    let mut ledger = Ledger::default();
    let usual = usual_time(&place, &mut ledger);
    for _ in bounded(ROUNDS) {
        let wish = Wish::random(&mut random);
        let command = place.start(&wish.arguments());
        thread::sleep(Duration::from_micros(random.below(usual)));
        wish.note(&mut ledger, &kill(command));
        ledger.check(&place.holdings());
    }
}

#[test]
fn a_daemon_killed_at_any_moment_loses_nothing_and_gives_nothing_twice() {
    let mut random = Random::new();
    let place = Place::new(POOL);
    let mut ledger = Ledger::default();
    for _ in bounded(ROUNDS / 4) {
        let mut daemon = start_daemon(&place);
        let until = now() + Duration::from_micros(random.below(200_000));
        while now() < until {
            let wish = Wish::random(&mut random);
            let output = place.start(&wish.arguments()).wait_with_output().unwrap();
            wish.note(&mut ledger, &output);
        }
        // Several are on their way when the daemon dies, some of them in one commit.
        let wishes = Wish::of_different_owners(&mut random, 4);
        let commands: Vec<_> = wishes
            .iter()
            .map(|wish| place.start(&wish.arguments()))
            .collect();
        thread::sleep(Duration::from_micros(random.below(40_000)));
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        for (wish, command) in wishes.iter().zip(commands) {
            wish.note(&mut ledger, &command.wait_with_output().unwrap());
        }
        // Without a daemon the command reads the state itself.
        ledger.check(&place.holdings());
    }
}

#[test]
fn a_hundred_thousand_allocations_in_one_request_are_all_different() {
    let place = Place::new(WIDE_POOL);
    place.run(&["pool", "plan", "--apply", place.config().to_str().unwrap()]);
    let answered = holdings(&place.run(&BULK));
    assert_eq!(answered.len(), 100_000);
    let mut ledger = Ledger::default();
    for (owner, addresses) in &answered {
        assert_eq!(addresses.len(), 2, "{owner} got one address of each family");
        ledger.allocated(owner, addresses.clone());
    }
    ledger.check(&place.holdings());

    let mut daemon = start_daemon(&place);
    let again = holdings(&place.run(&BULK));
    assert!(
        again == answered,
        "the same request again, now to a daemon, changes nothing"
    );
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    ledger.check(&place.holdings());
}

#[test]
fn a_bulk_request_killed_at_any_moment_is_there_in_whole_or_not_at_all() {
    let mut random = Random::new();
    let place = Place::new(WIDE_POOL);
    place.run(&["pool", "plan", "--apply", place.config().to_str().unwrap()]);
    for round in 0..5 {
        let before = place.holdings().len();
        let owner = format!("round{round}");
        let bulk = [
            "ip",
            "alloc",
            &owner,
            "--count",
            "2000",
            "--families",
            "dual",
        ];
        let command = place.start(&bulk);
        thread::sleep(Duration::from_micros(random.below(400_000)));
        let output = kill(command);
        let mut ledger = Ledger::default();
        let held = place.holdings();
        for (owner, addresses) in &held {
            ledger.allocated(owner, addresses.clone());
        }
        ledger.check(&held);
        let gained = held.len() - before;
        assert!(
            gained == 0 || gained == 2000,
            "{gained} of 2000 owners hold something"
        );
        assert!(
            answer(&output).is_none() || gained == 2000,
            "acknowledged and lost"
        );
    }
}

/// What a command asks for.
#[derive(Debug, Clone)]
enum Wish {
    Allocate(String),
    Release(String),
}

impl Wish {
    /// One of few owners, so that owners come back, and more allocations than releases.
    fn random(random: &mut Random) -> Self {
        let owner = format!("owner{}", random.below(40));
        if random.below(4) == 0 {
            Self::Release(owner)
        } else {
            Self::Allocate(owner)
        }
    }

    /// So many, each of another owner.
    fn of_different_owners(random: &mut Random, count: usize) -> Vec<Self> {
        let mut wishes: Vec<Self> = Vec::new();
        while wishes.len() < count {
            let wish = Self::random(random);
            if wishes.iter().all(|other| other.owner() != wish.owner()) {
                wishes.push(wish);
            }
        }
        wishes
    }

    fn owner(&self) -> &str {
        match self {
            Self::Allocate(owner) | Self::Release(owner) => owner,
        }
    }

    fn arguments(&self) -> Vec<&str> {
        match self {
            Self::Allocate(owner) => vec!["ip", "alloc", owner, "--families", "dual"],
            Self::Release(owner) => vec!["ip", "release", owner],
        }
    }

    /// Notes what is known after the command ended, however it did.
    fn note(&self, ledger: &mut Ledger, output: &Output) {
        let answered = answer(output);
        match (self, answered) {
            (Self::Allocate(owner), Some(answer)) => {
                let addresses = holdings(&answer).remove(owner).unwrap();
                assert_eq!(addresses.len(), 2, "{owner} got one address of each family");
                ledger.allocated(owner, addresses);
            }
            (Self::Allocate(owner), None) => ledger.allocating(owner),
            (Self::Release(owner), Some(_)) => ledger.released(owner),
            // Refused because there is nothing to release, or killed on the way.
            (Self::Release(owner), None) => ledger.releasing(owner),
        }
    }
}

/// The time that a command takes here, a little more than the middle of three, in microseconds: a
/// kill within it meets every phase.
fn usual_time(place: &Place, ledger: &mut Ledger) -> u64 {
    let mut times: Vec<Duration> = (0..3)
        .map(|number| {
            let wish = Wish::Allocate(format!("first{number}"));
            let begun = now();
            let output = place.start(&wish.arguments()).wait_with_output().unwrap();
            wish.note(ledger, &output);
            begun.elapsed()
        })
        .collect();
    times.sort();
    u64::try_from(times[1].as_micros()).unwrap() * 6 / 5
}

/// Kills a command and returns what it said before.
fn kill(mut command: Child) -> Output {
    // It may have ended by itself already.
    let _ = command.kill();
    command.wait_with_output().unwrap()
}

fn start_daemon(place: &Place) -> Child {
    let daemon = openelb()
        .arg("run")
        .arg(place.config())
        .args(["--no-announce", "--metrics", "off", "--state-dir"])
        .arg(place.state())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let socket = place.state().join("control.sock");
    eventually("the daemon listens", || {
        std::os::unix::net::UnixStream::connect(&socket).ok()
    });
    daemon
}

/// So many rounds, fewer on a machine so slow that they would take too long.
fn bounded(rounds: u32) -> impl Iterator<Item = u32> {
    let end = now() + ENOUGH;
    (0..rounds).take_while(move |round| *round < 5 || now() < end)
}

const ROUNDS: u32 = 200;

const ENOUGH: Duration = Duration::from_secs(30);

const BULK: [&str; 7] = [
    "ip",
    "alloc",
    "bulk",
    "--count",
    "100000",
    "--families",
    "dual",
];

/// Narrow, so that addresses are handed out again; nothing rests, so that they are at once.
const POOL: &str = "\
apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {name: narrow, annotations: {eip.openelb.kubesphere.io/is-default-eip: \"true\"}}
spec: {address: \"192.0.2.0/26, 2001:db8::/122\", protocol: none, coolDown: 0s}
";

const WIDE_POOL: &str = "\
apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {name: wide, annotations: {eip.openelb.kubesphere.io/is-default-eip: \"true\"}}
spec: {address: \"10.0.0.0/12, 2001:db8::/64\", protocol: none}
";
