//! `spec.bfd`: failure detection beside a session.

use std::time::Duration;

use openelb_announce::bfd::{Auth, Key, Settings};
use openelb_announce::bgp::config::Liveness;

use super::{Material, PasswordSource};
use crate::api::{Bfd, BfdAuth, BgpPeerSpec};
use crate::problem::{Reason, Remarks};

/// What BFD has to say in the session; `None`: nothing.
pub(super) fn liveness(spec: &BgpPeerSpec) -> Option<Liveness> {
    let bfd = spec.bfd.as_ref()?;
    Some(Liveness { strict: bfd.strict })
}

/// The settings of the BFD session beside the BGP session.
pub(super) fn settings(
    spec: &BgpPeerSpec,
    material: &dyn Material,
    remarks: &mut Remarks,
) -> Option<Settings> {
    let written = spec.bfd.as_ref()?;
    let defaults = Settings::default();
    let interval =
        |value: Option<u32>, default| value.map_or(default, |ms| Duration::from_millis(ms.into()));
    let mut octet = |key: &str, value: Option<u32>| {
        let octet = value.map(u8::try_from)?;
        if octet.is_err() {
            let message = format!("{} is too large", value.unwrap_or_default());
            remarks.invalid(format!("spec.bfd.{key}"), message, "write at most 255");
        }
        octet.ok()
    };
    let multiplier = octet("multiplier", written.multiplier);
    let is_far = spec.ebgp_multihop.as_ref().is_some_and(|far| far.enabled);
    let minimum_ttl = octet("minimumTtl", written.minimum_ttl);
    let settings = Settings {
        min_tx: interval(written.min_tx_ms, defaults.min_tx),
        min_rx: interval(written.min_rx_ms, defaults.min_rx),
        multiplier: multiplier.unwrap_or(defaults.multiplier),
        // A neighbour that may be far away for BGP is as far away for BFD.
        multihop: if is_far {
            minimum_ttl.or(Some(1))
        } else {
            minimum_ttl
        },
        auth: written
            .auth
            .as_ref()
            .and_then(|auth| authentication(auth, material, remarks)),
        passive: written.passive,
        ..defaults
    };
    if let Err(error) = settings.validate() {
        remarks.invalid(blame(written, &settings), error, NEXT);
    }
    Some(settings)
}

/// The key of the object that is out of bounds.
fn blame(written: &Bfd, settings: &Settings) -> &'static str {
    let is_bad = |interval: Duration| {
        let probe = Settings {
            min_tx: interval,
            ..Settings::default()
        };
        probe.validate().is_err()
    };
    if is_bad(settings.min_tx) {
        "spec.bfd.minTxMs"
    } else if is_bad(settings.min_rx) {
        "spec.bfd.minRxMs"
    } else if written.multiplier.is_some_and(|count| count < 2) {
        "spec.bfd.multiplier"
    } else {
        "spec.bfd.minimumTtl"
    }
}

fn authentication(
    written: &BfdAuth,
    material: &dyn Material,
    remarks: &mut Remarks,
) -> Option<Auth> {
    let kind = match written.r#type.parse() {
        Ok(kind) => Some(kind),
        Err(error) => {
            let text = format!("{error}");
            let next = "write keyed-sha1 or meticulous-keyed-sha1";
            remarks.add(Reason::UnsupportedField, "spec.bfd.auth.type", text, next);
            None
        }
    };
    let octets = match (written.key.is_empty(), written.key_file.as_str()) {
        (false, "") => Ok(written.key.reveal().as_bytes().to_vec()),
        (true, file) if !file.is_empty() => material.password(PasswordSource::File(file)),
        _ => Err("the key is written nowhere, or twice".to_owned()),
    };
    let secret = match octets.map(|octets| Key::new(&octets)) {
        Ok(Ok(key)) => Some(key),
        Ok(Err(error)) => {
            remarks.invalid("spec.bfd.auth.key", error, "write 1 to 20 octets");
            None
        }
        Err(why) => {
            remarks.invalid("spec.bfd.auth.key", why, "write one of `key` and `keyFile`");
            None
        }
    };
    Some(Auth {
        kind: kind?,
        key_id: written.key_id,
        key: secret?,
    })
}

const NEXT: &str = "write 10 to 60000 ms, a multiplier of 2 to 255, a minimum TTL of 1 to 254";
