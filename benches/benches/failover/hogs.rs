//! An overloaded machine: how often does a node take over from one that is alive?

use std::process::{Child, Command};
use std::time::Duration;

use openelb_announce::ownership::Profile;
use openelb_benches::meter::clock;

use super::contender::{Adverts, Contender};
use super::drill::Drill;
use super::faults::{HUNDREDTH, TENTH};
use super::table::Table;
use super::world::World;

/// Measures and prints every contender that is meant for such a machine.
pub(crate) fn measure(table: &mut Table) {
    let minutes = std::env::var("OPENELB_HOG_MINUTES");
    let minutes: f64 = minutes.map_or(0.5, |text| text.parse().unwrap());
    let span = Duration::from_secs_f64(minutes * 60.0);
    for (name, goal, pair) in [
        ("election, normal", Some(0.0), [Some(NORMAL), None, None]),
        (
            "election, fast, real-time",
            Some(0.0),
            [Some(FAST), None, None],
        ),
        ("VRRP 100ms", None, both(TENTH)),
        ("VRRP 10ms, real-time", Some(0.0), both(HUNDREDTH)),
    ] {
        let takeovers = pair.map(|it| it.and_then(|it| false_takeovers(it, span)));
        table.add(name, goal, takeovers);
    }
    let seconds = span.as_secs_f64();
    table.print(&format!(
        "False takeovers of both families in {seconds} s with {HOGS} processor hogs"
    ));
}

fn false_takeovers(contender: Contender, span: Duration) -> Option<f64> {
    if !contender.is_wanted() {
        return None;
    }
    let world = World::new().unwrap();
    let mut drill = Drill::new(&world, contender);
    // What starting brings about is over then.
    std::thread::sleep(contender.recovery() * 2);
    drill.acquired(clock());
    let start = clock();
    let hogs = Hogs::start();
    std::thread::sleep(span);
    drop(hogs);
    let acquired = drill.acquired(start);
    Some(u32::try_from(acquired).unwrap().into())
}

/// FRR does not tell when it takes over.
fn both(adverts: Adverts) -> [Option<Contender>; 3] {
    let pair = [Contender::Vrrp(adverts), Contender::Keepalived(adverts)].map(Some);
    [pair[0], pair[1], None]
}

/// Processes that want every processor for themselves.
struct Hogs(Vec<Child>);

impl Hogs {
    fn start() -> Self {
        let hog = |_| {
            let mut command = Command::new("sh");
            command.args(["-c", "while :; do :; done"]).spawn().unwrap()
        };
        Self((0..HOGS).map(hog).collect())
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            drop(hog.kill());
            drop(hog.wait());
        }
    }
}

const HOGS: u32 = 6;
const NORMAL: Contender = Contender::Election(Profile::Normal);
const FAST: Contender = Contender::Election(Profile::Fast);
