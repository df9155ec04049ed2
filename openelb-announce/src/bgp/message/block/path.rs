//! AS paths as octets, of either width (RFC 4271 section 4.3, RFC 6793 section 4.2.2).

use crate::bgp::asn::Asn;
use crate::bgp::attribute::{AsPath, Segment, SegmentKind};

/// The value of `AS_PATH`: numbers of four octets, or of two with `AS_TRANS` for those that need four.
pub(super) fn encode(path: &AsPath, four_octet_as: bool) -> Vec<u8> {
    let mut value = Vec::new();
    for segment in path.segments() {
        write(&mut value, segment, four_octet_as);
    }
    value
}

/// The value of `AS4_PATH`, which a path needs that `AS_PATH` of two octets cannot hold: all its
/// segments but those of confederations.
pub(super) fn as4_path(path: &AsPath) -> Option<Vec<u8>> {
    let outside =
        |segment: &&Segment| matches!(segment.kind, SegmentKind::Sequence | SegmentKind::Set);
    let mut numbers = path
        .segments()
        .iter()
        .filter(outside)
        .flat_map(|one| &one.asns);
    if numbers.all(|asn| u16::try_from(asn.0).is_ok()) {
        return None;
    }
    let mut value = Vec::new();
    for segment in path.segments().iter().filter(outside) {
        write(&mut value, segment, true);
    }
    Some(value)
}

/// A segment holds at most 255 numbers; the rest goes into the next.
fn write(value: &mut Vec<u8>, segment: &Segment, four_octet_as: bool) {
    for part in segment.asns.chunks(usize::from(u8::MAX)) {
        let count = u8::try_from(part.len()).unwrap_or(u8::MAX);
        value.extend([segment.kind.into(), count]);
        for Asn(number) in part {
            if four_octet_as {
                value.extend(number.to_be_bytes());
            } else {
                value.extend(Asn(*number).wire16().to_be_bytes());
            }
        }
    }
}
