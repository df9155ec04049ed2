//! The I/O thread has no capability, and `CAP_NET_RAW` is all that starting one takes.

use super::announcing::announced;
use super::process::{announce, this_program};
use super::world::{eventually, sh, with_hosts, with_root_and_hosts};

const VIP4: &str = "192.0.2.100";
const VIP6: &str = "2001:db8::100";
const CAP_NET_RAW: u64 = 1 << 13;

/// The capabilities (effective, permitted, inheritable and ambient in one) of the thread of that
/// name.
pub(crate) fn capabilities(process: u32, thread: &str) -> Option<u64> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let is_named = |path: &std::path::PathBuf| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == thread)
    };
    let task = tasks.map(|task| task.unwrap().path()).find(is_named)?;
    let status = std::fs::read_to_string(task.join("status")).unwrap();
    let sets = status.lines().filter_map(|line| {
        let (name, set) = line.split_once(':')?;
        ["CapEff", "CapPrm", "CapInh", "CapAmb"]
            .contains(&name)
            .then_some(set.trim())
    });
    Some(sets.fold(0, |all, set| all | u64::from_str_radix(set, 16).unwrap()))
}

#[test]
fn the_io_thread_has_no_capability_and_the_opener_only_cap_net_raw() {
    with_hosts(|_, [node, client]| {
        let process = announce(&node, "", &this_program(), &[VIP4, VIP6]);
        eventually("both are announced", || {
            client.finds(VIP4) && client.finds(VIP6)
        });
        assert_eq!(capabilities(process.0.id(), "openelb-io"), Some(0));
        assert_eq!(
            capabilities(process.0.id(), "openelb-opener"),
            Some(CAP_NET_RAW)
        );
    });
}

#[test]
fn cap_net_raw_alone_is_enough_and_without_it_the_error_says_what_to_grant() {
    with_root_and_hosts(|_, [node, client]| {
        // Others may not be able to read the directory that the program was built in.
        let program = format!("/tmp/{}-program", node.namespace);
        sh(&format!("cp {} {program}", this_program()));
        sh(&format!("chmod 755 {program}"));
        let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
        let only = "--inh-caps -all,+net_raw --ambient-caps +net_raw --bounding-set -all,+net_raw";
        let process = announce(&node, &format!("{nobody} {only}"), &program, &[VIP4, VIP6]);
        eventually("both are announced", || {
            client.finds(VIP4) && client.finds(VIP6)
        });
        drop(process);

        let mut process = announce(
            &node,
            &format!("{nobody} --inh-caps -all"),
            &program,
            &[VIP4],
        );
        let mut text = String::new();
        std::io::Read::read_to_string(process.0.stdout.as_mut().unwrap(), &mut text).unwrap();
        assert!(
            text.contains("CAP_NET_RAW") && text.contains("setcap"),
            "{text}"
        );
        sh(&format!("rm {program}"));
    });
}

#[test]
fn the_thread_that_starts_an_announcer_keeps_its_own_capabilities() {
    with_hosts(|_, [node]| {
        let own = || caps::read(None, caps::CapSet::Effective).unwrap();
        let before = own();
        let _announcer = announced(&node, &[VIP4]);
        assert_eq!(own(), before);
    });
}
