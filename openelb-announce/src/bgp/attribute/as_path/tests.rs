//! Tests of AS paths.

use super::{AsPath, Segment, SegmentKind};
use crate::bgp::Asn;

fn segment(kind: SegmentKind, asns: &[u32]) -> Segment {
    let asns = asns.iter().copied().map(Asn).collect();
    Segment { kind, asns }
}

#[test]
fn a_number_is_put_before_a_leading_sequence_or_into_a_new_one() {
    let mut path = AsPath::sequence([Asn(2)]);
    path.prepend(Asn(1), 0);
    path.prepend(Asn(1), 3);
    assert_eq!(path.to_string(), "1 1 1 2");
    let mut set = AsPath::from_segments([segment(SegmentKind::Set, &[2, 3])]);
    set.prepend(Asn(1), 1);
    assert_eq!(set.to_string(), "1 {2,3}");
    assert_eq!(set.first_as(), Some(Asn(1)));
}

#[test]
fn a_set_counts_one_and_confederations_nothing() {
    let path = AsPath::from_segments([
        segment(SegmentKind::ConfederationSequence, &[10, 11]),
        segment(SegmentKind::Sequence, &[1, 2]),
        segment(SegmentKind::Set, &[3, 4, 5]),
        segment(SegmentKind::ConfederationSet, &[12]),
    ]);
    assert_eq!(path.length(), 3);
    assert_eq!(path.to_string(), "(10 11) 1 2 {3,4,5} [12]");
    assert!(path.contains(Asn(11)) && !path.contains(Asn(6)));
}

#[test]
fn only_a_sequence_tells_the_neighbor_and_the_origin() {
    let path = AsPath::sequence([Asn(1), Asn(2)]);
    assert_eq!(
        (path.first_as(), path.origin_as()),
        (Some(Asn(1)), Some(Asn(2)))
    );
    let set = AsPath::from_segments([segment(SegmentKind::Set, &[1])]);
    assert_eq!((set.first_as(), set.origin_as()), (None, None));
    assert!(AsPath::sequence([]).is_empty());
}
