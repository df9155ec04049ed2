//! One datagram of a beat: header, piece of the body, signature; and how pieces become a beat again.

use std::sync::Arc;

use super::{Beat, BeatError, MOST_OCTETS, MOST_PARTS, body};
use crate::ownership::keys::{KeyRefusal, KeyRing, SIGNATURE};
use crate::ownership::name::NodeId;
use crate::wire::Reader;

impl Beat {
    /// Writes the beat as signed datagrams of at most 1,400 octets.
    pub fn datagrams(&self, keys: &KeyRing) -> Vec<Arc<[u8]>> {
        let body = body::encode(self);
        let name = self.node.as_str().as_bytes();
        let pieces = body.chunks(MOST_OCTETS - HEADER - name.len() - SIGNATURE);
        let parts = u8::try_from(pieces.len())
            .unwrap_or(MOST_PARTS)
            .min(MOST_PARTS);
        let datagram = |(part, piece): (u8, &[u8])| {
            let mut out = Vec::with_capacity(HEADER + name.len() + piece.len() + SIGNATURE);
            out.extend(MAGIC);
            // A name has at most 63 octets.
            let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
            out.extend([VERSION, part, parts, length]);
            out.extend(keys.signer().to_be_bytes());
            out.extend(self.boot.to_be_bytes());
            out.extend(self.sequence.to_be_bytes());
            out.extend(name);
            out.extend(piece);
            let signature = keys.sign(&out);
            out.extend(signature);
            out.into()
        };
        (0..parts).zip(pieces).map(datagram).collect()
    }
}

/// A datagram of a beat whose signature is not checked yet.
#[derive(Clone, Debug)]
pub struct Datagram<'a> {
    pub(in super::super) node: NodeId,
    pub(in super::super) boot: u64,
    pub(in super::super) sequence: u64,
    part: u8,
    parts: u8,
    key: u32,
    piece: &'a [u8],
    signed: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// Reads the header. Costs O(length of the name).
    pub fn decode(octets: &'a [u8]) -> Result<Self, BeatError> {
        let mut reader = Reader::new(octets);
        if reader.array()? != MAGIC {
            return Err(BeatError::Foreign);
        }
        let [version, part, parts, length] = reader.array()?;
        if version != VERSION {
            return Err(BeatError::Version(version));
        }
        if part >= parts || parts > MOST_PARTS {
            return Err(BeatError::Field("part"));
        }
        let key = reader.u32()?;
        let boot = u64::from_be_bytes(reader.array()?);
        let sequence = u64::from_be_bytes(reader.array()?);
        let name = std::str::from_utf8(reader.take(length.into())?).ok();
        let node = name.and_then(|name| NodeId::new(name).ok());
        let node = node.ok_or(BeatError::Field("name"))?;
        let piece = reader.rest().len().saturating_sub(SIGNATURE);
        let piece = reader.take(piece)?;
        let signature = reader.take(SIGNATURE)?;
        let signed = octets.len().saturating_sub(SIGNATURE);
        Ok(Self {
            node,
            boot,
            sequence,
            part,
            parts,
            key,
            piece,
            signed: octets.get(..signed).unwrap_or_default(),
            signature,
        })
    }

    /// Did somebody who has one of the keys write it? Costs O(length).
    pub(in super::super) fn verify(&self, keys: &KeyRing) -> Result<(), KeyRefusal> {
        keys.verify(self.key, self.signed, self.signature)
    }

    /// The beat, when this datagram is all of it; `None` when it is one of several.
    pub fn whole(&self) -> Option<Result<Beat, BeatError>> {
        let decode = || body::decode(self.node.clone(), self.boot, self.sequence, self.piece);
        (self.parts == 1).then(decode)
    }
}

/// The datagrams of the newest beat of one node that has come in pieces.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    boot: u64,
    sequence: u64,
    // One place for each part.
    pieces: Vec<Option<Box<[u8]>>>,
}

impl Assembly {
    /// Adds a datagram of the node, and returns the beat once the last piece has come.
    ///
    /// A piece of a newer beat, or of another start of the node, pushes out what is there; a piece of an
    /// older beat is ignored.
    /// O(length), and at most 45 kB are kept.
    pub fn add(&mut self, datagram: &Datagram<'_>) -> Option<Result<Beat, BeatError>> {
        let at = (datagram.boot, datagram.sequence);
        let parts = usize::from(datagram.parts);
        if datagram.boot == self.boot && datagram.sequence < self.sequence {
            return None;
        }
        if at != (self.boot, self.sequence) || self.pieces.len() != parts {
            (self.boot, self.sequence) = at;
            self.pieces = vec![None; parts];
        }
        let place = self.pieces.get_mut(usize::from(datagram.part))?;
        *place = Some(datagram.piece.into());
        if self.pieces.iter().any(Option::is_none) {
            return None;
        }
        let body: Vec<u8> = self.pieces.drain(..).flatten().flatten().collect();
        let node = datagram.node.clone();
        Some(body::decode(node, self.boot, self.sequence, &body))
    }
}

const MAGIC: [u8; 2] = *b"ob";
const VERSION: u8 = 1;
/// Octets before the name.
const HEADER: usize = 26;
