//! Three nodes elect who answers for a service's two addresses; the owner freezes, another takes over,
//! and the frozen one says nothing stale when it thaws. In the simulator: no root, the same every time.
//!
//! Run it with `cargo run -p openelb-examples --example fail_over_in_the_simulator`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use openelb_announce::ownership::{
    Group, GroupName, Key, KeyRing, NodeId, Settings, Shard, Standing,
};
use openelb_announce::sim::{Action, HostId, Network, Setup};
use std::collections::BTreeMap;
use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let addresses: [IpAddr; 2] = ["192.0.2.10".parse()?, "2001:db8::10".parse()?];
    let group = Group {
        name: GroupName::new("default"),
        shards: 4,
        standing: Standing::default(),
    };
    // Both addresses of the service are one unit, so they are of one shard and move together.
    let shard = Shard::of(&group.name, group.shards, "service/shop/web");
    let holdings = BTreeMap::from([(shard, addresses.to_vec())]);

    let mut told = 0;
    let mut network = Network::new(Setup {
        seed: 7,
        ..Setup::default()
    });
    let nodes: [HostId; 3] = std::array::from_fn(|_| network.add_speaker());
    let client = network.add_client();
    for (number, node) in (1..).zip(nodes) {
        let keys = KeyRing::new(Key::new(b"a secret of all three nodes")?, []);
        let settings = Settings::new(NodeId::new(&format!("node-{number}"))?, number, keys);
        network.elect(node, settings, vec![group.clone()], holdings.clone());
    }
    for address in addresses {
        network.stream(client, address, Duration::from_millis(10));
    }

    println!("the nodes listen first, then one of them claims the service:");
    let owner = settle(&mut network, &mut told, &nodes, addresses).ok_or("nobody answers")?;

    println!("\n{owner} freezes:");
    network.pause(owner);
    let heir = settle(&mut network, &mut told, &nodes, addresses).ok_or("nobody took over")?;

    println!("\n{owner} thaws, and listens before it says anything:");
    network.resume(owner);
    let still = settle(&mut network, &mut told, &nodes, addresses);

    assert_ne!(owner, heir);
    assert_eq!(
        still,
        Some(heir),
        "who comes back takes nothing back at once"
    );
    Ok(())
}

/// Lets four seconds pass, prints what was reported meanwhile, and says who answers for both.
fn settle(
    network: &mut Network,
    told: &mut usize,
    nodes: &[HostId],
    addresses: [IpAddr; 2],
) -> Option<HostId> {
    network.run(Duration::from_secs(4));
    for record in network.trace().iter().skip(*told) {
        if is_news(&record.action) {
            println!("  {record}");
        }
    }
    *told = network.trace().len();
    let answers = |node: &&HostId| addresses.iter().all(|it| network.answers(**node, *it));
    let mut owners = nodes.iter().filter(answers);
    let owner = owners.next().copied();
    assert_eq!(owners.next(), None, "never two at once");
    owner
}

/// What a person wants to know; frames and beats would be hundreds of lines.
fn is_news(action: &Action) -> bool {
    matches!(action, Action::Reported(_) | Action::Owned(_))
}
