//! Speakers of BGP and model routers, joined by a virtual TCP on a virtual clock.
//!
//! The speakers are the real ones. The routers are plain receivers that were written for this: they
//! keep what they were told, so a test can ask whether that is what should be announced.
//!
//! ```
//! use openelb_announce::bgp::config::{Config, Peer, Settings};
//! use openelb_announce::bgp::route::Route;
//! use openelb_announce::bgp::Asn;
//! use openelb_announce::sim::bgp::{Fabric, FabricSetup, RouterOptions};
//! use std::time::Duration;
//!
//! let mut fabric = Fabric::new(FabricSetup::default());
//! let router = fabric.add_router(RouterOptions::default());
//! let speaker = fabric.add_speaker();
//! let mut config = Config::new(Asn(64512), "10.0.0.1".parse()?);
//! let remote = fabric.remote(router);
//! config.peers = vec![Peer { name: "leaf1".into(), remote, settings: Settings::default() }];
//! fabric.configure(speaker, config)?;
//! fabric.announce(speaker, vec![Route::to("192.0.2.10/32".parse()?)]);
//! fabric.run(Duration::from_secs(5));
//! assert_eq!(fabric.table(router, speaker).map(|table| table.paths().len()), Some(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fabric;
mod router;
mod tcp;

pub use fabric::{Fabric, FabricSetup, Listening, RouterId, SpeakerId};
pub use router::{Path, Record, RouterOptions, Table};

#[cfg(test)]
mod tests;
