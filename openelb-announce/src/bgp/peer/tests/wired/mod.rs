//! Two peers wired back to back: whatever happens to the wires, they find each other again.

mod net;

use super::super::*;
use super::bench::*;
use crate::bgp::message::ErrorCode;
use net::{Mishap, Net, Side};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Left), Just(Side::Right)]
}

fn mishap() -> impl Strategy<Value = Mishap> {
    let noise = vec(any::<u8>(), 1..60);
    prop_oneof![
        Just(Mishap::CutAll),
        side().prop_map(Mishap::Reboot),
        (1_u16..300).prop_map(|seconds| Mishap::Partition(secs(seconds.into()))),
        (side(), noise).prop_map(|(side, noise)| Mishap::Garbage(side, noise)),
        (side(), 0_u8..9, 0_u8..12).prop_map(|(side, code, subcode)| {
            Mishap::Garbage(side, notification(ErrorCode { code, subcode }))
        }),
        side().prop_map(|side| Mishap::Garbage(side, keepalive())),
        side().prop_map(|side| Mishap::Garbage(side, octets(|out| their_open().write(out)))),
        side().prop_map(Mishap::StopAndStart),
        side().prop_map(Mishap::Reconfigure),
        side().prop_map(Mishap::LoseLiveness),
        (side(), 1_u16..200).prop_map(|(side, s)| Mishap::Freeze(side, secs(s.into()))),
        side().prop_map(Mishap::Connect),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn two_peers_always_find_each_other_again_once_all_disturbances_end(
        seed in any::<u64>(),
        passive in prop_oneof![Just(None), side().prop_map(Some)],
        latency in 1_u64..400,
        mishaps in vec((mishap(), 0_u64..100_000), 0..25),
    ) {
        let mut net = Net::new(seed, passive, Duration::from_millis(latency));
        net.start();
        for (mishap, millis) in mishaps {
            net.happen(mishap);
            net.run(Duration::from_millis(millis));
        }
        net.mend();
        // A large hold time, the longest pause, and one dial after it.
        net.run(secs(240 + 2 * 120 + 120));
        prop_assert_eq!(net.states(), [State::Established; 2]);
        prop_assert!(net.share_one_connection());
    }
}

#[test]
fn two_peers_that_dial_at_the_same_moment_keep_one_connection() {
    for seed in 0..200 {
        for millis in [1, 20, 400] {
            let mut net = Net::new(seed, None, Duration::from_millis(millis));
            net.start();
            net.run(secs(10));
            assert_eq!(
                net.states(),
                [State::Established; 2],
                "seed {seed}, {millis} ms"
            );
            assert!(net.share_one_connection());
            assert_eq!(net.sessions(), [1, 1], "no session was lost on the way");
        }
    }
}

#[test]
fn a_collision_whose_connections_are_out_of_step_costs_no_session() {
    for side in [Side::Left, Side::Right] {
        for millis in (0..200).chain([700, 1_500, 5_000]) {
            let mut net = Net::new(millis, None, Duration::from_millis(20));
            net.happen(Mishap::SlowDials(side, Duration::from_millis(millis)));
            net.start();
            net.run(secs(20));
            assert_eq!(
                net.states(),
                [State::Established; 2],
                "{side:?}, {millis} ms"
            );
            assert_eq!(net.sessions(), [1, 1], "{side:?}, {millis} ms");
        }
    }
}

#[test]
fn a_reboot_of_one_side_is_over_within_seconds_and_not_after_the_hold_time() {
    let mut net = Net::new(3, None, Duration::from_millis(5));
    net.start();
    net.run(secs(120));
    net.happen(Mishap::Reboot(Side::Left));
    net.run(secs(5));
    assert_eq!(net.states(), [State::Established; 2]);
    assert!(net.share_one_connection());
}
