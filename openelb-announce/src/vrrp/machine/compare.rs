//! In what another router's advertisement differs from the settings here.

use std::net::IpAddr;

use super::Mismatch;
use crate::vrrp::packet::{Advert, ChecksumForm, OWNER};
use crate::vrrp::settings::{Checksum, Settings, is_link_local};
use crate::vrrp::vrid::Family;

/// What two lists of addresses have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared {
    /// How many of theirs are ours.
    theirs: usize,
    /// How many they have.
    count: usize,
    /// None in common that tells anything. Link-local addresses do not: `fe80::1` is everybody's.
    pub(super) is_stranger: bool,
}

impl Shared {
    /// Costs the product of the two lengths: at most 255 by 255, of addresses that are compared.
    pub(super) fn of(settings: &Settings, advert: &Advert<'_>) -> Self {
        let ours = &settings.addresses;
        let is_ours = |address: &IpAddr| ours.contains(address);
        let tells = |address: &IpAddr| !is_link_local(*address);
        let both_tell = ours.iter().any(tells) && advert.addresses.iter().any(|it| tells(&it));
        let mut telling = advert.addresses.iter().filter(|it| !both_tell || tells(it));
        Self {
            theirs: advert.addresses.iter().filter(is_ours).count(),
            count: advert.addresses.len(),
            is_stranger: !telling.any(|it| is_ours(&it)),
        }
    }
}

/// Everything that its operator should know of; none of it decides who is Active.
pub(super) fn mismatches(
    settings: &Settings,
    advert: &Advert<'_>,
    shared: Shared,
) -> [Option<Mismatch>; 5] {
    let Shared { theirs, count, .. } = shared;
    let is_same_list = theirs == count && count == settings.addresses.len();
    let (interval, ours) = (advert.head.interval, settings.interval);
    let is_owned_twice = settings.owner && advert.head.priority == OWNER;
    let first = advert.addresses.first();
    let first = first.filter(|it| settings.family == Family::Ipv6 && !is_link_local(*it));
    let form = advert.form.filter(|form| match settings.checksum {
        Checksum::Auto => false,
        Checksum::PseudoHeader => *form != ChecksumForm::PseudoHeader,
        Checksum::Plain => *form != ChecksumForm::Plain,
    });
    [
        (!is_same_list).then_some(Mismatch::Addresses { theirs, count }),
        (interval != ours).then_some(Mismatch::Interval {
            theirs: interval,
            ours,
        }),
        is_owned_twice.then_some(Mismatch::Owner),
        first.map(Mismatch::NotLinkLocal),
        form.map(|theirs| Mismatch::Checksum { theirs }),
    ]
}
