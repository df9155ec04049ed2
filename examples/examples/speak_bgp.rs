//! Runs two BGP speakers on real sockets of this host's loopback addresses: one announces a service
//! and takes it back, the other listens and counts.
//!
//! Run it with `cargo run -p openelb-examples --example speak_bgp`. It takes no rights, since both use
//! a high port.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use openelb_announce::announcer::speaker::{Speaker, SpeakerConfig, SpeakerOptions};
use openelb_announce::bgp::config::{Config, Peer, Remote, RemoteAs, Settings};
use openelb_announce::bgp::peer::{State, Stop};
use openelb_announce::bgp::route::Route;
use openelb_announce::bgp::status::PeerStatus;
use openelb_announce::bgp::{Asn, PerFamily};
use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let node = Speaker::start(SpeakerOptions::default())?;
    let leaf = Speaker::start(SpeakerOptions::default())?;
    node.configure(speaker("127.0.17.1", Asn(64512), "127.0.17.2", Asn(64513))?)?;
    leaf.configure(speaker("127.0.17.2", Asn(64513), "127.0.17.1", Asn(64512))?)?;

    // The whole set of routes; it may come before the session is up.
    let service = ["192.0.2.10/32".parse()?, "2001:db8::10/128".parse()?];
    node.announce(service.into_iter().map(Route::to).collect())?;
    node.synced()?;

    let peer = until(&node, |peer| peer.state == State::Established)?;
    let session = peer.session.ok_or("an established peer has a session")?;
    println!(
        "{} is up with {}: {}",
        peer.name, session.peer_as, session.negotiated
    );

    let peer = until(&leaf, |peer| received(peer) == 2)?;
    println!("{} has announced {} routes", peer.name, received(&peer));

    node.announce(Vec::new())?;
    let peer = until(&leaf, |peer| received(peer) == 0)?;
    println!(
        "{} has withdrawn them, and is still {}",
        peer.name, peer.state
    );

    node.stop(Stop::Shutdown("end of the lesson".to_owned()));
    let peer = until(&leaf, |peer| peer.last_error.is_some())?;
    let error = peer.last_error.ok_or("it was just there")?;
    println!("{} is gone: {}", peer.name, error.words);
    leaf.stop(Stop::Removal);
    Ok(())
}

/// A speaker that listens at `own` and has one peer.
fn speaker(
    own: &str,
    asn: Asn,
    other: &str,
    peer_as: Asn,
) -> Result<SpeakerConfig, Box<dyn Error>> {
    let address: IpAddr = own.parse()?;
    let mut config = Config::new(asn, own.parse()?);
    config.listen = vec![(address, PORT).into()];
    let mut settings = Settings {
        remote_as: RemoteAs::Exactly(peer_as),
        // Nobody can be sent to a loopback address, so the next hops are said.
        next_hop: PerFamily {
            ipv4: Some("198.51.100.1".parse()?),
            ipv6: Some("2001:db8:ffff::1".parse()?),
        },
        // With a limit the peer's prefixes are told apart; without one they are not even counted.
        prefix_limit: Some(100),
        ..Settings::default()
    };
    settings.transport.port = PORT;
    settings.transport.source = Some(address);
    config.peers = vec![Peer {
        name: other.into(),
        remote: Remote::from(other.parse::<IpAddr>()?),
        settings,
    }];
    Ok(SpeakerConfig::from(config))
}

fn received(peer: &PeerStatus) -> usize {
    peer.families.ipv4.received + peer.families.ipv6.received
}

/// Asks for the only peer's status until it is as wanted, printing what is reported meanwhile.
fn until(
    speaker: &Speaker,
    is_wanted: impl Fn(&PeerStatus) -> bool,
) -> Result<PeerStatus, Box<dyn Error>> {
    for _ in 0..PATIENCE {
        let status = speaker.status()?;
        if let Some(peer) = status.peers.into_iter().find(|peer| is_wanted(peer)) {
            return Ok(peer);
        }
        if let Ok(event) = speaker.event(Duration::from_millis(50)) {
            println!("    {event}");
        }
    }
    Err("it did not happen; is the port in use?".into())
}

const PORT: u16 = 17917;
// Times 50 ms at most.
const PATIENCE: u32 = 400;
