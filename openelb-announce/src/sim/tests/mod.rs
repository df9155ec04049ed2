//! Whole networks: stories, and properties that hold whatever the network does.

mod properties;
mod routers;
mod stories;

use super::{HostId, Network, Record, Setup};
use crate::claim::{Claim, Config, Probe, Validity};
use std::net::IpAddr;
use std::time::Duration;

/// One address of each family: every story is told twice.
fn both() -> [IpAddr; 2] {
    [
        "192.0.2.10".parse().unwrap(),
        "2001:db8::10".parse().unwrap(),
    ]
}

fn claim(address: IpAddr, probe: Probe) -> Claim {
    Claim {
        address,
        probe,
        valid_until: Validity::Unlimited,
    }
}

/// Two speakers of which the first owns `address`, and a client that sends traffic to it every 10 ms.
fn owned(address: IpAddr, setup: Setup) -> (Network, HostId, HostId, HostId) {
    let mut network = Network::new(setup);
    let (a, b, client) = (
        network.add_speaker(),
        network.add_speaker(),
        network.add_client(),
    );
    network.claim(a, claim(address, Probe::Skip));
    network.run(Duration::from_secs(1));
    network.stream(client, address, Duration::from_millis(10));
    network.run(Duration::from_secs(1));
    (network, a, b, client)
}

fn setup(seed: u64, config: Config) -> Setup {
    Setup {
        seed,
        config,
        ..Setup::default()
    }
}

/// The address that a frame says to own.
fn asserted(frame: &[u8]) -> Option<IpAddr> {
    crate::sim::trace::asserted(frame).map(|(_, address)| address)
}

/// Does this record show `host` speaking for `address`?
fn speaks_for(record: &Record, host: HostId, address: IpAddr) -> bool {
    record.host == host && record.sent().and_then(|frame| asserted(frame)) == Some(address)
}
