//! Tests of what settings mean for sockets.

use std::net::IpAddr;
use std::time::Duration;

use super::*;
use crate::bgp::Asn;
use crate::bgp::config::{Config, Peer, Remote, Settings};

#[test]
fn packets_to_an_external_neighbour_do_not_survive_a_router() {
    let options = options(|settings| settings.remote_as = RemoteAs::Exactly(Asn(64513)));
    assert_eq!(options.hop_limit, Some(1));
    assert_eq!(options.minimum_hop_limit, None);
}

#[test]
fn internal_peers_may_be_anywhere() {
    for remote_as in [RemoteAs::Internal, RemoteAs::Exactly(Asn(64512))] {
        assert_eq!(
            options(|settings| settings.remote_as = remote_as).hop_limit,
            None
        );
    }
}

#[test]
fn our_as_towards_the_peer_decides_whether_it_is_external() {
    let options = options(|settings| {
        settings.remote_as = RemoteAs::Exactly(Asn(64512));
        settings.local_as = Some(Asn(65000));
    });
    assert_eq!(options.hop_limit, Some(1));
}

#[test]
fn multihop_is_the_hop_limit() {
    let options = options(|settings| settings.transport.multihop = Some(5));
    assert_eq!(
        (options.hop_limit, options.minimum_hop_limit),
        (Some(5), None)
    );
}

#[test]
fn gtsm_sends_255_and_counts_hops_from_there() {
    for (hops, minimum) in [(1, 255), (3, 253)] {
        let options = options(|settings| settings.transport.gtsm = Some(hops));
        assert_eq!(options.hop_limit, Some(255));
        assert_eq!(options.minimum_hop_limit, Some(minimum));
    }
}

#[test]
fn the_kernel_is_as_patient_as_the_hold_time_says() {
    let patience = |hold| {
        options(|settings| settings.timers.hold = Some(Duration::from_secs(hold))).user_timeout
    };
    assert_eq!(patience(9), Some(Duration::from_secs(9)));
    assert_eq!(patience(0), None);
    assert_eq!(options(|_| ()).user_timeout, Some(Duration::from_secs(90)));
}

fn options(change: impl FnOnce(&mut Settings)) -> SessionOptions {
    let config = Config::new(Asn(64512), "10.0.0.1".parse().unwrap());
    let mut settings = Settings::default();
    change(&mut settings);
    let peer = Peer {
        name: "leaf".into(),
        remote: Remote::from("192.0.2.1".parse::<IpAddr>().unwrap()),
        settings,
    };
    session_options(&config.neighbor(&peer))
}
