//! What each thread may do, and what is said when that is too little.

use std::path::PathBuf;

use openelb_announce::announcer::{Announcer, Desired, Options};
use openelb_announce::vrrp::{Family, State};

use crate::node::{BOTH, router, vip};
use crate::other::with_routers;
use crate::process;
use crate::world::eventually;

const CAP_NET_ADMIN: u64 = 1 << 12;
const CAP_NET_RAW: u64 = 1 << 13;

/// The effective and permitted capabilities, in one, of the thread of that name.
fn capabilities(process: u32, thread: &str) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let is_named = |path: &PathBuf| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == thread)
    };
    let mut tasks = tasks.map(|task| task.unwrap().path());
    let task = tasks.find(is_named).unwrap();
    let status = std::fs::read_to_string(task.join("status")).unwrap();
    let sets = status.lines().filter_map(|line| {
        let (name, set) = line.split_once(':')?;
        ["CapEff", "CapPrm"].contains(&name).then_some(set.trim())
    });
    sets.fold(0, |all, set| all | u64::from_str_radix(set, 16).unwrap())
}

#[test]
fn only_the_opener_may_change_links_and_the_io_thread_may_do_nothing() {
    with_routers(|_, [node, client]| {
        let process = process::start(&node, 100, "accept,mac");
        for family in BOTH {
            eventually("it is answered for", || client.finds(vip(family)));
        }
        let process = process.0.id();
        assert_eq!(capabilities(process, "openelb-io"), 0);
        assert_eq!(
            capabilities(process, "openelb-opener"),
            CAP_NET_ADMIN | CAP_NET_RAW
        );
    });
}

#[test]
fn without_the_right_to_change_links_a_virtual_mac_is_refused_in_words_and_nothing_attracted() {
    with_routers(|_, [node, client]| {
        let announcer = node.run(|| Announcer::start(Options::default()).unwrap());
        let mut virtual_mac = router(Family::Ipv4, 100);
        virtual_mac.virtual_mac = true;
        let desired = Desired {
            routers: vec![virtual_mac],
            ..Desired::default()
        };
        announcer.set(desired).unwrap();
        let status = || announcer.routers().pop().unwrap();
        eventually("it is said", || {
            let error = status().last_error.unwrap_or_default();
            error.contains("making macvlan oelb4-51-") && error.contains("CAP_NET_ADMIN")
        });
        assert_eq!(status().state, State::Initialize);
        assert!(!client.finds(vip(Family::Ipv4)));
    });
}
