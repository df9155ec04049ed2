//! Runs of NLRI as messages hold them, read and written without allocating (RFC 4271 section 4.3,
//! RFC 7911 section 3).

use crate::bgp::family::Family;
use crate::bgp::prefix::{Nlri, Prefix};

/// The NLRI of one family in a message, checked as a whole.
#[derive(Clone, Copy, Debug)]
pub struct NlriField<'a> {
    // Invariant: `octets` is a sequence of whole NLRI of `family`.
    octets: &'a [u8],
    family: Family,
    add_path: bool,
}

impl<'a> NlriField<'a> {
    /// Takes a field of a message; with path identifiers if add-path was negotiated.
    ///
    /// `None` when a prefix is longer than its family allows or than the field (RFC 7606 section
    /// 5.3): then no route in it can be trusted.
    pub fn checked(family: Family, add_path: bool, octets: &'a [u8]) -> Option<Self> {
        let mut rest = octets;
        while !rest.is_empty() {
            if add_path {
                (_, rest) = rest.split_first_chunk::<PATH_ID>()?;
            }
            let (length, after) = rest.split_first()?;
            if *length > family.host_length() {
                return None;
            }
            (_, rest) = after.split_at_checked(octets_of(*length))?;
        }
        Some(Self {
            octets,
            family,
            add_path,
        })
    }

    /// A field without any.
    pub const fn empty(family: Family) -> Self {
        Self {
            octets: &[],
            family,
            add_path: false,
        }
    }

    /// The family of all of them.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// Whether none is left.
    pub const fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }
}

impl<'a> IntoIterator for NlriField<'a> {
    type Item = Nlri;
    type IntoIter = NlriIter<'a>;

    fn into_iter(self) -> NlriIter<'a> {
        NlriIter(self)
    }
}

/// Reads the NLRI of a field one by one.
#[derive(Clone, Debug)]
pub struct NlriIter<'a>(NlriField<'a>);

impl Iterator for NlriIter<'_> {
    type Item = Nlri;

    #[inline]
    fn next(&mut self) -> Option<Nlri> {
        let NlriField {
            octets,
            family,
            add_path,
        } = self.0;
        let (path_id, rest) = if add_path {
            let (id, rest) = octets.split_first_chunk()?;
            (Some(u32::from_be_bytes(*id)), rest)
        } else {
            (None, octets)
        };
        let (prefix, rest) = read(family, rest)?;
        self.0.octets = rest;
        Some(Nlri { path_id, prefix })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let least = if self.0.add_path { PATH_ID + 1 } else { 1 };
        let most = usize::from(self.0.family.octets()) + least;
        let octets = self.0.octets.len();
        (octets / most, Some(octets / least))
    }
}

impl std::iter::FusedIterator for NlriIter<'_> {}

/// Puts NLRI into `field` until the next might not fit; returns how many, and how many octets they
/// take. One of another family, or with a path identifier where the first had none, is an error
/// value: it would make the message say something else.
#[inline]
pub(super) fn fill(
    field: &mut [u8],
    family: Family,
    nlri: &mut impl Iterator<Item = Nlri>,
) -> Result<(usize, usize), Nlri> {
    let room = field.len();
    let mut rest = field;
    let mut count = 0;
    let mut with_path = None;
    // An NLRI that was taken cannot be put back: the longest one must fit before it is asked for.
    let mut least = longest(family);
    while rest.len() >= least {
        let Some(one) = nlri.next() else { break };
        let mixed = with_path.is_some_and(|with_path| with_path != one.path_id.is_some());
        if one.prefix.family() != family || mixed {
            return Err(one);
        }
        if with_path.is_none() && one.path_id.is_none() {
            least -= PATH_ID;
        }
        with_path = Some(one.path_id.is_some());
        rest = put(rest, one);
        count += 1;
    }
    Ok((count, room - rest.len()))
}

/// How many octets an NLRI of `family` can have, path identifier included.
pub(super) fn longest(family: Family) -> usize {
    PATH_ID + 1 + usize::from(family.octets())
}

/// Writes one; returns what is left of `field`, in which it must fit.
#[inline]
fn put(mut field: &mut [u8], nlri: Nlri) -> &mut [u8] {
    if let Some(id) = nlri.path_id {
        let (place, rest) = field
            .split_first_chunk_mut()
            .expect("the caller left room for an identifier");
        *place = id.to_be_bytes();
        field = rest;
    }
    // Stores of constant size for host routes, which is what services have: 2 ns instead of 6.
    let octets = nlri.prefix.octets();
    match nlri.prefix.length() {
        128 => {
            let (place, rest) = field
                .split_first_chunk_mut::<17>()
                .expect("the caller left room for the longest prefix");
            let [length, address @ ..] = place;
            (*length, *address) = (128, *octets);
            rest
        }
        32 => {
            let (place, rest) = field
                .split_first_chunk_mut::<5>()
                .expect("the caller left room for the longest prefix");
            let [a, b, c, d, ..] = *octets;
            *place = [32, a, b, c, d];
            rest
        }
        length => {
            let (place, rest) = field.split_at_mut(1 + octets_of(length));
            let (first, address) = place
                .split_first_mut()
                .expect("the field has at least one octet");
            *first = length;
            for (place, octet) in address.iter_mut().zip(octets) {
                *place = *octet;
            }
            rest
        }
    }
}

/// Reads one prefix; `None` at the end and, which a checked field has not, when it is cut short.
#[inline]
fn read(family: Family, octets: &[u8]) -> Option<(Prefix, &[u8])> {
    match family {
        Family::Ipv4Unicast => {
            if let Some(([32, address @ ..], rest)) = octets.split_first_chunk::<5>() {
                return Some((Prefix::host_v4(*address), rest));
            }
        }
        Family::Ipv6Unicast => {
            if let Some(([128, address @ ..], rest)) = octets.split_first_chunk::<17>() {
                return Some((Prefix::host_v6(*address), rest));
            }
        }
    }
    read_short(family, octets)
}

fn read_short(family: Family, octets: &[u8]) -> Option<(Prefix, &[u8])> {
    let (length, rest) = octets.split_first()?;
    let (significant, rest) = rest.split_at_checked(octets_of(*length))?;
    let mut address = [0; 16];
    for (place, octet) in address.iter_mut().zip(significant) {
        *place = *octet;
    }
    Some((Prefix::from_wire(family, address, *length), rest))
}

/// How many octets hold `length` bits.
const fn octets_of(length: u8) -> usize {
    (length as usize).div_ceil(8)
}

const PATH_ID: usize = 4;

#[cfg(test)]
mod tests;
