//! Virtual routers in a process of their own: this test program, started again.

use openelb_announce::vrrp::Family;

use crate::node::{Node, router};
use crate::world::{Host, Running};

/// Starts a process on `host` with a router of each family of that priority. `more` is what it does
/// besides: `accept`, `mac`, both with a comma, or nothing.
pub(crate) fn start(host: &Host, priority: u8, more: &str) -> Running {
    let program = std::env::current_exe().unwrap();
    let program = program.to_str().unwrap();
    host.spawn(&format!(
        "env {PRIORITY}={priority} {MORE}={more} {program} --exact process::runs_if_asked_to --nocapture"
    ))
}

/// No test of its own: what [`start`] starts. It ends with the test that started it.
#[test]
fn runs_if_asked_to() {
    let Ok(priority) = std::env::var(PRIORITY) else {
        return;
    };
    let more = std::env::var(MORE).unwrap_or_default();
    let has = |word: &str| more.split(',').any(|it| it == word);
    let routers = [Family::Ipv4, Family::Ipv6].map(|family| {
        let mut router = router(family, priority.parse().unwrap());
        router.settings.accept = has("accept");
        router.virtual_mac = has("mac");
        router
    });
    let _node = Node::start_here(routers.to_vec());
    loop {
        std::thread::park();
    }
}

const PRIORITY: &str = "OPENELB_TEST_PRIORITY";
const MORE: &str = "OPENELB_TEST_MORE";
