//! The speaker as a process of its own: this test program, started again.

use crate::lab::Scratch;
use crate::ours::Ours;
use crate::restart::GRACEFUL;
use crate::router::process::Process;
use crate::routes::assortment;
use crate::row::Row;
use crate::watching::WATCHED;
use crate::world::Host;

/// Starts the speaker of the row with that name as a process on the first host.
pub(crate) fn spawn(row: &str, hosts: &[Host], scratch: &Scratch) -> Process {
    let peers = &hosts[1..=named(row).kinds().len()];
    let peers: Vec<String> = peers.iter().map(|host| host.number.to_string()).collect();
    let program = std::env::current_exe().unwrap();
    let line = format!(
        "env {ROW}={row} {HOSTS}={} {} --exact separate::speaks_if_asked_to --nocapture",
        peers.join(","),
        program.display()
    );
    Process::start(&hosts[0], &line, &scratch.path().join("speaker"))
}

/// No test of its own: what [`spawn`] starts. It ends with the test that started it.
#[test]
fn speaks_if_asked_to() {
    let (Ok(row), Ok(hosts)) = (std::env::var(ROW), std::env::var(HOSTS)) else {
        return;
    };
    let host = |number: &str| Host {
        namespace: String::new(),
        number: number.parse().unwrap(),
    };
    let hosts: Vec<Host> = hosts.split(',').map(host).collect();
    let _ours = Ours::start_here(&named(&row).speaker(&hosts), assortment());
    loop {
        std::thread::park();
    }
}

fn named(row: &str) -> Row<'static> {
    match row {
        "graceful" => GRACEFUL,
        "watched" => WATCHED,
        _ => panic!("no row is called {row}"),
    }
}

const ROW: &str = "OPENELB_TEST_ROW";
const HOSTS: &str = "OPENELB_TEST_HOSTS";
