//! A switch that snoops on multicast memberships lets solicitations through because we join.

use super::announcing::{on, start, until_announced};
use super::capture::Capture;
use super::world::{eventually, with_root_and_hosts};

const VIP6: &str = "2001:db8::abcd:100";
const NOBODY: &str = "2001:db8::abcd:101";

#[test]
fn a_snooping_switch_forwards_solicitations_only_while_the_address_is_announced() {
    with_root_and_hosts(|world, [node, client]| {
        // The intervals come first: turning the querier on waits for one of them, 10 s by default.
        world.on_switch(
            "ip link set br0 type bridge mcast_query_interval 200 \
             mcast_query_response_interval 50 mcast_last_member_interval 20",
        );
        world.on_switch("ip link set br0 type bridge mcast_snooping 1 mcast_querier 1");
        let capture = Capture::start(&node, "icmp6");
        // Does a solicitation of the client for `address` arrive at the node?
        let arrives = |address: &str| {
            let solicitation = format!("icmpv6.nd.ns.target_address == {address}");
            let before = capture.count(&solicitation);
            client.finds(address);
            capture.count(&solicitation) > before
        };
        eventually("the switch holds back what nobody has joined", || {
            !arrives(VIP6) && !arrives(NOBODY)
        });

        let announcer = start(&node);
        announcer.announce(on("eth0", &[VIP6])).unwrap();
        until_announced(&announcer);
        eventually("the switch has learned of the membership", || {
            world
                .on_switch("bridge mdb show dev br0")
                .contains("ff02::1:ffcd:100")
        });
        assert!(arrives(VIP6) && client.finds(VIP6));
        assert!(!arrives(NOBODY));

        announcer.announce(Vec::new()).unwrap();
        eventually("the switch holds it back again", || !arrives(VIP6));
    });
}
