//! The autonomous systems that a route went through (RFC 4271 section 5.1.2, RFC 5065).

use crate::bgp::asn::Asn;
use crate::wire::wire_enum;
use std::fmt;

wire_enum! {
    /// What the numbers of a segment mean.
    pub enum SegmentKind(u8) {
        /// The systems of aggregated routes, in no order.
        Set = 1,
        /// The systems passed, the nearest first.
        Sequence = 2,
        /// The members of the confederation passed, the nearest first (RFC 5065).
        ConfederationSequence = 3,
        /// The members of the confederation of aggregated routes, in no order (RFC 5065).
        ConfederationSet = 4,
    }
}

/// One part of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// What the numbers mean.
    pub kind: SegmentKind,
    /// The numbers; at most 255 fit into a segment of the wire.
    pub asns: Vec<Asn>,
}

/// The autonomous systems that a route went through, the nearest first.
///
/// ```
/// use openelb_announce::bgp::{AsPath, Asn};
///
/// let mut path = AsPath::default();
/// path.prepend(Asn(64_512), 2);
/// assert_eq!(path.to_string(), "64512 64512");
/// assert_eq!(path.first_as(), Some(Asn(64_512)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AsPath {
    // Invariant: no segment is empty.
    segments: Vec<Segment>,
}

impl AsPath {
    /// A path of one sequence.
    pub fn sequence(asns: impl IntoIterator<Item = Asn>) -> Self {
        Self::from_segments([Segment {
            kind: SegmentKind::Sequence,
            asns: asns.into_iter().collect(),
        }])
    }

    /// A path of these segments; empty ones are left out.
    pub fn from_segments(segments: impl IntoIterator<Item = Segment>) -> Self {
        let mut segments: Vec<_> = segments.into_iter().collect();
        segments.retain(|segment| !segment.asns.is_empty());
        Self { segments }
    }

    /// Its parts, the nearest first.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether it has none, as inside the system where the route began.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Puts `asn` in front, `times` times (RFC 4271 section 5.1.2).
    pub fn prepend(&mut self, asn: Asn, times: usize) {
        if times == 0 {
            return;
        }
        let front = std::iter::repeat_n(asn, times);
        match self.segments.first_mut() {
            Some(first) if first.kind == SegmentKind::Sequence => {
                first.asns.splice(0..0, front);
            }
            _ => self.segments.insert(
                0,
                Segment {
                    kind: SegmentKind::Sequence,
                    asns: front.collect(),
                },
            ),
        }
    }

    /// The system of the neighbor that sent the route: the first number of a leading sequence.
    pub fn first_as(&self) -> Option<Asn> {
        let first = self.segments.first()?;
        let in_order = first.kind == SegmentKind::Sequence;
        first.asns.first().copied().filter(|_| in_order)
    }

    /// The system where the route began: the last number of a closing sequence.
    pub fn origin_as(&self) -> Option<Asn> {
        let last = self.segments.last()?;
        let in_order = last.kind == SegmentKind::Sequence;
        last.asns.last().copied().filter(|_| in_order)
    }

    /// Whether the route went through `asn`, as loop detection asks.
    pub fn contains(&self, asn: Asn) -> bool {
        let mut segments = self.segments.iter();
        segments.any(|segment| segment.asns.contains(&asn))
    }

    /// The length that route selection compares: a set counts one (RFC 4271 section 9.1.2.2),
    /// confederation segments nothing (RFC 5065 section 5.3).
    pub fn length(&self) -> usize {
        let length = |segment: &Segment| match segment.kind {
            SegmentKind::Sequence => segment.asns.len(),
            SegmentKind::Set => 1,
            _ => 0,
        };
        self.segments.iter().map(length).sum()
    }
}

impl fmt::Display for AsPath {
    /// Writes `1 2 {3,4}`, confederation segments as `(1 2)` and `[3,4]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, segment) in self.segments.iter().enumerate() {
            if number > 0 {
                f.write_str(" ")?;
            }
            let (open, between, close) = match segment.kind {
                SegmentKind::Set => ("{", ",", "}"),
                SegmentKind::ConfederationSequence => ("(", " ", ")"),
                SegmentKind::ConfederationSet => ("[", ",", "]"),
                SegmentKind::Sequence | SegmentKind::Unknown(_) => ("", " ", ""),
            };
            f.write_str(open)?;
            for (number, asn) in segment.asns.iter().enumerate() {
                let between = if number > 0 { between } else { "" };
                write!(f, "{between}{asn}")?;
            }
            f.write_str(close)?;
        }
        Ok(())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for AsPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
