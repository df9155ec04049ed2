//! Announces two addresses to two routers by BGP, crashes and restarts without losing a route, and
//! drains before it goes: all in the simulator, so it needs neither root nor a network and prints
//! the same every time.
//!
//! Run it with `cargo run -p openelb-examples --example bgp_in_the_simulator`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use openelb_announce::bgp::config::{Config, Peer, Settings};
use openelb_announce::bgp::peer::Stop;
use openelb_announce::bgp::route::Route;
use openelb_announce::bgp::{Asn, RouterId};
use openelb_announce::sim;
use openelb_announce::sim::bgp::{Fabric, FabricSetup, RouterOptions, SpeakerId};
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let mut fabric = Fabric::new(FabricSetup::default());
    let graceful = RouterOptions::default();
    // A router as it comes out of the box: our routes go with the session.
    let plain = RouterOptions {
        router_id: "10.0.0.253".parse::<RouterId>()?,
        graceful_restart: None,
        ..RouterOptions::default()
    };
    let leaves = [fabric.add_router(graceful), fabric.add_router(plain)];
    let node = fabric.add_speaker();

    let mut config = Config::new(Asn(64_512), "10.0.0.1".parse()?);
    for (name, router) in ["leaf1", "leaf2"].into_iter().zip(leaves) {
        config.peers.push(Peer {
            name: name.into(),
            remote: fabric.remote(router),
            settings: Settings::default(),
        });
    }
    fabric.configure(node, config)?;

    println!("a service with an address of each family:");
    let service = vec![
        Route::to("192.0.2.10/32".parse()?),
        Route::to("2001:db8::10/128".parse()?),
    ];
    fabric.announce(node, service);
    fabric.run(Duration::from_secs(5));
    let mut story = Story { fabric, node };
    story.show(&leaves);

    println!("\nthe speaker crashes; leaf1 keeps forwarding, leaf2 does not:");
    story.fabric.kill(node);
    story.fabric.run(Duration::from_secs(10));
    story.show(&leaves);

    println!("\nit is back, says so, and announces everything again:");
    story.fabric.start(node);
    story.fabric.run(Duration::from_secs(10));
    story.show(&leaves);
    story.show_status();

    println!("\nthe node is drained: other paths are preferred, nothing is lost yet:");
    story.fabric.drain(node);
    story.fabric.run(Duration::from_secs(5));
    story.show(&leaves);

    println!("\nand removed:");
    story.fabric.stop(node, &Stop::Removal);
    story.fabric.run(Duration::from_secs(1));
    story.show(&leaves);
    Ok(())
}

/// The fabric and whose story it is.
struct Story {
    fabric: Fabric,
    node: SpeakerId,
}

impl Story {
    /// Prints what each router knows.
    fn show(&self, leaves: &[sim::bgp::RouterId]) {
        for (number, leaf) in leaves.iter().enumerate() {
            let Some(table) = self.fabric.table(*leaf, self.node) else {
                continue;
            };
            let (count, deletes) = (table.paths().len(), table.deletes());
            println!(
                "  leaf{}: {count} routes, {deletes} deleted so far",
                number + 1
            );
            for ((prefix, _), path) in table.paths() {
                let stale = if path.is_stale { "(kept)" } else { "" };
                let communities = path.attributes.communities.iter();
                let marks: Vec<String> = communities.map(|mark| mark.to_string()).collect();
                let marks = marks.join(" ");
                println!("    {prefix} via {} {marks}{stale}", path.next_hop);
            }
        }
    }

    fn show_status(&self) {
        for peer in self.fabric.status(self.node) {
            let agreed = peer.session.map(|session| session.negotiated);
            println!(
                "  {}: {}: {}",
                peer.name,
                peer.state,
                agreed.unwrap_or_default()
            );
        }
    }
}
