//! Reads `AS_PATH` and `AS4_PATH` (RFC 4271 section 4.3, RFC 5065, RFC 6793).

use super::fault::FaultKind;
use crate::bgp::asn::Asn;
use crate::bgp::attribute::{AsPath, Segment, SegmentKind};

/// How many octets the numbers of a path have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Two,
    Four,
}

impl Width {
    const fn octets(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// The numbers in octets whose length is a multiple of the width.
    fn numbers(self, octets: &[u8]) -> impl Iterator<Item = Asn> {
        let number = |octets: &[u8]| {
            octets
                .iter()
                .fold(0, |sum, octet| sum << 8 | u32::from(*octet))
        };
        octets.chunks(self.octets()).map(number).map(Asn)
    }
}

/// Whether all segments are whole, not empty, sequences, and free of the number 0 (RFC 7606 section
/// 7.2, RFC 9774 section 3, RFC 7607 section 2).
pub(super) fn check(value: &[u8], width: Width, confederations: bool) -> Result<(), FaultKind> {
    for segment in segments(value, width) {
        let (kind, numbers) = segment.ok_or(FaultKind::Segment)?;
        let allowed = match kind {
            SegmentKind::Sequence => true,
            SegmentKind::ConfederationSequence => confederations,
            SegmentKind::Set | SegmentKind::ConfederationSet => return Err(FaultKind::Set),
            SegmentKind::Unknown(_) => false,
        };
        if !allowed || numbers.is_empty() {
            return Err(FaultKind::Segment);
        }
        if width.numbers(numbers).any(|asn| asn.0 == 0) {
            return Err(FaultKind::Value);
        }
    }
    Ok(())
}

/// The first number of a leading sequence.
pub(super) fn first_as(value: &[u8], width: Width) -> Option<Asn> {
    match segments(value, width).next()?? {
        (SegmentKind::Sequence, numbers) => width.numbers(numbers).next(),
        _ => None,
    }
}

/// A checked value as path.
pub(super) fn read(value: &[u8], width: Width) -> AsPath {
    let segments = segments(value, width).flatten();
    AsPath::from_segments(segments.map(|(kind, numbers)| Segment {
        kind,
        asns: width.numbers(numbers).collect(),
    }))
}

/// The path that speakers of four octets sent through one of two (RFC 6793 section 4.2.3): what
/// `path` has more than `as4_path`, then `as4_path`.
pub(super) fn merge(path: AsPath, as4_path: &AsPath) -> AsPath {
    let Some(mut more) = path.length().checked_sub(as4_path.length()) else {
        return path;
    };
    let mut merged: Vec<Segment> = Vec::new();
    for segment in path.segments() {
        if more == 0 {
            break;
        }
        let mut segment = segment.clone();
        if segment.kind == SegmentKind::Sequence {
            segment.asns.truncate(more);
            more -= segment.asns.len();
        }
        merged.push(segment);
    }
    // RFC 6793 section 6: confederation segments of AS4_PATH are left out.
    let outside = |segment: &&Segment| segment.kind == SegmentKind::Sequence;
    for segment in as4_path.segments().iter().filter(outside) {
        match merged.last_mut() {
            Some(last) if last.kind == SegmentKind::Sequence => {
                last.asns.extend_from_slice(&segment.asns);
            }
            _ => merged.push(segment.clone()),
        }
    }
    AsPath::from_segments(merged)
}

/// The kinds and numbers of the segments; `None` instead of one that is cut short, then no more.
fn segments(value: &[u8], width: Width) -> impl Iterator<Item = Option<(SegmentKind, &[u8])>> {
    let mut rest = value;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let whole = std::mem::take(&mut rest);
        let split = || {
            let ([kind, count], after) = whole.split_first_chunk()?;
            let (numbers, after) = after.split_at_checked(usize::from(*count) * width.octets())?;
            Some((SegmentKind::from(*kind), numbers, after))
        };
        let segment = split();
        rest = segment.map_or(&[], |(.., after)| after);
        Some(segment.map(|(kind, numbers, _)| (kind, numbers)))
    })
}
