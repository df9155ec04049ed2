//! `BGPPeer` and `BFDProfile`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use openelb_ipam::pool::Selector;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::fields::Fields;
use super::super::identity;
use super::super::remark::Report;
use super::super::selector::any_of;
use super::Object;
use crate::api::{
    AfiSafi, AfiSafiConfig, Bfd, BgpConf, BgpGracefulRestart, BgpPeer, EbgpMultihop, PeerAsType,
    PeerConf, SecretKey, TextNumber, Timers, TimersConfig, Transport, WireFamily,
};

/// The speaker and its neighbours.
#[derive(Debug, Default)]
pub(super) struct Peers {
    pub(super) conf: Option<BgpConf>,
    pub(super) peers: Vec<BgpPeer>,
}

/// BFD profiles by name; what they say is read where they are used.
pub(super) fn profiles(objects: Vec<Value>) -> BTreeMap<String, Value> {
    let named = objects.into_iter().map(|mut object| {
        let spec = object.get_mut("spec").map(Value::take);
        (identity(&object).1, spec.unwrap_or_default())
    });
    named.collect()
}

pub(super) fn read(
    objects: Vec<Value>,
    profiles: &BTreeMap<String, Value>,
    report: &mut Report,
) -> Peers {
    let mut found = Peers::default();
    for object in objects {
        let mut object = Object::open(object, report);
        let mut peer = BgpPeer::new("", "", 0);
        peer.metadata = object.metadata.clone();
        let mut spec = object.spec();
        let mut conf = who(&mut spec);
        speaker(&mut spec, &mut found.conf, &mut conf);
        timers(&mut spec, &mut peer);
        transport(&mut spec, &mut peer);
        families(&mut spec, &conf, &mut peer);
        password(&mut spec, &mut conf, &mut peer);
        nodes(&mut spec, &mut conf, &mut peer);
        bfd(&mut spec, profiles, &mut peer);
        peer.spec.conf = Some(conf);
        drop(spec);
        found.peers.push(peer);
    }
    found
}

fn who(spec: &mut Fields<'_>) -> PeerConf {
    PeerConf {
        peer_as: spec.take("peerASN").unwrap_or_default(),
        peer_as_type: spec.take::<PeerAsType>("dynamicASN"),
        neighbor_address: spec.take("peerAddress").unwrap_or_default(),
        neighbor_interface: spec.take("interface").unwrap_or_default(),
        ..PeerConf::default()
    }
}

/// What all peers have in common is the speaker's; what differs is the peer's, where it can be.
fn speaker(spec: &mut Fields<'_>, conf: &mut Option<BgpConf>, peer: &mut PeerConf) {
    let asn: u32 = spec.take("myASN").unwrap_or_default();
    let router_id: String = spec.take("routerID").unwrap_or_default();
    let is_first = conf.is_none();
    let conf = conf.get_or_insert_with(|| BgpConf::new(asn));
    if is_first {
        conf.spec.router_id.clone_from(&router_id);
    }
    if asn != conf.spec.r#as {
        peer.local_as = asn;
    }
    if let Some(local) = spec.take::<u32>("localASN") {
        peer.local_as = local;
    }
    if router_id != conf.spec.router_id {
        let meaning = "a speaker has one router ID, which is said by another BGPPeer";
        let next = "write `routerId` in the BgpConf, or leave it out: each node has one of its own";
        spec.lost("routerID", &json!(router_id), meaning, next);
    }
}

fn timers(spec: &mut Fields<'_>, peer: &mut BgpPeer) {
    let config = TimersConfig {
        hold_time: seconds(spec, "holdTime"),
        keepalive_interval: seconds(spec, "keepaliveTime"),
        connect_retry: seconds(spec, "connectTime"),
        ..TimersConfig::default()
    };
    if config != TimersConfig::default() {
        let config = Some(config);
        peer.spec.timers = Some(Timers { config });
    }
}

/// A duration in whole seconds.
fn seconds(spec: &mut Fields<'_>, key: &str) -> Option<TextNumber> {
    let text: String = spec.take(key)?;
    let read = text.parse::<jiff::SignedDuration>().ok();
    let read = read.and_then(|read| Duration::try_from(read).ok());
    let Some(read) = read else {
        spec.lost(
            key,
            &json!(text),
            "it is no duration",
            "write seconds in `timers`",
        );
        return None;
    };
    if read.subsec_nanos() != 0 {
        let meaning = "times of BGP are whole seconds; the fraction is left out";
        spec.lost(key, &json!(text), meaning, "write whole seconds");
    }
    Some(TextNumber(read.as_secs()))
}

fn transport(spec: &mut Fields<'_>, peer: &mut BgpPeer) {
    let transport = Transport {
        local_address: spec.take("sourceAddress").unwrap_or_default(),
        remote_port: spec.take("peerPort").unwrap_or_default(),
        bind_interface: spec.take("vrf").unwrap_or_default(),
        ..Transport::default()
    };
    if transport != Transport::default() {
        peer.spec.transport = Some(transport);
    }
    if spec.take("ebgpMultiHop") == Some(true) {
        peer.spec.ebgp_multihop = Some(EbgpMultihop {
            enabled: true,
            ..EbgpMultihop::default()
        });
    }
    let restart = spec.take::<bool>("enableGracefulRestart");
    peer.spec.graceful_restart = restart.map(|enabled| BgpGracefulRestart {
        enabled: Some(enabled),
        ..BgpGracefulRestart::default()
    });
}

