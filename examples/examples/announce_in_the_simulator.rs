//! Announces an address, moves it to another host and lets an intruder have a try: all in the
//! simulator, so it needs neither root nor a network and prints the same every time.
//!
//! Run it with `cargo run -p openelb-examples --example announce_in_the_simulator`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use openelb_announce::claim::{Claim, Probe, Validity};
use openelb_announce::sim::{HostId, Network, Setup};
use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    for text in ["192.0.2.10", "2001:db8::10"] {
        let address = text.parse()?;
        let mut network = Network::new(Setup {
            seed: 7,
            ..Setup::default()
        });
        let [first, second, intruder] = std::array::from_fn(|_| network.add_speaker());
        let client = network.add_client();
        let mut story = Story { network, told: 0 };

        tell(&format!(
            "{first} claims {address} and probes before it announces"
        ));
        story.claim(first, address, Probe::Fast);

        tell(&format!("{client} sends traffic"));
        story.network.send(client, address);
        story.go_on();

        tell(&format!(
            "the address moves from {first} to {second}, without probing"
        ));
        story.network.release(first, address);
        story.claim(second, address, Probe::Skip);

        tell(&format!("{client} sends traffic again and needs not ask"));
        story.network.send(client, address);
        story.go_on();

        tell(&format!(
            "{intruder} claims the address too and finds out in time"
        ));
        story.claim(intruder, address, Probe::Fast);

        assert_eq!(story.network.owners(address), [second]);
        let believed = story
            .network
            .neighbor(client, address)
            .map(|neighbor| neighbor.mac);
        assert_eq!(believed, Some(story.network.mac(second)));
    }
    Ok(())
}

fn tell(what: &str) {
    println!("\n{what}:");
}

/// A network, and how much of its trace was printed already.
struct Story {
    network: Network,
    told: usize,
}

impl Story {
    fn claim(&mut self, host: HostId, address: IpAddr, probe: Probe) {
        self.network.claim(
            host,
            Claim {
                address,
                probe,
                valid_until: Validity::Unlimited,
            },
        );
        self.go_on();
    }

    /// Lets half a second pass and prints what happened in it.
    fn go_on(&mut self) {
        self.network.run(Duration::from_millis(500));
        for record in self.network.trace().iter().skip(self.told) {
            println!("  {record}");
        }
        self.told = self.network.trace().len();
    }
}
