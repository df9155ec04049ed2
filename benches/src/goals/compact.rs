//! Goals of the compact form: writing and reading a half-full /8.

use std::hint::black_box;

use openelb_ipam::codec::CompactSet;
use openelb_ipam::{Family, Occupancy, RangeSet};
use roaring::RoaringBitmap;

use super::{BUDGET, Bound, Row, Unit};
use crate::contender::{Contender, Index};
use crate::fill::{Fill, SLASH_8};
use crate::meter::repeated;

/// Measures both ways, from the index and back into one.
pub fn rows() -> Vec<Row> {
    let pool: RangeSet = "10.0.0.0/8".parse().expect("a valid prefix");
    let index = Index::new(SLASH_8, Fill::HalfRandom).0;
    let bitmap: RoaringBitmap = Fill::HalfRandom.taken(SLASH_8).collect();
    let mut theirs = Vec::new();
    bitmap
        .serialize_into(&mut theirs)
        .expect("a vector takes any bytes");
    let bytes = CompactSet::of(&index).encode();

    let mut write = row(
        "write, /8 50 % random",
        repeated(BUDGET, || CompactSet::of(&index).encode()),
    );
    let their_write = repeated(BUDGET, || {
        let mut bytes = Vec::new();
        bitmap.serialize_into(&mut bytes).map(|()| bytes)
    });
    write.baselines.push(("roaring, used", their_write));

    let mut read = row(
        "read, /8 50 % random",
        repeated(BUDGET, || {
            let mut restored = Occupancy::new(Family::V4, &pool);
            let set = CompactSet::decode(&bytes).expect("just written");
            black_box(set.take_into(&mut restored));
            restored
        }),
    );
    let their_read = repeated(BUDGET, || {
        RoaringBitmap::deserialize_from(theirs.as_slice())
    });
    read.baselines.push(("roaring, used", their_read));
    vec![write, read]
}

fn row(what: &str, measured: f64) -> Row {
    Row::new(
        format!("compact form: {what}"),
        measured,
        1e6,
        Unit::Nanoseconds,
        Bound::Mebibyte,
    )
}
