//! An announcer as a process of its own: this test program, started again.

use openelb_announce::announcer::{Announcer, Options};
use openelb_announce::claim::Probe;
use std::time::Duration;

use super::announcing::probed;
use super::world::{Host, Running};

/// Starts a process on `host` that announces `addresses` on `eth0` and interfaces called `lan`
/// something, with a fence of half a second.
///
/// `wrapper` is a command line that runs the program, such as `setpriv`, or empty.
pub(crate) fn announce(host: &Host, wrapper: &str, program: &str, addresses: &[&str]) -> Running {
    let addresses = addresses.join(",");
    host.spawn(&format!(
        "env {ADDRESSES}={addresses} {wrapper} {program} --exact process::announces_if_asked_to --nocapture"
    ))
}

/// The path of this program.
pub(crate) fn this_program() -> String {
    std::env::current_exe()
        .unwrap()
        .into_os_string()
        .into_string()
        .unwrap()
}

/// No test of its own: what [`announce`] starts. It ends with the test that started it.
#[test]
fn announces_if_asked_to() {
    let Ok(addresses) = std::env::var(ADDRESSES) else {
        return;
    };
    let addresses: Vec<&str> = addresses.split(',').collect();
    let fence = Duration::from_millis(500);
    match Announcer::start(Options {
        fence,
        ..Options::default()
    }) {
        Ok(announcer) => {
            announcer
                .announce(probed("eth0,lan*", &addresses, Probe::Fast))
                .unwrap();
            loop {
                std::thread::park();
            }
        }
        Err(error) => println!("{error}"),
    }
}

const ADDRESSES: &str = "OPENELB_TEST_ADDRESSES";
