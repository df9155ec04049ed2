//! Addresses of the ledger as people and programs are shown them.

use std::net::IpAddr;

use openelb_ipam::Time;
use openelb_ipam::relative::{Projection, Shown};
use openelb_k8s::pool;

use super::super::answer::{FormerAddress, ShownAddress};

/// An address of the ledger as it is now.
pub(in crate::engine) fn shown(address: IpAddr, projection: &Projection) -> ShownAddress {
    let shown = projection.show(address);
    let former = match &shown {
        Shown::Following(following) => following.former.as_slice(),
        Shown::Static(_) | Shown::Nameless(_) => &[],
    };
    let is_taken = match &shown {
        Shown::Following(it) if it.current.is_none() => {
            projection.overlap_of(it.relative.prefix()).is_some()
        }
        _ => false,
    };
    let former = former.iter().map(|former| FormerAddress {
        address: former.address.into(),
        until: former.until.map(moment),
    });
    ShownAddress {
        address: shown.current(),
        relative: shown.relative(),
        is_taken,
        former: former.collect(),
    }
}

/// A text with the addresses of the ledger in it as people write them: `home/::10`.
pub(in crate::engine) fn in_words(text: &str, projection: &Projection) -> String {
    pool::in_words(text, |address| projection.show(address.into()).relative())
}

/// A moment as people and machines read it: RFC 3339 in UTC, whole seconds.
pub(in crate::engine) fn moment(time: Time) -> String {
    let seconds = i64::try_from(time.0 / 1_000).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| "the end of time".to_owned(), |at| at.to_string())
}
