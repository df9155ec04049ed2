//! Which families are spoken, in all the notations of OpenELB and GoBGP.

use openelb_announce::bgp::config::FamilySettings;
use openelb_announce::bgp::family::{Family, PerFamily};

use crate::api::{AfiSafi, BgpConf, BgpConfSpec, BgpPeerSpec};
use crate::problem::{Reason, Remarks};

/// The families of `BgpConf.spec.families`; both when none is listed.
pub(super) fn of_speaker(spec: &BgpConfSpec, remarks: &mut Remarks) -> PerFamily<bool> {
    let mut spoken = PerFamily::both(spec.families.is_empty());
    for (index, number) in spec.families.iter().enumerate() {
        match family_of(*number) {
            Some(family) => spoken[family] = true,
            None => remarks.add(
                Reason::UnsupportedField,
                format!("spec.families[{index}]"),
                format!("family {number} is not supported"),
                "write 0 for IPv4 unicast or 1 for IPv6 unicast (65537 and 131073 mean the same)",
            ),
        }
    }
    spoken
}

/// What is exchanged with a peer for each family.
///
/// OpenELB takes the family of the peer's address alone where a peer lists none, so that a service
/// with two addresses is half announced; here it is both.
pub(super) fn of_peer(
    spec: &BgpPeerSpec,
    conf: Option<&BgpConf>,
    remarks: &mut Remarks,
) -> PerFamily<FamilySettings> {
    if spec.afi_safis.is_empty() {
        // Faults of the speaker's own list are told with the speaker.
        let unheard = &mut Remarks::about_peer("");
        let spoken = match conf {
            Some(conf) => of_speaker(&conf.spec, unheard),
            None => PerFamily::both(true),
        };
        return spoken.map(|enabled| FamilySettings {
            enabled,
            add_path_send_max: Some(SEND_MAX),
            ..FamilySettings::default()
        });
    }
    let off = FamilySettings {
        enabled: false,
        ..FamilySettings::default()
    };
    let mut families = PerFamily::both(off);
    for (index, written) in spec.afi_safis.iter().enumerate() {
        let key = format!("spec.afiSafis[{index}]");
        if let Some(family) = named(written, &key, remarks) {
            if families[family].enabled {
                let message = format!("{family} is listed twice");
                remarks.invalid(
                    format!("{key}.config.family"),
                    message,
                    "remove one of them",
                );
            }
            families[family] = settings(written, &key, remarks);
        }
    }
    families
}

fn settings(written: &AfiSafi, key: &str, remarks: &mut Remarks) -> FamilySettings {
    let config = written.config.as_ref();
    let restart = written.mp_graceful_restart.as_ref();
    let restart = restart.and_then(|restart| restart.config.as_ref());
    let paths = written
        .add_paths
        .as_ref()
        .map(|paths| paths.config.as_ref());
    let add_path_send_max = match paths {
        None => Some(SEND_MAX),
        Some(config) => {
            let config = config.cloned().unwrap_or_default();
            let why =
                "received routes are not used, so several paths for one prefix are not either";
            remarks.ignored(
                !config.receive,
                format!("{key}.addPaths.config.receive"),
                why,
            );
            let max = u8::try_from(config.send_max).unwrap_or_else(|_| {
                remarks.invalid(
                    format!("{key}.addPaths.config.sendMax"),
                    format!("{} paths are too many", config.send_max),
                    "write at most 255",
                );
                u8::MAX
            });
            Some(max).filter(|max| *max > 0)
        }
    };
    FamilySettings {
        enabled: config.and_then(|config| config.enabled).unwrap_or(true),
        add_path_send_max,
        graceful_restart: restart.is_none_or(|restart| restart.enabled),
        long_lived: None,
    }
}

fn named(written: &AfiSafi, key: &str, remarks: &mut Remarks) -> Option<Family> {
    let key = format!("{key}.config.family");
    let Some(family) = written
        .config
        .as_ref()
        .and_then(|config| config.family.as_ref())
    else {
        let next = "write `config: {family: {afi: AFI_IP, safi: SAFI_UNICAST}}`";
        remarks.invalid(key, "the entry names no family", next);
        return None;
    };
    match (family.afi.as_str(), family.safi.as_str()) {
        ("AFI_IP", "SAFI_UNICAST") => Some(Family::Ipv4Unicast),
        ("AFI_IP6", "SAFI_UNICAST") => Some(Family::Ipv6Unicast),
        (afi, safi) => {
            let message = format!("family {afi}/{safi} is not supported");
            let next = "write AFI_IP or AFI_IP6 with SAFI_UNICAST, or remove the entry";
            remarks.add(Reason::UnsupportedField, key, message, next);
            None
        }
    }
}

/// GoBGP takes these numbers as places in a table of its own; the other pair is AFI and SAFI in one
/// number, as the name of the field suggests. They do not collide.
fn family_of(number: u32) -> Option<Family> {
    match number {
        0 | 0x0001_0001 => Some(Family::Ipv4Unicast),
        1 | 0x0002_0001 => Some(Family::Ipv6Unicast),
        _ => None,
    }
}

/// OpenELB's default: routers that take several paths learn of so many nodes.
const SEND_MAX: u8 = 10;