/// MetalLB speaks the family of the neighbour's address, unless told to speak both.
fn families(spec: &mut Fields<'_>, conf: &PeerConf, peer: &mut BgpPeer) {
    let is_dual = spec.take("dualStackAddressFamily").unwrap_or(false);
    if let Some(value) = spec.raw("disableMP") {
        let meaning = "without effect in MetalLB, too";
        spec.note("disableMP", &value, meaning, "nothing");
    }
    let address: Option<IpAddr> = conf.neighbor_address.parse().ok();
    let spoken: &[&str] = match address {
        Some(IpAddr::V4(_)) if !is_dual => &["AFI_IP"],
        Some(IpAddr::V6(_)) if !is_dual => &["AFI_IP6"],
        _ => &["AFI_IP", "AFI_IP6"],
    };
    let family = |afi: &&str| AfiSafi {
        config: Some(AfiSafiConfig {
            family: Some(WireFamily {
                afi: (*afi).to_owned(),
                safi: "SAFI_UNICAST".to_owned(),
            }),
            enabled: Some(true),
        }),
        ..AfiSafi::default()
    };
    peer.spec.afi_safis = spoken.iter().map(family).collect();
}

fn password(spec: &mut Fields<'_>, conf: &mut PeerConf, peer: &mut BgpPeer) {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Reference {
        name: String,
        namespace: String,
    }
    conf.auth_password = spec.take("password").unwrap_or_default();
    let Some(value) = spec.raw("passwordSecret") else {
        return;
    };
    let reference: Reference = serde_json::from_value(value.clone()).unwrap_or_default();
    if reference.name.is_empty() {
        if value != json!({}) {
            let next = "write `authPasswordSecret` with the name of a Secret";
            spec.lost("passwordSecret", &value, "it names no Secret", next);
        }
        return;
    }
    let from = match reference.namespace.as_str() {
        "" => "MetalLB's namespace",
        namespace => namespace,
    };
    let next = format!(
        "copy the Secret {} from {from} to OpenELB's namespace",
        reference.name
    );
    let meaning = "the password is read from a Secret in the namespace of OpenELB";
    spec.note("passwordSecret", &value, meaning, &next);
    peer.spec.auth_password_secret = Some(SecretKey {
        name: reference.name,
        key: "password".to_owned(),
    });
}

fn nodes(spec: &mut Fields<'_>, conf: &mut PeerConf, peer: &mut BgpPeer) {
    let selectors: Vec<Selector> = spec.take("nodeSelectors").unwrap_or_default();
    let nodes = any_of(&selectors);
    if nodes.is_none() {
        let meaning = "a BgpPeer has one node selector";
        let next = "give the nodes one label and write it in `nodeSelector`";
        spec.lost("nodeSelectors", &json!(selectors), meaning, next);
    }
    peer.spec.node_selector = nodes.filter(|nodes| *nodes != Selector::default());
    if spec.report.has_lost("spec.nodeSelectors") {
        conf.admin_down = true;
        let meaning = "the session is kept down, because it is not known which nodes have it";
        let next = "write `nodeSelector`, then leave `adminDown` out";
        spec.note("nodeSelectors", &Value::Null, meaning, next);
    }
}

fn bfd(spec: &mut Fields<'_>, profiles: &BTreeMap<String, Value>, peer: &mut BgpPeer) {
    let name: String = spec.take("bfdProfile").unwrap_or_default();
    if name.is_empty() {
        return;
    }
    let Some(profile) = profiles.get(&name) else {
        let next = "import the BFDProfile too, or write `bfd` in the BgpPeer";
        return spec.lost(
            "bfdProfile",
            &json!(name),
            "there is no such BFDProfile",
            next,
        );
    };
    let is_far = peer.spec.ebgp_multihop.is_some();
    let path = format!("spec.bfdProfile({name})");
    let mut fields = Fields::new(&path, Some(profile.clone()), spec.report);
    let mut bfd = Bfd {
        min_rx_ms: fields.take("receiveInterval"),
        min_tx_ms: fields.take("transmitInterval"),
        multiplier: fields.take("detectMultiplier"),
        passive: fields.take("passiveMode").unwrap_or_default(),
        ..Bfd::default()
    };
    let echo = "echo packets are not sent; failures are found by control packets alone";
    let next = "choose `minTxMs` and `multiplier` for the time in which failures are to be found";
    if fields.take("echoMode") == Some(true) {
        fields.lost("echoMode", &json!(true), echo, next);
        fields.lose("echoInterval", echo, next);
    } else {
        // Without the mode the interval means nothing.
        fields.raw("echoInterval");
    }
    match fields.take("minimumTtl") {
        Some(ttl) if is_far => bfd.minimum_ttl = Some(ttl),
        Some(ttl) => {
            let meaning = "without effect: it is for neighbours several hops away";
            fields.note("minimumTtl", &json!(ttl), meaning, "nothing");
        }
        None => {}
    }
    drop(fields);
    peer.spec.bfd = Some(bfd);
}
